"""Decisions of one critical section that another one acts on: the state may have changed between the two.

`with lock: ended = self.end is not None` … `with lock: self.items.append(x)`: each access holds the lock, the decision
holds nothing. The state must be a variable that the same lock guards and another thread changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.shared import SharedAccess


class StaleDecisions(Search):
    """Finds them for one group at a time: the group is what is acted on."""

    def of(self, group: Group) -> Iterator[Suspect]:
        guard = self.guards.of(group)
        if guard is None:
            return
        seen: set[str] = set()
        for record in group.changes:
            function = record.access.function
            if function.id in seen or record.perhaps or record.state.hold(guard) is None:
                continue
            for since, state in self._decided_by(record.access, guard):
                conflict = self._change_of(state.location, record, guard)
                if conflict is not None:
                    seen.add(function.id)
                    compound = Compound("check-then-act", state, since, record.access, function)
                    yield self.inquiry.suspect("stale-decision", group, record, conflict, compound, guard)
                    break

    def _decided_by(self, act: SharedAccess, guard: Location) -> Iterator[tuple[int, SharedAccess]]:
        """The reads, in an earlier critical section of the guard, that decided whether the act happens."""
        function = act.function
        region = self._region(function, act.event, guard)
        accesses = {access.event: access for access in self.program.shared.of(function)}
        decided = self.program.compounds.deciding(function, act.event)
        states = [
            (event, read)
            for event in decided
            for read in self.program.compounds.reads_behind(event, function, accesses)
            if not read.location.content and read.location.container() != act.location.container()
        ]
        again = {read.location for event, read in states if self._region(function, event, guard) == region}
        for event, read in states:
            earlier = self._region(read.function, read.event, guard)
            if earlier is not None and read.location not in again and (read.function, earlier) != (function, region):
                yield event, read

    def _region(self, function: FunctionInfo, event: int, guard: Location) -> int | None:
        """Which critical section of the guard an event stands in."""
        hold = self.program.flows.of(function).at(event).hold(guard)
        return hold.region if hold is not None else None

    def _change_of(self, state: Location, record: Record, guard: Location) -> Record | None:
        """A change of the state, under the same guard, that another thread can make in between."""
        group = self.races.by_location.get(state)
        if group is None or self.guards.of(group) != guard:
            return None
        for other in group.changes:
            if guard in other.locations_held and not other.perhaps and self.overlap.parallel(record, other, group):
                return other
        return None
