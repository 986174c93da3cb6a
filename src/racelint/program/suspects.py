"""Suspects: what is wrong with a location, if anything, and between which two records.

Each suspect is one defect. The order of precedence within one function is: a split critical section, a guard that is
broken, a check outside its act, a lazy initialisation, an unguarded update; so that one defect is reported once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from racelint.knowledge.containers import IMMUTABLE_RESULTS, TAKING_METHODS
from racelint.model.finding import Evidence
from racelint.model.summary import ELEMENT, Span
from racelint.program.call_state import CallState
from racelint.program.compounds import Compound
from racelint.program.groups import Group
from racelint.program.index import FunctionInfo, directives_at
from racelint.program.linker import Program
from racelint.program.locations import Location
from racelint.program.races import Races
from racelint.program.reach import makes_self
from racelint.program.records import Record
from racelint.program.types import Constant, Object

SuspectKind = Literal[
    "split", "unguarded", "check-then-act", "lazy-init", "wrong-lock", "update", "overwritten", "iteration"
]
_PRECEDENCE: tuple[SuspectKind, ...] = (
    "split",
    "wrong-lock",
    "unguarded",
    "lazy-init",
    "check-then-act",
    "iteration",
    "update",
    "overwritten",
)
_MIN_SHARE = 0.5
_RAISING_CONTAINERS = frozenset(
    {"dict", "set", "deque", "ordereddict", "defaultdict", "counter", "weakset", "weakvaluedictionary"}
    | {"weakkeydictionary"}
)


@dataclass(frozen=True, eq=False)
class Suspect:
    """`record` is where the defect stands, `conflict` the record of another thread that it clashes with.

    `guard` is the lock inferred for the location; `guarded` of `total` accesses hold it.
    """

    kind: SuspectKind
    group: Group
    record: Record
    conflict: Record
    compound: Compound | None = None
    guard: Location | None = None
    guarded: int = 0
    total: int = 0
    evidence: Evidence = "lock"
    flag: bool = False
    """All that is ever written are constants: a flag, whose races are benign."""

    weak: bool = False
    """Little says that it is concurrent: an unrelated lock beside it, or an attribute that is read twice."""

    @property
    def span(self) -> Span:
        """Where to report: the check where one decides, else the change itself."""
        if self.compound is not None and self.kind in ("check-then-act", "lazy-init"):
            return self.compound.check_span
        return self.record.access.span


class Suspects:
    """All suspects of a program, one per defect, in source order."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.races = Races(program)
        self.overlap = self.races.overlap

    @cached_property
    def all(self) -> list[Suspect]:
        found: list[Suspect] = []
        for group in self.races.groups:
            found.extend(self._chosen(group, list(self._of(group))))
        return sorted(found, key=lambda s: (s.record.order, s.kind, s.group.location))

    def of_kind(self, *kinds: SuspectKind) -> list[Suspect]:
        return [suspect for suspect in self.all if suspect.kind in kinds]

    @cached_property
    def _states(self) -> dict[Location, list[CallState]]:
        found: dict[Location, list[CallState]] = {}
        for function in self.program.index.functions:
            for state in self.program.call_states.of(function):
                found.setdefault(state.read.access.location, []).append(state)
        return found

    def _overwritten(self, group: Group) -> Iterator[Suspect]:
        """What one call stores for itself, another thread's call overwrites before it is read back."""
        for state in self._states.get(group.location, ()):
            written, read = state.written.access, state.read.access
            compound = Compound("write-then-use", read, state.written.event, written, state.function)
            seen = replace(read, function=state.function, event=state.read.event)
            for record in self.races.records.of(seen):
                guards = self.races.compound_guards(compound, record)
                conflict = None if record.perhaps else self._same_write(group, record, guards, state)
                if conflict is not None:
                    if state.read.through or not state.written.through:
                        record = next(iter(self.races.records.of(written)), record)
                    yield self._suspect("overwritten", group, record, conflict, compound, None)
                    break

    def _same_write(self, group: Group, record: Record, guards: frozenset[Location], state: CallState) -> Record | None:
        """Another thread that is in the same call; a lock beside the class promises too little for that."""
        direct = not state.written.through and not state.read.through
        for other in self.races.records.of(state.written.access):
            if other.perhaps or other.locations_held & guards or not self.overlap.parallel(record, other, group):
                continue
            evidence = self.overlap.evidence_of(record, other, group)
            if evidence == "contract" or (evidence == "thread" and direct):
                return other
        return None

    @cached_property
    def _compounds(self) -> dict[Location, list[Compound]]:
        found: dict[Location, list[Compound]] = {}
        for _, compounds in self.races.functions_with_compounds():
            for compound in compounds:
                found.setdefault(compound.act.location.container(), []).append(compound)
        return found

    def _of(self, group: Group) -> Iterator[Suspect]:
        guard = self.guard_of(group)
        compounds = self._compounds.get(group.location, [])
        records: dict[tuple[str, int], list[Record]] = {}
        for record in group.records:
            records.setdefault((record.access.function.id, record.access.event), []).append(record)
        for compound in compounds:
            if not self._rechecked(compound):
                yield from self._compound(group, guard, compound, records)
        yield from self._plain_changes(group, guard)
        yield from self._iterations(group)
        yield from self._overwritten(group)

    def _chosen(self, group: Group, suspects: list[Suspect]) -> Iterator[Suspect]:
        """One suspect per defect: the gravest kind in each function; one update or wrong lock per location."""
        by_function: dict[str, list[Suspect]] = {}
        made_by_calls = {s.compound.inner for s in suspects if s.compound is not None and not s.weak}
        for suspect in suspects:
            if suspect.kind == "unguarded" and suspect.record.access in made_by_calls:
                continue
            by_function.setdefault(suspect.record.access.function.id, []).append(suspect)
        whole: dict[SuspectKind, list[Suspect]] = {}
        for mine in by_function.values():
            best = min(mine, key=_rank)
            if best.kind in ("update", "wrong-lock", "overwritten"):
                whole.setdefault(best.kind, []).append(best)
            else:
                yield best
        for found in whole.values():
            yield min(found, key=lambda s: (s.weak, s.record.order))

    def guard_of(self, group: Group) -> Location | None:
        """The lock that most accesses hold, at least one change among them."""
        best = self._declared_guard(group)
        if best is not None:
            return best
        for location, count in sorted(group.guards.items(), key=lambda item: (-item[1], item[0])):
            if count < 2 and group.total > 2:
                continue
            changes = [r for r in group.changes if location in r.locations_held]
            if not self._has_to_do_with(location, group):
                continue
            enough = count >= 2 or group.location.kind == "captured"
            all_but_one = enough and count >= group.total - 1 and location in group.owner_locks
            if (changes and count / max(1, group.total) >= _MIN_SHARE) or all_but_one:
                best = location
                break
        return best

    def _has_to_do_with(self, lock: Location, group: Group) -> bool:
        """A lock of the location's class or module, or one that some access takes in its own function."""
        if lock in group.owner_locks:
            return not self.program.lock_places.of_subclass(lock, group.location)
        return any(hold.lock.location == lock for record in group.records for hold in record.state.must)

    def _declared_guard(self, group: Group) -> Location | None:
        """`# racelint: guarded-by(self._lock)` on a line that writes the location."""
        for access in self.program.shared.by_location.get(group.location, []):
            if not access.changes:
                continue
            for directive in directives_at(access.function.module, access.span[0]):
                if directive.verb == "guarded-by":
                    root, *fields = directive.argument.split(".")
                    own = f"p:{root}" if root == access.function.self_name else f"g:{root}"
                    lock = self.program.locks.of((own, *fields), access.function)
                    return lock.location if lock is not None else None
        return None

    def _rechecked(self, compound: Compound) -> bool:
        """Double-checked locking, or a version compared: the act is decided once more inside its own lock."""
        flow = self.program.flows.of(compound.function)
        act = flow.at(compound.act.event)
        regions = {(hold.lock.location, hold.region) for hold in act.must}
        since = flow.at(compound.since)
        if not regions or regions & {(hold.lock.location, hold.region) for hold in since.must}:
            return False
        for event in self.program.compounds.deciding.get((compound.function.id, compound.act.event), ()):
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
            mine = self.races.records.of(compound.act)
        for record in mine:
            if record.perhaps or (guard is not None and self._called_with(guard, record, group)):
                continue
            guards = self.races.compound_guards(compound, record)
            conflict = self._conflict(group, record, guards, compound)
            if conflict is None:
                continue
            kind = self._kind(compound, record, conflict, guard, guards, group)
            if kind is None or not self._worth(kind, self.overlap.evidence_of(record, conflict, group), group, guard):
                continue
            yield self._suspect(kind, group, record, conflict, compound, guard)

    def _conflict(self, group: Group, record: Record, guards: frozenset[Location], compound: Compound) -> Record | None:
        """Another thread's change that can come between the steps; changes elsewhere are the better story."""
        takes = compound.kind == "check-then-act" and _removes(record)
        if compound.kind == "check-then-use":
            return self._breaking(group, record, guards)
        candidates = [
            other
            for other in group.changes
            if not other.perhaps
            and not (other.locations_held & guards)
            and self._touches(record, other)
            and (not takes or _removes(other) or not other.access.location.content)
            and self.overlap.parallel(record, other, group)
        ]
        if not candidates:
            return None
        return min(candidates, key=lambda other: (other.access is record.access, other.order))

    @staticmethod
    def _touches(record: Record, other: Record) -> bool:
        """Whether the other's change can matter: the same location, or the name of the container that holds it."""
        if record.access.location == other.access.location:
            mine, theirs = record.access.key, other.access.key
            different = mine != theirs and mine[:1] in "'\"0123456789" and theirs[:1] in "'\"0123456789"
            return not (mine and theirs and different)
        inner, outer = record.access.location.fields, other.access.location.fields
        if record.access.location.content and other.access.location.content:
            return len(outer) < len(inner) and inner[: len(outer)] == outer
        return record.access.location.content != other.access.location.content

    def _breaking(self, group: Group, record: Record, guards: frozenset[Location]) -> Record | None:
        """A change that makes a use fail although the check passed: the element removed, the attribute set to None."""
        content = record.access.location.content
        for other in group.changes:
            breaks = _removes(other) if content else _empties(other)
            elsewhere = other.access.function is not record.access.function
            excluded = other.perhaps or other.locations_held & guards
            if breaks and elsewhere and not excluded and self.overlap.parallel(record, other, group):
                return other
        return None

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
        torn = compound.kind == "update" or record.access.augmented or _removes(record)
        if (torn and (at_check & at_act) - guards) or (compound.through_call and guard is not None and not guards):
            return "split"
        if compound.kind == "check-then-use":
            return None if guard is not None and guard in guards else "check-then-act"
        if record.foreign:
            return "wrong-lock"
        if guard is not None and guard in guards:
            return None
        if self._own_locks(record, group) and self._own_locks(conflict, group) and compound.kind == "update":
            return "wrong-lock"
        if guards & record.locations_held:
            return None  # this side is locked throughout: the other side is where the defect is
        if guard is not None and guard not in record.locations_held:
            return "unguarded"
        if compound.kind == "lazy-init" and self._is_pure(compound):
            return None
        assert compound.kind != "write-then-use"
        return compound.kind

    def _held_at_check(self, compound: Compound) -> set[Location]:
        """What this function, and the called one that reads for it, hold at the compound's first step."""
        since = self.program.flows.of(compound.function).at(compound.since)
        first = self.program.flows.of(compound.first.function).at(compound.first.event)
        return {hold.lock.location for hold in (*since.must, *first.must)}

    @staticmethod
    def _own_locks(record: Record, group: Group) -> frozenset[Location]:
        """The held locks that have to do with the location: of its class or module, or taken by the function itself."""
        local = {hold.lock.location for hold in record.state.must}
        return frozenset(lock for lock in record.locations_held if lock in local or lock in group.owner_locks)

    def _is_pure(self, compound: Compound) -> bool:
        """The value is immutable and computed from what does not change: storing it twice is benign."""
        things = self.program.types.of_value(compound.act.value, compound.function)
        return bool(things) and all(
            isinstance(thing, Constant) or (isinstance(thing, Object) and thing.dotted in IMMUTABLE_RESULTS)
            for thing in things
        )

    @staticmethod
    def _worth(kind: SuspectKind, evidence: Evidence, group: Group, guard: Location | None) -> bool:
        """Where only a lock beside it says that it is concurrent, some access must use that lock."""
        if evidence != "lock":
            return True
        used = guard is not None or any(group.guards.values())
        return used or kind in ("update", "wrong-lock", "split")

    def _plain_changes(self, group: Group, guard: Location | None) -> Iterator[Suspect]:
        """A change without the lock that most accesses hold."""
        if guard is None:
            return
        for record in group.changes:
            if guard in record.locations_held or record.perhaps or makes_self(record.access.function):
                continue
            if self._called_with(guard, record, group):
                continue
            for other in group.records:
                if _harmless_beside(record, other):
                    continue
                if guard in other.locations_held and self.overlap.parallel(record, other, group):
                    wrong = bool(self._own_locks(record, group)) or record.foreign
                    kind: SuspectKind = "wrong-lock" if wrong else "unguarded"
                    yield self._suspect(kind, group, record, other, None, guard)
                    break

    @staticmethod
    def _called_with(guard: Location, record: Record, group: Group) -> bool:
        """A public method that the program only calls with the guard held: its users are meant to do so too."""
        if record.context.parent is not None or _overrides(record.access.function):
            return False
        inner = [r for r in group.records if r.access is record.access and r.context.parent is not None]
        return bool(inner) and all(guard in r.locations_held for r in inner)

    def _iterations(self, group: Group) -> Iterator[Suspect]:
        for record in group.records:
            if record.access.deed != "iterate" or record.perhaps:
                continue
            kind = self._container_kind(record)
            for other in group.changes:
                if not self._disturbs(other, kind) or other.perhaps or other.locations_held & record.locations_held:
                    continue
                if other.access is not record.access and self.overlap.parallel(record, other, group):
                    yield self._suspect("iteration", group, record, other, None, self.guard_of(group))
                    break

    def _container_kind(self, record: Record) -> str:
        """`dict` for what raises when it is resized, `list` for what silently skips elements, else empty."""
        for thing in self.program.types.of(record.access.path[:-1], record.access.function):
            if isinstance(thing, Object):
                name = thing.dotted.rpartition(".")[2].lower()
                if name in _RAISING_CONTAINERS:
                    return "dict"
                if name == "list":
                    return "list"
        return ""

    @staticmethod
    def _disturbs(record: Record, kind: str) -> bool:
        """Whether a change makes an iteration fail (dict) or skip elements (list)."""
        access = record.access
        if not access.location.content or not kind:
            return False
        if kind == "list":
            return _removes(record)
        return access.resizes or (access.deed == "write" and not access.augmented and access.path[-1] == ELEMENT)

    def _suspect(
        self,
        kind: SuspectKind,
        group: Group,
        record: Record,
        conflict: Record,
        compound: Compound | None,
        guard: Location | None,
    ) -> Suspect:
        guarded = group.guards.get(guard, 0) if guard is not None else 0
        evidence = self.overlap.evidence_of(record, conflict, group)
        related = guard is not None or bool(self._own_locks(conflict, group) | self._own_locks(record, group))
        use = compound is not None and compound.kind == "check-then-use" and not record.access.location.content
        weak = (evidence == "lock" and not related) or (use and evidence == "thread" and guard is None)
        flag = self._is_flag(group)
        return Suspect(kind, group, record, conflict, compound, guard, guarded, group.total, evidence, flag, weak)

    @staticmethod
    def _is_flag(group: Group) -> bool:
        """A monotonic flag: one constant is ever stored after construction."""
        stored = {path[0] for record in group.changes for path in record.access.value}
        if len(stored) > 1:
            return False
        for record in group.changes:
            access = record.access
            if access.deed != "write" or access.augmented or access.location.content:
                return False
            if not access.value or not all(path[0] in ("k:True", "k:False", "k:None") for path in access.value):
                return False
        return True


def _overrides(function: FunctionInfo) -> bool:
    """A method that a base has as well belongs to what users know of the class."""
    return function.cls is not None and any(function.ir.name in base.ir.methods for base in function.cls.mro[1:])


def _removes(record: Record) -> bool:
    access = record.access
    if access.deed == "delete":
        return True
    return access.deed == "mutate" and (access.method in TAKING_METHODS or access.method == "clear")


def _empties(record: Record) -> bool:
    """An attribute set to None or deleted."""
    access = record.access
    if access.deed == "delete":
        return True
    return access.deed == "write" and ("k:None",) in access.value


_ADDING = frozenset({"append", "appendleft", "add", "setdefault", "put"})


def _harmless_beside(record: Record, other: Record) -> bool:
    """One atomic addition breaks only what iterates, replaces or empties the container under the lock."""
    if record.access.deed != "mutate" or record.access.method not in _ADDING:
        return False
    access = other.access
    if access.deed == "iterate" or (access.changes and not access.location.content):
        return False
    return not (access.deed == "mutate" and access.method in ("clear", "sort", "reverse"))


def _rank(suspect: Suspect) -> tuple[object, ...]:
    """The gravest kind first, then the strongest evidence, then the first in the source."""
    weight = {"thread": 0, "contract": 1, "lock": 2}[suspect.evidence]
    return (suspect.weak, _PRECEDENCE.index(suspect.kind), weight, suspect.record.order)
