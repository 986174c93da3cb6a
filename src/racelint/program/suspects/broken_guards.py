"""Changes without the lock that guards the location."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.program.groups import Group
from racelint.program.reach import makes_self
from racelint.program.suspects.deeds import harmless_beside
from racelint.program.suspects.inquiry import Search
from racelint.program.suspects.suspect import Suspect, SuspectKind


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
            if self.guards.only_called_with(guard, record):
                continue
            for other in group.records:
                if harmless_beside(record, other):
                    continue
                if guard in other.locations_held and self.overlap.parallel(record, other, group):
                    wrong = bool(self.guards.own_locks(record, group)) or record.foreign
                    kind: SuspectKind = "wrong-lock" if wrong else "unguarded"
                    yield self.inquiry.suspect(kind, group, record, other, None, guard)
                    break
