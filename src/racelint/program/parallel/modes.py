"""Objects that work in one of two modes, for threads or for coroutines: what each does meets on none of them."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from racelint.model.summary import Value
from racelint.program.flow.values import Stored
from racelint.program.linked.running_loops import is_run_by_loop
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.names.index import ClassInfo
from racelint.program.objects.locations import Location
from racelint.program.parallel.records import Record
from racelint.program.sharing.ownership import makes_self

_NOTHING: Value = (("k:None",),)


class Modes:
    """Answers for pairs of records, by the locks of their objects that they hold."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[tuple[Location, Location], bool] = {}

    def apart(self, left: Record, right: Record) -> bool:
        """Whether each holds a lock of its object that the other's object has not got, or is not used with.

        What an event loop runs is not done to objects that have got their lock for threads alone.
        """
        return (
            self._is_for_threads(left, right)
            or self._is_for_threads(right, left)
            or any(
                self._is_of_other_mode(mine.location, theirs.location)
                or self._is_for_tasks_of_heirs(mine, right, theirs)
                or self._is_for_tasks_of_heirs(theirs, left, mine)
                for mine in left.held
                for theirs in right.held
                if mine.location != theirs.location
            )
        )

    def has_any(self, locks: Collection[Location], left: Record, right: Record) -> bool:
        """Whether an object with the locks that the two hold has one of `locks`, too."""
        held = left.locations_held | right.locations_held if locks else frozenset()
        return any(not any(self._is_of_other_mode(lock, location) for location in held) for lock in locks)

    def _is_for_threads(self, mine: Record, other: Record) -> bool:
        """The one holds a lock for threads, instead of which others of its class have got one for coroutines."""
        if not mine.held or other.context.root is not None:
            return False
        return any(is_run_by_loop(frame.function) for frame in other.context.chain()) and any(
            self._is_of_other_mode(lock.location, place)
            for lock in mine.held
            if lock.facts is not None and lock.facts.world == "thread"
            for place in self._locks_for_tasks.get(lock.location.owner, ())
        )

    @cached_property
    def _locks_for_tasks(self) -> dict[str, list[Location]]:
        """By class: the attributes with its locks for coroutines."""
        found: dict[str, list[Location]] = {}
        for (owner, name), entries in self.program.stores.attributes.items():
            facts = self.program.locks.facts_of(tuple(self.program.types.of_stored(entries)))
            if facts is not None and facts.world == "async":
                found.setdefault(owner, []).append(Location("attribute", owner, (name,)))
        return found

    def _is_of_other_mode(self, mine: Location, theirs: Location) -> bool:
        """A constructor gives its object the one lock or the other, in two arms of a branch."""
        if not (_is_attribute(mine) and _is_attribute(theirs) and mine.owner == theirs.owner):
            return False
        key = (min(mine, theirs), max(mine, theirs))
        if key not in self._known:
            first, second = (self._given(location) for location in key)
            makers = {entry.function for entry in (*first, *second)}
            self._known[key] = bool(first and second) and len(makers) == 1 and self._exclude(first, second)
        return self._known[key]

    def _given(self, location: Location) -> list[Stored]:
        """What is stored there, but for None."""
        entries = self.program.stores.attributes.get((location.owner, location.fields[0]), [])
        return [entry for entry in entries if entry.value != _NOTHING]

    def _exclude(self, first: list[Stored], second: list[Stored]) -> bool:
        maker = first[0].function
        mine, theirs = ({entry.access.id for entry in side if entry.access is not None} for side in (first, second))
        return makes_self(maker) and self.program.alternatives.apart(maker, mine, theirs)

    def _is_for_tasks_of_heirs(self, lock: Lock, other: Record, theirs: Lock) -> bool:
        """A derived class has a lock for its coroutines; the other uses an object of the base, with a lock for threads.

        Who makes an object of the derived class has an event loop, on which the base's methods would wait for threads.
        """
        if lock.facts is None or theirs.facts is None or (lock.facts.world, theirs.facts.world) != ("async", "thread"):
            return False
        heir, base = self._owner(lock), self._owner(theirs)
        if heir is None or base is None or heir is base or base not in heir.mro:
            return False
        user = other.context.self_class or other.access.function.cls
        return not other.access.function.ir.is_async and user is not None and heir not in user.mro

    def _owner(self, lock: Lock) -> ClassInfo | None:
        return self.program.index.classes_by_id.get(lock.location.owner) if _is_attribute(lock.location) else None


def _is_attribute(location: Location) -> bool:
    return location.kind == "attribute" and len(location.fields) == 1
