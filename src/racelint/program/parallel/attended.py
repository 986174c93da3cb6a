"""Threads that are started by who then stays at the keyboard: whoever has the object is kept there meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.knowledge.blocking import KEYBOARD
from racelint.program.flow.ways import Ways
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.threads.context import Context


class Attended:
    """`Thread(target=self.listen).start()`, then `while line := sys.stdin.readline(): self.send(line)`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[str, bool] = {}

    def keeps_from_users(self, root: ThreadRoot, other: Context) -> bool:
        """Whether users come to `other` only before the thread starts, or after the session at the keyboard.

        What that session itself calls meanwhile is not meant.
        """
        if root.id not in self._known:
            self._known[root.id] = bool(root.starts) and all(self._stays(*start) for start in root.starts)
        starters = [function for function, _ in root.starts]
        return self._known[root.id] and not any(frame.function in starters for frame in other.chain())

    def _stays(self, function: FunctionInfo, start: int) -> bool:
        """Whether the function, once it has started the thread, asks for one line after the other."""
        around = loops_around(function)
        asked = [event for event in self._asking(function) if event > start]
        ways = Ways(function, self.program.stores.facts[function.id]) if asked else None
        return ways is not None and any(
            ways.of(event).certain and len(around.get(event, ())) > len(around.get(start, ())) for event in asked
        )

    def _asking(self, function: FunctionInfo) -> Iterator[int]:
        for call in self.program.stores.facts[function.id].calls:
            things = self.program.types.of_value(call.func, function)
            if any(isinstance(thing, External) and thing.dotted in KEYBOARD for thing in things):
                yield call.id
