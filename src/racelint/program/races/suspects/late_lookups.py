"""Entries that were put into a container under its lock, and are looked up again, by the same key, without it.

`with lock: self.timers[token] = Timer(…)` … `self.timers[token].start()`: whoever takes entries out under the lock may
have taken this one out by then, and the look-up fails, or finds another's. The object is at hand: a local will do.
"""

from __future__ import annotations

from collections.abc import Iterator

from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.deeds import is_put, removes
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect
from racelint.program.sharing.shared import SharedAccess


class LateLookups(Search):
    """Finds them for one group at a time."""

    def of(self, group: Group) -> Iterator[Suspect]:
        removals = [record for record in group.changes if removes(record) and record.locations_held & group.owner_locks]
        puts = [record for record in group.changes if removals and is_put(record.access)]
        seen: set[str] = set()
        for put in puts:
            for record in group.records if put.access.function.id not in seen else ():
                if not self._is_later(record, put):
                    continue
                for removal in removals:
                    locks = put.locations_held & removal.locations_held & group.owner_locks
                    if locks and self._may_take_it(removal, record, put, locks, group):
                        seen.add(put.access.function.id)
                        yield self.inquiry.suspect("late-lookup", group, record, removal, None, min(locks))
                        break
                if put.access.function.id in seen:
                    break

    def _is_later(self, record: Record, put: Record) -> bool:
        """It looks up what was put there, and does not expect to find it missing."""
        access, before = record.access, put.access
        same = access.function is before.function and access.location == before.location and access.key == before.key
        plain = access.deed == "read" and not access.method and access.event > before.event
        return same and plain and access.event not in self.program.compounds.expected(access.function)

    def _may_take_it(
        self, removal: Record, record: Record, put: Record, locks: frozenset[Location], group: Group
    ) -> bool:
        """Another thread, in another function, that need not have the key from this one."""
        if record.perhaps or locks & record.locations_held or removal.access.function is record.access.function:
            return False
        given = _is_given(removal.access) and not _is_given(put.access)
        if given and removal.context.root is None and removal.context.parent is None and removal.context.public:
            return False  # users have the key once this function has returned it
        return self.overlap.parallel(record, removal, group)


def _is_given(access: SharedAccess) -> bool:
    """By a key that is a parameter of the function."""
    return access.key in {param.name for param in access.function.ir.params}
