"""Callbacks that a thread calls although it may have been told to stop since it last looked.

`while True:` / `if process.poll() is not None: break` / `if stop.wait(1): return`, and then `on_exit()`: whoever stops
the thread because he ends the process himself is called back all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import AnyNode, Branch, Call, Jump, Loop, Return
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import following, place_of
from racelint.program.linked.foreign_callbacks import given_by
from racelint.program.linked.processes import closure
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.sharing.ownership import makes_self
from racelint.program.waiting.event_races import LOOKS, EventUse


class LateCallback(msgspec.Struct, frozen=True):
    """`call` runs what `giver` took as `name`, after a loop of the thread of `root` that ends otherwise at `look`."""

    root: ThreadRoot
    function: FunctionInfo
    call: Call
    giver: FunctionInfo
    name: str
    look: EventUse
    stop: EventUse


class LateCallbacks:
    """All of them, one for each loop."""

    def __init__(self, program: Program, uses: dict[str, list[EventUse]]) -> None:
        self.program = program
        self.uses = uses

    def found(self) -> Iterator[LateCallback]:
        """In the order of the threads."""
        seen: set[tuple[str, int]] = set()
        for root in self.program.roots if self.uses else ():
            run = closure(self.program, [root.target]) if root.kind == "thread" else {}
            for function in run.values():
                for late in self._of(root, function):
                    key = (function.id, late.call.id)
                    if key not in seen:
                        seen.add(key)
                        yield late

    def _of(self, root: ThreadRoot, function: FunctionInfo) -> Iterator[LateCallback]:
        looks = [use for use in self.uses.get(function.id, ()) if use.method in LOOKS]
        loops = self.program.stores.facts[function.id].loops
        for loop in loops if looks else ():
            for look in looks:
                leaving = self._leaves_at(loop, look)
                stop = self._stop(look, root) if leaving else None
                late = self._called_after(loop, look, function) if stop is not None else None
                if stop is not None and late is not None:
                    yield LateCallback(root, function, *late, look, stop)
                    return

    @staticmethod
    def _leaves_at(loop: Loop, look: EventUse) -> bool:
        """The function ends where the event is set, and before that look in the turn the loop may be left."""
        left = False
        for node in loop.body:
            if isinstance(node, Branch):
                told = node.orelse if node.negated else node.then
                if node.call == look.call.id:
                    return left and bool(told) and isinstance(told[-1], Return) and not told[-1].value
                left = left or _breaks(node.then) or _breaks(node.orelse)
        return False

    def _called_after(
        self, loop: Loop, look: EventUse, function: FunctionInfo
    ) -> tuple[Call, FunctionInfo, str] | None:
        """The first callback from outside that is called behind the loop with no other look at the event before."""
        events = [node.id for node in nodes_of(loop.body) if isinstance(node, Call)]
        for node in nodes_of(tuple(_behind(function, events[-1], loop))):
            if not isinstance(node, Call):
                continue
            if any(use.call is node and use.place == look.place for use in self.uses.get(function.id, ())):
                return None
            given = given_by(self.program, node.func[0], function) if len(node.func) == 1 else None
            if given is not None and not node.used:
                return (node, *given)
        return None

    def _stop(self, look: EventUse, root: ThreadRoot) -> EventUse | None:
        """Who sets the event, on another thread."""
        for use in (use for uses in self.uses.values() for use in uses):
            sets = use.method == "set" and use.place == look.place and not makes_self(use.function)
            if sets and self.program.reach.is_beside(root, use.function):
                return use
        return None


def _breaks(block: tuple[AnyNode, ...]) -> bool:
    return bool(block) and isinstance(block[-1], Jump) and block[-1].kind == "break"


def _behind(function: FunctionInfo, inside: int, loop: Loop) -> Iterator[AnyNode]:
    """What may run after a loop, given an event inside of it."""
    places = place_of(function, inside)
    outer = [index for index, place in enumerate(places) if place.node is loop]
    return following(places[: outer[0]]) if outer else iter(())
