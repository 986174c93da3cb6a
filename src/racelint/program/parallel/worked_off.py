"""Queues whose `join` waits for what threads do between the `get` of an element and `task_done`."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.knowledge.threads import LOCKED_QUEUES
from racelint.model.summary import Branch, Call, Path
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.objects.things import Object
from racelint.program.threads.context import Context


class WorkedOff:
    """Answers for what a thread does and what the function that starts it does after its queue is worked off."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._waits: dict[str, tuple[tuple[int, Path], ...]] = {}
        """By function: where it waits for a queue that it has made, and the queue's path."""

    def precedes(self, mine: Context, event: int, other: Context, later: int) -> bool:
        """Whether a thread does `event` with an element whose end `other` has waited for before it comes to `later`."""
        root = mine.root
        if root is None or root.site_function is None or other.root is root:
            return False
        waits = self._waits_of(root.site_function)
        at = _within(mine, event, root.target) if waits else None
        after = _within(other, later, root.site_function) if at is not None else None
        return (
            at is not None
            and after is not None
            and any(
                self._is_over(root, join, queue, after) and self._is_work_on(root, queue, at) for join, queue in waits
            )
        )

    def _waits_of(self, function: FunctionInfo) -> tuple[tuple[int, Path], ...]:
        known = self._waits.get(function.id)
        if known is None:
            found = self._calls(function, "join")
            known = self._waits[function.id] = tuple(
                (call.id, path) for call, path in found if len(path) == 1 and path[0].startswith(("c:", "f:"))
            )
        return known

    def _calls(self, function: FunctionInfo, *names: str) -> Iterator[tuple[Call, Path]]:
        """The calls of these methods of queues, and the queues' paths."""
        for call in self.program.stores.facts[function.id].calls:
            path = call.func[0] if call.func else ()
            if len(path) > 1 and path[-1] in names:
                things = self.program.types.of(path[:-1], function)
                if any(isinstance(thing, Object) and thing.dotted in LOCKED_QUEUES for thing in things):
                    yield call, path[:-1]

    def _is_over(self, root: ThreadRoot, join: int, queue: Path, after: int) -> bool:
        """Where the thread is started its queue is waited for, and nothing is put there between that and `after`."""
        starter = root.site_function
        assert starter is not None
        around = loops_around(starter)
        loops = around.get(join, [])
        if join > after or around.get(after, [])[: len(loops)] != loops:
            return False
        if any(call.id > join and path == queue for call, path in self._calls(starter, "put", "put_nowait")):
            return False
        decided = [node for node in enclosing(place_of(starter, join)) if isinstance(node, Branch)]
        starts = [enclosing(place_of(starter, event)) for function, event in root.starts if function is starter]
        return len(starts) == len(root.starts) > 0 and all(node in nodes for node in decided for nodes in starts)

    def _is_work_on(self, root: ThreadRoot, queue: Path, event: int) -> bool:
        """Whether the thread's function does it after it took an element and before it says that this is done."""
        target = root.target
        around = loops_around(target)

        def are_of_queue(*names: str) -> list[int]:
            named = self._calls(target, *names)
            return [call.id for call, path in named if queue in (path, *root.bindings.get(path[0][2:], ()))]

        took = [call for call in are_of_queue("get", "get_nowait") if call < event]
        done = [call for call in are_of_queue("task_done") if call > event]
        turn = around.get(took[-1], []) if took else []
        return bool(took and done) and all(around.get(call, [])[: len(turn)] == turn for call in (event, *done[:1]))


def _within(context: Context, event: int, function: FunctionInfo) -> int | None:
    """The event of the function in which the context's event happens."""
    return next((at for around, at in context.outwards(event) if around is function), None)
