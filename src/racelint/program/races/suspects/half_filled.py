"""Containers that one critical section empties and fills again, read meanwhile without its lock.

`with lock: self.routes.clear(); for …: self.routes[k] = v`: whoever looks without the lock misses what was there before
and will be there after. A cache that is emptied for want of room, then given one entry, promises nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.summary import ELEMENT, Loop
from racelint.program.flow.walk import contains, place_of
from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.deeds import adds
from racelint.program.races.suspects.emptying import leaves_nothing
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.shared import SharedAccess

_WHOLE = frozenset({"update", "extend"})
"""Methods that fill a container with all of another one."""


class HalfFilled(Search):
    """Finds them for one group at a time."""

    def of(self, group: Group) -> Iterator[Suspect]:
        seen: set[str] = set()
        for fill, locks in self._refills(group):
            for record in group.records:
                access = record.access
                if access.deed != "read" or access.location != fill.access.location or access.function.id in seen:
                    continue
                lock = self._missed(record, fill, locks, group) if self._knows_lock(record, group) else None
                if lock is not None:
                    seen.add(access.function.id)
                    yield self.inquiry.suspect("half-filled", group, record, fill, None, lock)

    @staticmethod
    def _knows_lock(record: Record, group: Group) -> bool:
        """Who reaches into another object has that object's lock no more in mind than its owner has them."""
        cls = record.access.function.cls
        return group.location.kind != "attribute" or (
            cls is not None and any(base.id == group.location.owner for base in cls.mro)
        )

    def _missed(self, record: Record, fill: Record, locks: frozenset[Location], group: Group) -> Location | None:
        """The lock that the reader should hold; None where it takes it afterwards to look again, or need not."""
        function = record.access.function
        if record.perhaps or locks & record.locations_held:
            return None
        again = {lock.location for lock, node, _ in self.program.flows.of(function).acquisitions}
        lock = min(locks)
        if locks & again or self.guards.only_called_with(lock, record):
            return None
        return lock if self.overlap.parallel(record, fill, group) else None

    def _refills(self, group: Group) -> Iterator[tuple[Record, frozenset[Location]]]:
        """What fills the container, with the keeper's locks that are held from its emptying to there."""
        for record in group.changes:
            if record.perhaps or not adds(record):
                continue
            for emptying in self.program.shared.of(record.access.function):
                if emptying.location.container() != group.location or not leaves_nothing(emptying, self.program):
                    continue
                if _fills_after(record.access, emptying):
                    compound = Compound(
                        "read-then-empty", emptying, emptying.event, record.access, record.access.function
                    )
                    locks = self.races.compound_guards(compound, record) & group.owner_locks
                    if locks:
                        yield record, locks
                        break


def _fills_after(fill: SharedAccess, emptying: SharedAccess) -> bool:
    """Whether, once emptied, the container is filled in the same block: by a loop, or with all of another one."""
    container = emptying.path[:-1] if emptying.location.content else emptying.path
    if fill.path != (*container, ELEMENT):
        return False
    places = place_of(fill.function, emptying.event)
    for node in places[-1].block[places[-1].position + 1 :] if places else ():
        if contains(node, fill.event):
            return fill.method in _WHOLE or isinstance(node, Loop)
    return False
