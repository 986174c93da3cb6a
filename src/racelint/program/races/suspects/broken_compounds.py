"""Compounds that are not atomic: a change by another thread fits between their steps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from racelint.knowledge.containers import IMMUTABLE_RESULTS
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Constant, Object
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.deeds import empties, removes, touches
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect, SuspectKind
from racelint.program.sharing.compounds import CALLS_TO_ACT, Compound, acts_for_caller


class BrokenCompounds(Search):
    """Finds them for one group at a time."""

    @cached_property
    def _compounds(self) -> dict[Location, list[Compound]]:
        found: dict[Location, list[Compound]] = {}
        acting = self.races.functions_with(lambda access: True)
        acting |= self.races.functions_with(acts_for_caller, calls=CALLS_TO_ACT)
        for function in self.program.index.functions:
            for compound in self.program.compounds.of(function) if function.id in acting else ():
                found.setdefault(compound.act.location.container(), []).append(compound)
        return found

    def of(self, group: Group) -> Iterator[Suspect]:
        """The compounds on one location that another thread can get into."""
        guard = self.guards.of(group)
        records: dict[tuple[str, int], list[Record]] = {}
        for record in group.records:
            records.setdefault((record.access.function.id, record.access.event), []).append(record)
        for compound in self._compounds.get(group.location, []):
            if not self._rechecked(compound):
                yield from self._compound(group, guard, compound, records)

    def _rechecked(self, compound: Compound) -> bool:
        """Double-checked locking, or a version compared: the act is decided once more inside its own lock."""
        flow = self.program.flows.of(compound.function)
        act = flow.at(compound.act.event)
        regions = {(hold.lock.location, hold.region) for hold in act.must}
        since = flow.at(compound.since)
        if not regions or regions & {(hold.lock.location, hold.region) for hold in since.must}:
            return False
        for event in self.program.compounds.deciding(compound.function, compound.act.event):
            if regions & {(hold.lock.location, hold.region) for hold in flow.at(event).must}:
                return True
        return False

    def _compound(
        self,
        group: Group,
        guard: Location | None,
        compound: Compound,
        records: dict[tuple[str, int], list[Record]],
    ) -> Iterator[Suspect]:
        mine = records.get((compound.function.id, compound.act.event), [])
        if compound.through_call or compound.inner:
            mine = self.races.records_beside(group, compound.act)
        for record in mine:
            if record.perhaps or (guard is not None and self.guards.only_called_with(guard, record)):
                continue
            guards = self.races.compound_guards(compound, record)
            conflict = self._conflict(group, record, guards, compound)
            if conflict is None:
                continue
            kind = self._kind(compound, record, conflict, guard, guards, group)
            if kind is None or not self._worth(kind, record, conflict, group, guard):
                continue
            used = compound.kind == "check-then-use" and kind == "check-then-act" and compound.test != "in"
            emptied = self._lock_of_breaking(group, record) if used else None
            if emptied is not None:
                yield self.inquiry.suspect("unguarded", group, record, conflict, compound, emptied)
            else:
                yield self.inquiry.suspect(kind, group, record, conflict, compound, guard)

    def _lock_of_breaking(self, group: Group, record: Record) -> Location | None:
        """The keeper's lock under which all set the attribute to None who do, or take elements out of the container."""
        breaking = [o.locations_held for o in group.changes if not o.perhaps and self._breaks(record, o)]
        shared = frozenset.intersection(*breaking) & group.owner_locks if breaking else frozenset()
        return min(shared - record.locations_held, default=None)

    def _conflict(self, group: Group, record: Record, guards: frozenset[Location], compound: Compound) -> Record | None:
        """Another thread's change that can come between the steps.

        One that a thread makes under the keeper's lock is the better story, and so is one elsewhere.
        """
        takes = compound.kind == "check-then-act" and removes(record)
        if compound.kind == "check-then-use":
            return self._breaking(group, record, guards)
        candidates = [
            other
            for other in group.changes
            if not other.perhaps
            and not (other.locations_held & guards)
            and touches(record, other)
            and (not takes or removes(other) or not other.access.location.content)
        ]
        candidates.sort(
            key=lambda other: (
                not (other.locations_held & group.owner_locks)
                or self.overlap.evidence_of(record, other, group) != "thread",
                other.access is record.access,
                other.order,
            ),
        )
        return next((other for other in candidates if self.overlap.parallel(record, other, group)), None)

    def _breaking(self, group: Group, record: Record, guards: frozenset[Location]) -> Record | None:
        """A change that makes a use fail although the check passed: the element removed, the attribute set to None."""
        for other in group.changes:
            if other.perhaps or other.access.function is record.access.function or not self._breaks(record, other):
                continue
            if not other.locations_held & guards and self.overlap.parallel(record, other, group):
                return other
        return None

    @staticmethod
    def _breaks(record: Record, other: Record) -> bool:
        """Whether the other's change takes away what the record's access needs."""
        if record.access.location.content:
            return removes(other) and touches(record, other)
        return empties(other)

    def _kind(
        self,
        compound: Compound,
        record: Record,
        conflict: Record,
        guard: Location | None,
        guards: frozenset[Location],
        group: Group,
    ) -> SuspectKind | None:
        if compound.inner is not None:
            pure = compound.kind == "lazy-init" and self._is_pure(compound)
            known = guard is not None and guard in guards
            return None if pure or known else "lazy-init" if compound.kind == "lazy-init" else "check-then-act"
        at_check = self._held_at_check(compound)
        at_act = {hold.lock.location for hold in record.state.must}
        torn = compound.kind == "update" or record.access.augmented or removes(record)
        if (torn and (at_check & at_act) - guards) or (compound.through_call and guard is not None and not guards):
            return "split"
        if compound.kind == "check-then-use":
            return None if guard is not None and guard in guards else "check-then-act"
        if record.foreign:
            return "wrong-lock"
        if guard is not None and guard in guards:
            return None
        if (
            self.guards.own_locks(record, group)
            and self.guards.own_locks(conflict, group)
            and compound.kind == "update"
        ):
            return "wrong-lock"
        if guards & record.locations_held - record.meant:
            return None  # this side is locked throughout: the other side is where the defect is
        if guard is not None and guard not in record.locations_held:
            return "unguarded"
        if compound.kind == "lazy-init" and self._is_pure(compound):
            return None
        assert compound.kind != "write-then-use" and compound.kind != "read-then-empty" and compound.kind != "exchange"
        return compound.kind

    def _held_at_check(self, compound: Compound) -> set[Location]:
        """What this function, and the called one that reads for it, hold at the compound's first step."""
        since = self.program.flows.of(compound.function).at(compound.since)
        first = self.program.flows.of(compound.first.function).at(compound.first.event)
        return {hold.lock.location for hold in (*since.must, *first.must)}

    def _is_pure(self, compound: Compound) -> bool:
        """The value is immutable and computed from what does not change: storing it twice is benign."""
        things = self.program.types.of_value(compound.act.value, compound.function)
        return bool(things) and all(
            isinstance(thing, Constant) or (isinstance(thing, Object) and thing.dotted in IMMUTABLE_RESULTS)
            for thing in things
        )

    def _worth(self, kind: SuspectKind, record: Record, conflict: Record, group: Group, guard: Location | None) -> bool:
        """Where only a lock beside it says that it is concurrent, some access must use that lock, or the function."""
        if self.overlap.evidence_of(record, conflict, group) != "lock":
            return True
        used = guard is not None or any(group.guards.values()) or self.guards.meant_for_threads(kind, record, group)
        return used or kind in ("update", "wrong-lock", "split")
