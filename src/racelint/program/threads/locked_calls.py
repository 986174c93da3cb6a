"""Methods that are public by their name, but that the program only calls with a lock held: its users are to hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.threads.context import Context
from racelint.program.threads.handed_closures import HandedClosures
from racelint.program.threads.reach import Reach
from racelint.program.threads.test_cases import is_of_tests
from racelint.program.threads.users import begins_or_ends, overridden

if TYPE_CHECKING:
    from racelint.program.parallel.records import Record


class LockedCalls:
    """Answers for the functions of a program, by the contexts that its own calls run them in."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self._closures = HandedClosures(reach)
        self._meant: dict[tuple[str, frozenset[Location]], frozenset[Lock]] = {}
        self._known: dict[tuple[str, frozenset[Location]], frozenset[Lock]] = {}

    def as_called(self, records: list[Record], beside: list[Record]) -> list[Record]:
        """Those that users enter by a step of what holds a lock, as `beside` of the same variable do, hold it, too."""
        locks = frozenset(lock.location for held in {record.held for record in beside} for lock in held)
        return [self._as_called(record, locks) for record in records] if locks else records

    def _as_called(self, record: Record, locks: frozenset[Location]) -> Record:
        context = record.context
        if context.root is not None or record.perhaps:
            return record
        function = context.entry.function
        if function.ir.parent:
            return replace(record, perhaps=True) if self._is_handed_out_with(function, locks) else record
        meant = self._meant_for(function, locks)
        if not meant:
            return record
        meant = frozenset(lock for lock in meant if lock.location not in record.state.dropped)
        inside = replace(context, held=context.held | meant)
        fresh = frozenset(lock.location for lock in meant) - record.locations_held
        return replace(record, held=record.held | meant, context=inside, meant=fresh)

    def _meant_for(self, function: FunctionInfo, locks: frozenset[Location]) -> frozenset[Lock]:
        """Those that users who call the function are to hold."""
        key = (function.id, locks)
        known = self._meant.get(key)
        if known is None:
            named = begins_or_ends(function) or function.ir.name.startswith("__")
            newer = frozenset(lock for lock in locks if not named and not is_older(function, lock))
            known = self._meant[key] = self.held(function, newer) if newer else frozenset()
        return known

    def _is_handed_out_with(self, closure: FunctionInfo, locks: frozenset[Location]) -> bool:
        """Whether each way to where the closure is handed out holds one of the locks: it may well run right there."""
        calls = self._closures.calls(closure)
        if not calls:
            return False
        outer = closure.module.functions[closure.ir.parent]
        if all(locks & {hold.lock.location for hold in self.reach.flows.of(outer).at(call.id).must} for call in calls):
            return True
        ways = [context for context in self.reach.of(outer) if not is_of_tests(context.entry.function)]
        return bool(ways) and all(self._enters_with(context, locks) for context in ways)

    def _enters_with(self, context: Context, locks: frozenset[Location]) -> bool:
        """Whether one of the locks is held, or is to be by the users who enter there."""
        if locks & {lock.location for lock in context.held}:
            return True
        entry = context.entry
        return entry.root is None and not begins_or_ends(entry.function) and bool(self.held(entry.function, locks))

    def held(self, function: FunctionInfo, locks: frozenset[Location]) -> frozenset[Lock]:
        """Of these locks those that the program's calls hold, where it calls the function and each holds one."""
        key = (function.id, locks)
        known = self._known.get(key)
        if known is None:
            self._known[key] = frozenset()
            known = self._known[key] = self._held_by_all(function, locks - self._taken_again_in(function))
        return known

    def _held_by_all(self, function: FunctionInfo, locks: frozenset[Location]) -> frozenset[Lock]:
        found: set[Lock] = set()
        for method in overridden(function):
            for context in self.reach.of(method):
                held = [lock for lock in context.held if lock.location in locks]
                if (held and found.issuperset(held)) or not self._is_call(context, locks):
                    continue
                if not held:
                    return frozenset()
                found.update(held)
        return frozenset(found)

    def _taken_again_in(self, function: FunctionInfo) -> frozenset[Location]:
        """Reentrant locks that the function takes itself: it is for those, too, who do not hold them."""
        acquisitions = self.reach.flows.of(function).acquisitions
        return frozenset(
            lock.location for lock, _, _ in acquisitions if lock.facts is not None and lock.facts.reentrant
        )

    def _is_call(self, context: Context, locks: frozenset[Location]) -> bool:
        """It tells what is to be held: not on an object in the making, by a test, or by what is such a step itself."""
        function, entry, parent = context.function, context.entry, context.parent
        if parent is None or function.self_name in context.owned or is_of_tests(parent.function):
            return False
        if entry.root is not None or context.held:
            return True
        step = function in overridden(entry.function)
        return not step and (begins_or_ends(entry.function) or not self.held(entry.function, locks))


def is_older(function: FunctionInfo, lock: Location) -> bool:
    """What users know the method by is a base that has no such lock, so that they cannot be meant to hold it."""
    bases = function.cls.mro if function.cls is not None and lock.kind == "attribute" else ()
    first = [base for base in bases if function.ir.name in base.ir.methods][-1:]
    return first != [function.cls] and any(all(base.id != lock.owner for base in older.mro) for older in first)
