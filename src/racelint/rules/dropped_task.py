"""RL705 dropped-task."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.coroutines.dropped_tasks import dropped_tasks
from racelint.program.objects.spelling import spelled_call
from racelint.rules.base import Rule


class DroppedTask(Rule):
    """A task is started and nobody keeps it.

    ## What it does
    Reports `asyncio.create_task`, `asyncio.ensure_future` and `loop.create_task` whose answer is thrown away, or bound
    to a local name that nothing uses.

    ## Why is this bad?
    The event loop holds its tasks by weak references alone. A task that nobody keeps may be collected in the middle of
    its work, and an exception that it raises is seen by nobody.

    ## Example
    ```python
    import asyncio


    async def handle(request, log):
        asyncio.create_task(log.write(request))  # RL705
        return "ok"
    ```

    ## Use instead
    ```python
    import asyncio

    background = set()


    async def handle(request, log):
        task = asyncio.create_task(log.write(request))
        background.add(task)
        task.add_done_callback(background.discard)
        return "ok"
    ```

    ## How it is confirmed
    By definition: whether the collector comes in time is not a matter of the schedule.

    ## Known limits
    A task that is given a callback counts as kept.
    """

    code = "RL705"
    name = "dropped-task"
    since = "0.1.0"
    severity = "warning"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for dropped in dropped_tasks(program):
            name = spelled_call(dropped.call, program.stores.facts[dropped.function.id])
            lost = "is bound to a name that nothing uses" if dropped.bound else "is thrown away"
            yield self.finding(
                dropped.function,
                dropped.call.span,
                message=f"the task that `{name}` starts {lost}",
                why="the event loop keeps only a weak reference: the task may vanish before it is done"
                ", and its exception is never seen",
                subject=name,
            )
