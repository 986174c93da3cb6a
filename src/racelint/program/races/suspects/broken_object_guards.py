"""Objects that are used without the lock under which their keeper uses them everywhere else."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.inquiry import Inquiry
from racelint.program.races.suspects.suspect import Suspect
from racelint.program.sharing.ownership import makes_self

_MIN_GUARDED = 3
_MIN_SHARE = 0.7


class BrokenObjectGuards:
    """Finds them for the whole program."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry = inquiry
        self.program = inquiry.program
        self.overlap = inquiry.overlap

    def all(self) -> Iterator[Suspect]:
        """In the order of the locations."""
        used = ((attribute, self.program.object_uses.of(attribute)) for attribute in self._attributes())
        changed = (
            (uses[0].location, uses)
            for attribute, uses in used
            if any(use.changes for use in uses) and not self.program.contracts.confined(attribute, uses)
        )
        for group in self.inquiry.races.grouped(changed):
            yield from self._unpromised(group) if group.contract else self._unguarded(group)

    def _attributes(self) -> Iterator[Location]:
        """The attributes whose objects may be used in parallel."""
        races = self.inquiry.races
        for attribute, callers in sorted(self.program.object_uses.callers.items()):
            if races.may_be_met(attribute) or any(races.may_be_beside(function) for function, _ in callers):
                yield attribute

    def _unguarded(self, group: Group) -> Iterator[Suspect]:
        """A changing call without the lock that nearly all calls hold, or that threads hold for this very call."""
        guard, changes = self._guard(group), group.changes
        if guard is None:
            guard, changes = self._guard_in_threads(group), _done_by_threads(group)
        for record in changes if guard is not None else ():
            if guard in record.locations_held or record.perhaps or makes_self(record.access.function):
                continue
            for other in group.records:
                if guard in other.locations_held and self.overlap.parallel(record, other, group):
                    yield self.inquiry.suspect("unguarded", group, record, other, None, guard)
                    break

    def _unpromised(self, group: Group) -> Iterator[Suspect]:
        """The keeper promises to be thread-safe, and hands its calls on to what makes no such promise."""
        reported: set[str] = set()
        for record in group.changes:
            if record.access.function.id in reported or not self.program.object_uses.takes_steps(record.access):
                continue
            for other in group.changes:
                apart = not (record.locations_held & other.locations_held or record.perhaps or other.perhaps)
                if apart and self.overlap.parallel(record, other, group):
                    reported.add(record.access.function.id)
                    yield self.inquiry.suspect("update", group, record, other)
                    break

    @staticmethod
    def _guard(group: Group) -> Location | None:
        """The keeper's lock that nearly all lines hold, one that changes among them."""
        for lock, count in sorted(group.guards.items(), key=lambda item: (-item[1], item[0])):
            enough = count >= _MIN_GUARDED and count / group.total >= _MIN_SHARE
            if enough and lock in group.owner_locks and any(lock in r.locations_held for r in group.changes):
                return lock
        return None

    def _guard_in_threads(self, group: Group) -> Location | None:
        """The lock under which threads use what the keeper has made for itself, and users, on some way, change it."""
        in_threads = [record for record in group.records if record.context.root is not None]
        if not any(record.access.changes for record in in_threads) or not self._is_part(group.location):
            return None
        held = frozenset.intersection(*(record.locations_held for record in in_threads)) & group.owner_locks
        by_users = {lock for r in group.changes if r.context.root is None for lock in r.locations_held - r.meant}
        of_subclass = self.program.lock_places.of_subclass
        return min((lock for lock in held & by_users if not of_subclass(lock, group.location)), default=None)

    def _is_part(self, location: Location) -> bool:
        """The keeper makes it, and nobody has it but through the keeper."""
        entries = self.program.stores.attributes.get((location.owner, location.fields[0]), [])
        values = [(path, entry.function) for entry in entries for path in entry.value if path[0][:2] != "k:"]
        return bool(values) and all(
            len(path) == 1 and path[0][:2] == "c:" and self.program.ownership.is_fresh(path[0], function)
            for path, function in values
        )


def _done_by_threads(group: Group) -> list[Record]:
    """The changes, by whomever, that a thread comes to as well."""
    threads = {(r.access.function.id, r.access.event) for r in group.changes if r.context.root is not None}
    return [record for record in group.changes if (record.access.function.id, record.access.event) in threads]


def entered_through(record: Record, uses: frozenset[tuple[str, int]]) -> bool:
    """Whether one of these calls, by function and event, led to the record."""
    context = record.context
    while context.parent is not None:
        if (context.parent.function.id, context.site) in uses:
            return True
        context = context.parent
    return False
