"""Changes without the lock that guards the location."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.rebound_locks import ReboundLocks
from racelint.program.races.suspects.deeds import ADDING, adds_at_once, harmless_beside, removes
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect, SuspectKind
from racelint.program.sharing.ownership import makes_self


class BrokenGuards(Search):
    """Finds them for one group at a time."""

    def of(self, group: Group) -> Iterator[Suspect]:
        """A change without the lock that most accesses hold."""
        guard = self.guards.of(group)
        if guard is None:
            return
        for record in group.changes:
            if guard in record.locations_held or record.perhaps or makes_self(record.access.function):
                continue
            if self.guards.only_called_with(guard, record) or self._makes(guard, record.access.function):
                continue
            if self._comes_with_new(guard, record):
                continue
            for other in group.records:
                if harmless_beside(record, other) or self._removes_what_may_be_there(record, other):
                    continue
                if record.locations_held & other.locations_held:
                    continue  # each two share a lock, though no lock is common to all
                if guard in other.locations_held and self.overlap.parallel(record, other, group):
                    wrong = bool(self.guards.own_locks(record, group)) or record.foreign
                    kind: SuspectKind = "wrong-lock" if wrong else "unguarded"
                    yield self.inquiry.suspect(kind, group, record, other, None, guard)
                    break

    def _removes_what_may_be_there(self, record: Record, other: Record) -> bool:
        """One step, prepared for finding nothing: additions, and others of its kind, are in order before and after."""
        prepared = record.access.method == "discard" or (removes(record) and self._expects_nothing(record))
        if not prepared:
            return False
        alike = (removes(other) or other.access.deed == "read") and self._expects_nothing(other)
        return alike or adds_at_once(other) or self._is_loaded_to_add(other)

    def _expects_nothing(self, record: Record) -> bool:
        """Whether its failure for want of an element is handled."""
        return record.access.event in self.program.compounds.expected(record.access.function)

    def _is_loaded_to_add(self, record: Record) -> bool:
        """`self.items` of `self.items.append(x)`."""
        access = record.access
        return access.deed == "read" and any(
            call.span[:2] == access.span[:2]
            and any(path[:-1] == access.path and path[-1] in ADDING for path in call.func)
            for call in self.program.stores.facts[access.function.id].calls
        )

    def _makes(self, guard: Location, function: FunctionInfo) -> bool:
        """The function, or one that it calls, makes the lock, and no other does: it comes before all uses of that."""
        called = {function.id, *(site.callee.id for site in self.program.calls.outgoing[function.id])}
        writes = [access for access in self.program.shared.at(guard) if access.deed == "write"]
        makers = [access.function for access in writes if access.value != (("k:None",),)]
        return bool(makers) and all(
            maker.ir.kind == "function" and maker.id in called and not makes_self(maker) for maker in makers
        )

    def _comes_with_new(self, guard: Location, record: Record) -> bool:
        """It, or one on the way to it, makes the guard anew: before others have the object, or after a fork."""
        around = {frame.function.id for frame in record.context.chain()} | {record.access.function.id}
        return any(
            access.deed == "write"
            and access.function.id in around
            and not makes_self(access.function)
            and access.value != (("k:None",),)
            and not self.program.compounds.deciding(access.function, access.event)
            and self._rebound.is_set_up(access.function)
            for access in self.program.shared.at(guard)
        )

    @cached_property
    def _rebound(self) -> ReboundLocks:
        return ReboundLocks(self.program)
