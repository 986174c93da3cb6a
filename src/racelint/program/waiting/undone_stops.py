"""Stop events that the thread which is to stop clears when it begins: who said stop before that is not heard.

The same goes for events that are set while the thread is to run: it sets one when it begins, and others clear it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.program.flow.walk import contains
from racelint.program.linked.processes import closure
from racelint.program.linker import Program
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.sharing.ownership import makes_self
from racelint.program.waiting.event_races import LOOKS, EventRaces, EventUse

_OPPOSITE = {"clear": "set", "set": "clear"}


class UndoneStop(msgspec.Struct, frozen=True):
    """The thread of `root` says `begin`, then looks at the event at `look` in a loop; `stop` says the opposite."""

    root: ThreadRoot
    begin: EventUse
    look: EventUse
    stop: EventUse


class UndoneStops:
    """All of them, one for each target of a thread."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.uses = EventRaces(program).by_function

    def found(self) -> Iterator[UndoneStop]:
        """In the order of the threads."""
        seen: set[str] = set()
        for root in self.program.roots:
            if root.kind == "thread" and root.target.id not in seen:
                seen.add(root.target.id)
                yield from list(self._of(root))[:1]

    def _of(self, root: ThreadRoot) -> Iterator[UndoneStop]:
        own = self.uses.get(root.target.id, [])
        run = closure(self.program, [root.target]) if own else {}
        for begin in own:
            first = all(use.place != begin.place or use.call.id >= begin.call.id for use in own)
            if begin.method not in _OPPOSITE or not first or loops_around(root.target).get(begin.call.id):
                continue
            looks = (use for name in run for use in self.uses.get(name, ()) if use.place == begin.place)
            look = next(filter(self._keeps_going, looks), None)
            stop = self._stop(root, begin)
            if look is not None and stop is not None:
                yield UndoneStop(root, begin, look, stop)

    def _keeps_going(self, use: EventUse) -> bool:
        """`while not stop.is_set():`, or `while running.is_set():`"""
        loops = self.program.stores.facts[use.function.id].loops
        return use.method in LOOKS and any(
            loop.kind == "while" and (use.call.id in loop.deps or any(contains(n, use.call.id) for n in loop.head))
            for loop in loops
        )

    def _stop(self, root: ThreadRoot, begin: EventUse) -> EventUse | None:
        """Who says the opposite on other threads; nobody if others say the same, or wait for it, and so see to that."""
        uses = [use for uses in self.uses.values() for use in uses if use.place == begin.place]
        elsewhere = [
            use for use in uses if not makes_self(use.function) and self.program.reach.is_beside(root, use.function)
        ]
        seen_to = {"clear": {"clear"}, "set": {"set", "wait"}}[begin.method]
        if any(use.method in seen_to for use in elsewhere):
            return None
        return next((use for use in elsewhere if use.method == _OPPOSITE[begin.method]), None)
