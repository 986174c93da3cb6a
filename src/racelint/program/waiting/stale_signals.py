"""Events that are set on the strength of state that another thread changes when it clears them.

`if not self.jobs: self.idle.set()` in one thread, `self.idle.clear()` / `self.jobs.append(job)` in another: a job that
comes between the look and the `set()` is there, and the event says that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Branch
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linker import Program
from racelint.program.sharing.effects import Effect
from racelint.program.sharing.ownership import makes_self
from racelint.program.waiting.event_races import LOOKS, EventUse


class StaleSignal(msgspec.Struct, frozen=True):
    """`setter` sets the event because of `look`; `clear` belongs to `change` of the same; `waiter` believes it."""

    setter: EventUse
    look: Effect
    clear: EventUse
    change: Effect
    waiter: EventUse


class StaleSignals:
    """All of a program, by what it does with its events."""

    def __init__(self, program: Program, uses: dict[str, list[EventUse]]) -> None:
        self.program = program
        self.uses = [use for of_function in uses.values() for use in of_function if not use.function.ir.is_async]

    def found(self) -> Iterator[StaleSignal]:
        """In source order, one for each `set()`."""
        for setter in self.uses:
            if setter.method == "set" and not makes_self(setter.function):
                looks = self._looks(setter)
                if looks:
                    yield from list(self._of(setter, looks))[:1]

    def _looks(self, setter: EventUse) -> list[Effect]:
        """The reads by which the nearest branch around decides, if the event is not among what is asked."""
        around = [node for node in enclosing(place_of(setter.function, setter.call.id)) if isinstance(node, Branch)]
        events = {*around[-1].deps, around[-1].call} if around else set()
        asks = any(use.place == setter.place and use.call.id in events for use in self.uses)
        effects = self.program.effects.of(setter.function) if events and not asks else ()
        return [effect for effect in effects if effect.event in events and not effect.access.changes]

    def _of(self, setter: EventUse, looks: list[Effect]) -> Iterator[StaleSignal]:
        places = {look.access.location.container() for look in looks}
        waiter = next((use for use in self.uses if use.place == setter.place and self._believes(use, looks)), None)
        for clear in self.uses if waiter is not None else ():
            other = clear.method == "clear" and clear.place == setter.place and clear.function is not setter.function
            if not other or makes_self(clear.function):
                continue
            for change in self.program.effects.of(clear.function):
                if change.access.changes and change.access.location.container() in places:
                    for look in looks:
                        if waiter is not None and self.program.suspects.races.may_meet(look.access, change.access):
                            yield StaleSignal(setter, look, clear, change, waiter)

    def _believes(self, use: EventUse, looks: list[Effect]) -> bool:
        """Whether the function goes by the event alone, without a look of its own at what it stands for."""
        places = {look.access.location.container() for look in looks}
        own = self.program.effects.of(use.function) if use.method in LOOKS else ()
        return use.method in LOOKS and not any(effect.access.location.container() in places for effect in own)
