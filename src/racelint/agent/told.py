"""The threads that a program starts and tells to stop, as its operation names them, and the wait for their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .control import Control
from .tasks import DONE, Task


class EndOf:
    """What a thread waits for that waits for the end of others: held by nobody, and free when all of them ended."""

    owner = None
    text = "the end of what was told to stop"

    def __init__(self, tasks: list[Task]) -> None:
        self._tasks = tasks

    @property
    def is_locked(self) -> bool:
        return any(task.state != DONE for task in self._tasks)


def helpers_of(control: Control) -> dict[str, Callable[..., Any]]:
    """What the operation is written with: the threads that were started, time for them, and the wait for their end."""

    def started_threads() -> list[Task]:
        return [task for task in control.alive if task is not control.current]

    def wait_for_the_end_of(tasks: list[Task]) -> None:
        end = EndOf(tasks)
        control.depend(control.current)
        if end.is_locked:
            control.block(end)

    named: list[Callable[..., Any]] = [started_threads, wait_for_the_end_of]
    return {"meanwhile": control.between, **{helper.__name__: helper for helper in named}}
