"""Guards: the lock that protects a location, inferred from how its accesses hold locks, or declared."""

from __future__ import annotations

from functools import cached_property

from racelint.program.linker import Program
from racelint.program.names.index import directives_at
from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.suspect import SuspectKind
from racelint.program.sharing.contracts import is_disclaimed
from racelint.program.threads.locked_calls import is_older

_MIN_SHARE = 0.5
_MIN_SHARE_ATOMIC = 0.4
"""Where one of the critical sections makes a compound atomic, which needs the lock."""

_MIN_SHARE_FUNCTIONS = 2 / 3
"""Of whole functions, where a few have many lines without it."""

_MAX_EXCEPTIONS = 4
"""Functions that change it without a lock that less than half of the lines hold: more of them are the rule."""


class Guards:
    """The guards of groups."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[Location, Location | None] = {}

    def of(self, group: Group) -> Location | None:
        """The lock that most accesses hold, at least one change among them."""
        if group.location not in self._known:
            self._known[group.location] = self._declared(group) or self._inferred(group)
        return self._known[group.location]

    @staticmethod
    def all_change_it_with(group: Group) -> bool:
        """Whether whatever changes the location holds one lock of its class or module, so that readers may skip it."""
        held = [record.locations_held for record in group.changes]
        return bool(held) and bool(frozenset.intersection(*held) & group.owner_locks)

    def is_declared(self, group: Group) -> bool:
        """Whether a `guarded-by` comment names the guard."""
        return self._declared(group) is not None

    def _inferred(self, group: Group) -> Location | None:
        for location, count in sorted(group.guards.items(), key=lambda item: (-item[1], item[0])):
            if count < 2 and group.total != 2:
                continue
            changes = [r for r in group.changes if location in r.locations_held]
            if not self._has_to_do_with(location, group):
                continue
            enough = count >= 2 or group.location.kind == "captured"
            all_but_one = enough and count >= group.total - 1 and location in group.owner_locks
            if (changes and count / max(1, group.total) >= _MIN_SHARE) or all_but_one:
                return location
            if not self._has_few_exceptions(location, group):
                continue
            if changes and location in group.owner_locks and self._in_most_functions(location, group):
                return location
            used = count / max(1, group.total) >= _MIN_SHARE_ATOMIC
            if used and location in group.owner_locks and (group.location, location) in self._made_atomic:
                return location
        return None

    @staticmethod
    def _has_few_exceptions(lock: Location, group: Group) -> bool:
        without = {record.access.function.id for record in group.changes if lock not in record.locations_held}
        return len(without) <= _MAX_EXCEPTIONS

    @staticmethod
    def _in_most_functions(lock: Location, group: Group) -> bool:
        """Two functions of three hold it throughout, however many lines the others have."""
        held: dict[str, bool] = {}
        for line in group.lines:
            function = line.records[0].access.function.id
            held[function] = held.get(function, True) and lock in line.locks
        locked = sum(held.values())
        return locked >= 2 and locked / len(held) >= _MIN_SHARE_FUNCTIONS

    @cached_property
    def _made_atomic(self) -> frozenset[tuple[Location, Location]]:
        """The variables that are looked at and then changed in one critical section, with its lock."""
        found: set[tuple[Location, Location]] = set()
        for function in self.program.index.functions:
            flow = self.program.flows.of(function)
            for compound in self.program.compounds.of(function) if flow.before else ():
                before = {(hold.lock.location, hold.region) for hold in flow.at(compound.begins).must}
                after = {(hold.lock.location, hold.region) for hold in flow.at(compound.act.event).must}
                found |= {(compound.act.location.container(), lock) for lock, _ in before & after}
        return frozenset(found)

    def _has_to_do_with(self, lock: Location, group: Group) -> bool:
        """A lock of the location's class or module, or one that some access takes in its own function."""
        if lock in group.owner_locks:
            return not self.program.lock_places.of_subclass(lock, group.location)
        return any(hold.lock.location == lock for record in group.records for hold in record.state.must)

    def _declared(self, group: Group) -> Location | None:
        """`# racelint: guarded-by(self._lock)` on a line that writes the location."""
        for access in self.program.shared.at(group.location):
            if not access.changes:
                continue
            for directive in directives_at(access.function.module, access.span[0]):
                if directive.verb == "guarded-by":
                    root, *fields = directive.argument.split(".")
                    own = f"p:{root}" if root == access.function.self_name else f"g:{root}"
                    lock = self.program.locks.of((own, *fields), access.function)
                    return lock.location if lock is not None else None
        return None

    def meant_for_threads(self, kind: SuspectKind, record: Record, group: Group) -> bool:
        """Whether more than a lock beside the variable says so.

        It holds locks itself; a function that takes that lock initialises it, or decides about the number in it by
        what it was; or the function gives out a new number each time, which is to be nobody else's.
        """
        if kind == "update":
            return self._gives_number(record)
        if kind == "lazy-init":
            return self._takes_lock_of(record, group) and not is_disclaimed(record.access.function)
        if kind != "check-then-act":
            return False
        return group.of_locks or (record.access.augmented and self._takes_lock_of(record, group))

    def _gives_number(self, record: Record) -> bool:
        """`self.last += 1; return self.last`, in whatever form it is returned."""
        access = record.access
        reads = {
            each.event
            for each in self.program.shared.of(access.function)
            if each.location == access.location and not each.location.content
        }
        returns = self.program.stores.facts[access.function.id].returns
        return bool(returns) and all(reads & {*node.deps} for node in returns)

    def _takes_lock_of(self, record: Record, group: Group) -> bool:
        acquisitions = self.program.flows.of(record.access.function).acquisitions
        return any(lock.location in group.owner_locks for lock, _, _ in acquisitions)

    def only_called_with(self, guard: Location, record: Record) -> bool:
        """Entered by a public method that the program only calls with the guard held, as its users are to do too."""
        entry = record.context.entry
        if entry.root is not None or is_older(entry.function, guard):
            return False
        return bool(self.program.locked_calls.held(entry.function, frozenset({guard})))

    @staticmethod
    def own_locks(record: Record, group: Group) -> frozenset[Location]:
        """The held locks that have to do with the location: of its class or module, or taken by the function itself."""
        local = {hold.lock.location for hold in record.state.must}
        related = group.owner_locks - record.meant
        return frozenset(lock for lock in record.locations_held if lock in local or lock in related)
