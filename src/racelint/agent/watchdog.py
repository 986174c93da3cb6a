"""Sees from outside when the target blocks for real, where the controller can do nothing, and answers for it."""

from __future__ import annotations

import _thread
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from .answer import Answer, answer_of
from .control import Control

PERIOD = 0.2
STALL = 5.0
FIRST_STALL = 20.0
IMPORTING = 11.0
"""Seconds beside the budget, in which a large package is imported twice."""


class Watchdog:
    """A real thread; it ends the process with an answer if nothing moves for some seconds or time is long over."""

    def __init__(self, control: Control, job: dict[str, Any], write: Callable[[Answer], None]) -> None:
        self.control = control
        self.write = write
        self.search: Any = None
        # Taken now: the shim replaces both modules.
        self._start = _thread.start_new_thread
        self._sleep = time.sleep
        self._now = time.monotonic
        self._main = _thread.get_ident()
        self.deadline = float("inf")
        self.allow(job["budget"]["seconds"] + IMPORTING)

    def allow(self, seconds: float) -> None:
        """Give what runs from now on so many seconds."""
        self.deadline = self._now() + seconds

    def start(self) -> None:
        self._start(self._watch, ())

    def _watch(self) -> None:
        moved = self._now()
        last = (-1, -1)
        while True:
            self._sleep(PERIOD)
            now = self._now()
            reached = (self.control.executions, self.control.steps)
            if reached != last:
                last, moved = reached, now
            executed = self.search.schedules if self.search is not None else 0
            if now - moved > (STALL if executed > 1 else FIRST_STALL):
                self._answer("unsupported", f"it blocks outside the controller's reach{self._where()}", executed)
            if now > self.deadline:
                self._answer("inconclusive", "the time ended within one execution", executed)

    def _where(self) -> str:
        for frame in sys._current_frames().values():
            current: Any = frame
            while current is not None:
                path = current.f_code.co_filename
                if self.search is not None and any(site.path == path for site in self.search.table.sites):
                    return f", at {path}:{current.f_lineno}"
                current = current.f_back
        return ""

    def _answer(self, status: str, reason: str, executed: int) -> None:
        try:
            self.write(answer_of(status=status, reason=reason, schedules_run=executed))
        finally:
            os._exit(0)
