"""Entries that are looked up or taken out to be disposed of, and replaced in a second step.

`old = self.timers.pop(key, None)` … `self.timers[key] = Timer(…)`: of two threads that do so at once each puts its own
entry in, and the one whose entry is overwritten leaves it behind: nobody cancels, closes or joins it. Another thread's
`del self.timers[key]` fails where the entry is out just then, or deletes the new one for the old.
"""

from __future__ import annotations

from collections.abc import Iterator

from racelint.program.flow.walk import may_follow
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.deeds import adds, is_put, touches
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.shared import SharedAccess

_TAKING = frozenset({"get", "pop"})
"""Methods that give the entry of a key, or say that there is none."""


class BrokenExchanges(Search):
    """Finds them for one group at a time."""

    def of(self, group: Group) -> Iterator[Suspect]:
        seen: set[str] = set()
        for record in group.changes:
            function = record.access.function
            if record.perhaps or function.id in seen or not is_put(record.access):
                continue
            compound = self._compound(record.access)
            conflict = self._conflict(group, record, compound) if compound is not None else None
            if conflict is not None:
                seen.add(function.id)
                yield self.inquiry.suspect("check-then-act", group, record, conflict, compound, self.guards.of(group))

    def _compound(self, act: SharedAccess) -> Compound | None:
        """From the look-up of the old entry to the store of the new one, neither of which hangs on what it was."""
        function = act.function
        decided = self.program.compounds.deciding(function, act.event)
        for access in self.program.shared.of(function):
            if access.location != act.location or access.key != act.key or access.method not in _TAKING:
                continue
            made_of_it = access.event in (*act.deps, *decided)
            if not made_of_it and self._is_disposed_of(access) and may_follow(function, access.event, act.event):
                return Compound("exchange", access, access.event, act, function, check_span=access.span)
        return None

    def _is_disposed_of(self, access: SharedAccess) -> bool:
        """`old.cancel()`: something is done to the old entry."""
        old = f"c:{access.event}"
        return any(
            len(path) > 1 and path[0] == old
            for call in self.program.stores.facts[access.function.id].calls
            for path in call.func
        )

    def _conflict(self, group: Group, record: Record, compound: Compound) -> Record | None:
        """What another thread does with the entry meanwhile, and nothing but chance keeps from coming in between."""
        guards = self.races.compound_guards(compound, record)
        for other in group.changes:
            apart = not other.perhaps and not other.locations_held & (guards | record.locations_held)
            if (
                apart
                and touches(record, other)
                and (adds(other) or (compound.first.method == "pop" and self._relies_on_it(other.access)))
                and self.overlap.parallel(record, other, group)
                and self.overlap.evidence_of(record, other, group) != "lock"
            ):
                return other
        return None

    def _relies_on_it(self, access: SharedAccess) -> bool:
        """`del self.timers[key]`, not prepared for finding nothing."""
        expected = self.program.compounds.expected(access.function)
        return access.deed == "delete" and access.event not in expected
