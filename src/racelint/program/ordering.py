"""What certainly happens before a thread starts or after it was joined."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.program.reach import Context
from racelint.program.thread_root import ThreadRoot, loops_around
from racelint.program.values import Stores


class Ordering:
    """Answers whether an event of the program's own thread can overlap with a root."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._loops: dict[str, dict[int, tuple[int, ...]]] = {}

    def may_overlap(self, root: ThreadRoot, context: Context, event: int) -> bool:
        """False where, in every run, `event` of `context` comes before the start or after the join of `root`."""
        if any(self._precedes_start(root, frame, at) for frame, at in _frames(context, event)):
            return False
        if not root.starts:
            return True
        return not any(self._outside(root, frame, at) for frame, at in _frames(context, event))

    def _precedes_start(self, root: ThreadRoot, frame: Context, event: int) -> bool:
        """In a `start` of the thread's class, before that calls the one that it overrides."""
        function = frame.function
        if root.cls is None or function.ir.name != "start" or function.cls not in root.cls.mro:
            return False
        starts = [call.id for call in self.stores.facts[function.id].calls if call.func and call.func[0][-1] == "start"]
        return bool(starts) and event < min(starts)

    def _outside(self, root: ThreadRoot, frame: Context, event: int) -> bool:
        starts = [number for function, number in root.starts if function is frame.function]
        joins = [number for function, number in root.joins if function is frame.function]
        if self._in_one_turn(frame, event, starts, joins):
            return event < min(starts) or event > max(joins)
        if root.left >= 0 and root.site_function is frame.function:
            joins.append(root.left)
        started_here = len(starts) == len(root.starts)
        if starts and started_here and event < min(starts) and not self._share_a_loop(frame, event, starts):
            return True
        return bool(joins) and event > max(joins) and not self._share_a_loop(frame, event, starts)

    def _in_one_turn(self, frame: Context, event: int, starts: list[int], joins: list[int]) -> bool:
        """Started and joined in each turn of the loop that the event stands in."""
        if not starts or not joins:
            return False
        loops = self._around(frame)
        around = {loops.get(number, ()) for number in (*starts, *joins)}
        common = around.pop() if len(around) == 1 else ()
        return bool(common) and loops.get(event, ())[: len(common)] == common

    def _around(self, frame: Context) -> dict[int, tuple[int, ...]]:
        if frame.function.id not in self._loops:
            around = loops_around(frame.function)
            self._loops[frame.function.id] = {number: tuple(id(x) for x in loops) for number, loops in around.items()}
        return self._loops[frame.function.id]

    def _share_a_loop(self, frame: Context, event: int, others: list[int]) -> bool:
        loops = self._around(frame)
        mine = set(loops.get(event, ()))
        return any(mine & set(loops.get(other, ())) for other in others)


def _frames(context: Context, event: int) -> Iterator[tuple[Context, int]]:
    """The function in which the event is and those that called it, each with the event or call in it."""
    at = event
    for frame in reversed(context.chain()):
        yield frame, at
        at = frame.site
