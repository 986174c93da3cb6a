"""Decisions on a variable that are made after its lock was released, by the function that had just changed it.

`with lock: self.users.remove(user)` … `if not self.users: self.worker = None`: another thread may have added a user by
then, or come to the same end and do what follows a second time. What was decided belongs into the critical section.
"""

from __future__ import annotations

from collections.abc import Iterator

from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.shared import SharedAccess


class LateDecisions(Search):
    """Finds them for one group at a time: the group is that of the variable that decides."""

    def of(self, group: Group) -> Iterator[Suspect]:
        guard = self.guards.of(group)
        changed = {(r.access.function.id, r.access.event) for r in group.changes if guard in r.locations_held}
        if guard is None or not changed:
            return
        seen: set[str] = set()
        for record in group.records:
            function = record.access.function
            if function.id in seen or not self._is_late(record, guard, changed):
                continue
            act, conflict = self._acted_on(record.access, guard), self._change_of(record, group, guard)
            if act is not None and conflict is not None:
                seen.add(function.id)
                span = record.access.span
                compound = Compound("check-then-act", record.access, record.access.event, act, function, "", span)
                yield self.inquiry.suspect("check-then-act", group, record, conflict, compound, guard)

    def _is_late(self, record: Record, guard: Location, changed: set[tuple[str, int]]) -> bool:
        """It reads without the guard, in a function that changed the variable with it before."""
        access = record.access
        if access.deed != "read" or record.perhaps or guard in record.locations_held:
            return False
        before = any(function == access.function.id and event < access.event for function, event in changed)
        return before and not self.guards.only_called_with(guard, record)

    def _acted_on(self, read: SharedAccess, guard: Location) -> SharedAccess | None:
        """What the read decides: the first change, without the guard, of another variable that threads share."""
        for access in self.program.shared.of(read.function):
            decided = read.event in self.program.compounds.deciding(read.function, access.event)
            if decided and access.changes and self._is_another(access.location, read.location):
                held = self.program.flows.of(read.function).at(access.event).hold(guard)
                return access if held is None else None
        return None

    def _is_another(self, location: Location, decider: Location) -> bool:
        return location in self.races.by_location and location.container() != decider.container()

    def _change_of(self, record: Record, group: Group, guard: Location) -> Record | None:
        for other in group.changes:
            if guard in other.locations_held and not other.perhaps and self.overlap.parallel(record, other, group):
                return other
        return None
