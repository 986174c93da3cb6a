"""The running execution as data: its threads, its clock, what happened in it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .tasks import Choice, Task, harness

STOP = 0

Event = tuple[int, int, Any]
"""Thread, site, object. In place of a site: a lock was taken, or what happens now depends on all that happened."""
TAKEN, EVERYTHING = -1, -2

NOBODY: list[Task] = []
LOADED = sys.modules


# One controlled thread runs at a time: who hands over the baton sees all that was done before.
class Execution:  # racelint: thread-confined
    """What the controller knows of one execution, and the limits of all.

    `steps` counts yield points, turns of loops and stops, and numbers the decisions of the policy; up to the step
    `alarm` it need not be asked at yield points. `on_reset` are called before every execution, `undo` once, before the
    next one. `refused`: an acquire that does not wait for ever found its lock taken. `has_contexts`: threads must not
    see each other's context variables. `executions` counts them.
    """

    # Without them the interpreter takes the slow way to each of so many fields and to all methods.
    __slots__ = (
        *("_harness", "aborting", "alarm", "alive", "awaited", "choice", "clock", "current", "events", "executions"),
        *("goal", "has_contexts", "main", "on_reset", "refused", "spin_rounds", "spun", "stale", "step_limit"),
        *("steps", "stuck", "tasks", "turned", "undo", "waiting"),
    )

    def __init__(self, handle: Any) -> None:
        self._harness = handle
        self.step_limit = 20_000
        self.executions = 0
        self.on_reset: list[Callable[[], None]] = []
        self.undo: list[Callable[[], None]] = []
        self.events: list[Event] = []
        self.stale: set[int] = set()
        self.begin()

    def begin(self) -> None:
        """Forget the last execution. Finalisers of what it used run in here, where they cannot wait."""
        self.aborting = True
        self.choice: Choice | None = None
        self.tasks: list[Task] = []
        self.alive: list[Task] = []
        self.events.clear()
        self.aborting = False
        while self.undo:
            self.undo.pop()()
        for reset in self.on_reset:
            reset()
        self.main = self.current = harness(self._harness)
        self.goal = NOBODY
        self.clock = 0.0
        self.steps = self.spin_rounds = self.waiting = self.awaited = 0
        self.alarm = self.step_limit  # the harness itself is never switched from
        self.turned = self.spun = self.refused = False
        self.stuck = ""
        self.stale.clear()
        self.executions += 1
        self.has_contexts = "contextvars" in LOADED or "decimal" in LOADED
