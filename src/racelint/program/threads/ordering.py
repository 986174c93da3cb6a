"""What certainly happens before a thread starts or after it was joined."""

from __future__ import annotations

from racelint.program.flow.values import Stores
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.threads.context import Context


class Ordering:
    """Answers whether an event of the program's own thread can overlap with a root."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._loops: dict[str, dict[int, tuple[int, ...]]] = {}

    def may_overlap(self, root: ThreadRoot, context: Context, event: int) -> bool:
        """False where, in every run, `event` of `context` comes before the start or after the join of `root`."""
        if any(self._precedes_start(root, function, at) for function, at in context.outwards(event)):
            return False
        if not root.starts:
            return True
        return not any(self._outside(root, function, at) for function, at in context.outwards(event))

    def _precedes_start(self, root: ThreadRoot, function: FunctionInfo, event: int) -> bool:
        """In a `start` of the thread's class, before that calls the one that it overrides."""
        if root.cls is None or function.ir.name != "start" or function.cls not in root.cls.mro:
            return False
        starts = [call.id for call in self.stores.facts[function.id].calls if call.func and call.func[0][-1] == "start"]
        return bool(starts) and event < min(starts)

    def _outside(self, root: ThreadRoot, function: FunctionInfo, event: int) -> bool:
        starts = [number for starter, number in root.starts if starter is function]
        joins = [number for joiner, number in root.joins if joiner is function]
        if self._in_one_turn(function, event, starts, joins):
            return event < min(starts) or event > max(joins)
        if root.left >= 0 and root.site_function is function:
            joins.append(root.left)
        started_here = len(starts) == len(root.starts)
        if starts and started_here and event < min(starts) and not self._share_a_loop(function, event, starts):
            return True
        return bool(joins) and event > max(joins) and not self._share_a_loop(function, event, starts)

    def _in_one_turn(self, function: FunctionInfo, event: int, starts: list[int], joins: list[int]) -> bool:
        """Started and joined in each turn of the loop that the event stands in."""
        if not starts or not joins:
            return False
        loops = self._around(function)
        around = {loops.get(number, ()) for number in (*starts, *joins)}
        common = around.pop() if len(around) == 1 else ()
        return bool(common) and loops.get(event, ())[: len(common)] == common

    def _around(self, function: FunctionInfo) -> dict[int, tuple[int, ...]]:
        if function.id not in self._loops:
            around = loops_around(function)
            self._loops[function.id] = {number: tuple(id(x) for x in loops) for number, loops in around.items()}
        return self._loops[function.id]

    def _share_a_loop(self, function: FunctionInfo, event: int, others: list[int]) -> bool:
        loops = self._around(function)
        mine = set(loops.get(event, ()))
        return any(mine & set(loops.get(other, ())) for other in others)
