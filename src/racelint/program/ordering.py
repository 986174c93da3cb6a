"""What certainly happens before a thread starts or after it was joined."""

from __future__ import annotations

from racelint.program.reach import Context
from racelint.program.roots import ThreadRoot, loops_around


class Ordering:
    """Answers whether an event of the program's own thread can overlap with a root."""

    def __init__(self) -> None:
        self._loops: dict[str, dict[int, tuple[int, ...]]] = {}

    def may_overlap(self, root: ThreadRoot, context: Context, event: int) -> bool:
        """False where, in every run, `event` of `context` comes before the start or after the join of `root`."""
        if not root.starts:
            return True
        at = event
        for frame in reversed(context.chain()):
            if self._outside(root, frame, at):
                return False
            at = frame.site
        return True

    def _outside(self, root: ThreadRoot, frame: Context, event: int) -> bool:
        starts = [number for function, number in root.starts if function is frame.function]
        joins = [number for function, number in root.joins if function is frame.function]
        started_here = len(starts) == len(root.starts)
        if starts and started_here and event < min(starts) and not self._share_a_loop(frame, event, starts):
            return True
        return bool(joins) and event > max(joins) and not self._share_a_loop(frame, event, starts)

    def _share_a_loop(self, frame: Context, event: int, others: list[int]) -> bool:
        if frame.function.id not in self._loops:
            around = loops_around(frame.function)
            self._loops[frame.function.id] = {number: tuple(id(x) for x in loops) for number, loops in around.items()}
        loops = self._loops[frame.function.id]
        mine = set(loops.get(event, ()))
        return any(mine & set(loops.get(other, ())) for other in others)
