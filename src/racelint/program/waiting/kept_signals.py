"""Events that stay set where a thread goes on without waiting: the next one that waits is let through at once.

`if self.done >= wanted: return` / `self.event.wait()` / `self.event.clear()`: where the other thread sets the event
just before that look, nobody clears it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Branch, Return
from racelint.program.flow.walk import contains, enclosing, place_of
from racelint.program.linker import Program
from racelint.program.names.thread_root import loops_around
from racelint.program.sharing.effects import Effect
from racelint.program.waiting.event_races import EventUse


class KeptSignal(msgspec.Struct, frozen=True):
    """`look` decides that `waiter` need not wait; `setter` sets the event after `change` of what is looked at."""

    waiter: EventUse
    look: Effect
    left: Return
    setter: EventUse
    change: Effect


class KeptSignals:
    """All of a program, by what it does with its events."""

    def __init__(self, program: Program, uses: dict[str, list[EventUse]]) -> None:
        self.program = program
        self.uses = [use for of_function in uses.values() for use in of_function if not use.function.ir.is_async]

    def found(self) -> Iterator[KeptSignal]:
        """In source order of the waits, one for each."""
        for waiter in self.uses:
            if waiter.method == "wait" and self._is_cleared_after_alone(waiter):
                yield from list(self._of(waiter))[:1]

    def _is_cleared_after_alone(self, waiter: EventUse) -> bool:
        """`wait(); clear()` once, with no `clear()` above: what was set before counts."""
        same = [use for use in self.uses if use.function is waiter.function and use.place == waiter.place]
        clears = [use.call.id for use in same if use.method == "clear"]
        others = any(use.method not in ("wait", "clear") for use in same)
        after = bool(clears) and min(clears) > waiter.call.id
        return after and not others and not loops_around(waiter.function).get(waiter.call.id)

    def _of(self, waiter: EventUse) -> Iterator[KeptSignal]:
        effects = self.program.effects.of(waiter.function)
        for branch, left in self._returns_before(waiter):
            asked = {*branch.deps, branch.call}
            looks = [effect for effect in effects if effect.event in asked and not effect.access.changes]
            again = {effect.access.location for effect in effects if effect.event > waiter.call.id}
            for look in looks:
                if look.access.location not in again:
                    for setter, change in self._told(waiter, look, branch):
                        yield KeptSignal(waiter, look, left, setter, change)

    @staticmethod
    def _returns_before(waiter: EventUse) -> Iterator[tuple[Branch, Return]]:
        """The branches above the wait, in the blocks around it, that end the function instead."""
        for place in place_of(waiter.function, waiter.call.id):
            for node in place.block[: place.position]:
                for arm in (node.then, node.orelse) if isinstance(node, Branch) else ():
                    if arm and isinstance(arm[-1], Return):
                        assert isinstance(node, Branch)
                        yield node, arm[-1]

    def _told(self, waiter: EventUse, look: Effect, branch: Branch) -> Iterator[tuple[EventUse, Effect]]:
        """Who sets the event after changing what was looked at, in another thread."""
        for setter in self.uses:
            if setter.method != "set" or setter.place != waiter.place or setter.function is waiter.function:
                continue
            if self._waits_to_be_asked(setter, waiter, look, branch):
                continue
            for change in self.program.effects.of(setter.function):
                same = change.access.changes and change.access.location == look.access.location
                if (
                    same
                    and change.event < setter.call.id
                    and self.program.suspects.races.may_meet(look.access, change.access)
                ):
                    yield setter, change

    def _waits_to_be_asked(self, setter: EventUse, waiter: EventUse, look: Effect, branch: Branch) -> bool:
        """Whether the event is set for those alone that say, past the look and its branch, that they wait."""
        around = [node for node in enclosing(place_of(setter.function, setter.call.id)) if isinstance(node, Branch)]
        events = {event for node in around for event in (*node.deps, node.call)}
        effects = self.program.effects.of(setter.function)
        asked = {effect.access.location for effect in effects if effect.event in events}
        later = (e for e in self.program.effects.of(waiter.function) if look.event < e.event < waiter.call.id)
        said = (effect for effect in later if effect.access.changes and effect.access.location in asked)
        return any(not contains(branch, effect.event) for effect in said)
