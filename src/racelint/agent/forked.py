"""Forks of the scenario's own, played in place: from then on the process is the child, which has one thread.

A child's memory is its parent's at the fork, so that nothing has to be copied: the other threads are gone for ever, and
the locks that they hold stay held; the process id is another, and the handlers for forks are called.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from .control import Control
from .shim import reset_threading
from .tasks import BLOCKED, DONE, NEVER, READY

BECOME_CHILD = "become_child"
"""What an operation calls to fork."""

Handler = Callable[[], Any]


class Handlers(NamedTuple):
    """What one call of `os.register_at_fork` asks for; nobody goes on as the parent."""

    before: Handler | None
    after_in_child: Handler | None


class Forked:
    """Stands in for what `os` knows of forks. Handlers are forgotten together with the objects that registered them."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._handlers: list[Handlers] = []
        self._imported = 0
        self._is_child = False
        self._pid = os.getpid()
        control.forked = self
        control.on_reset.append(self._reset)
        os.getpid = self._getpid
        os.register_at_fork = self._register

    def become_child(self) -> None:
        """Fork, and go on as the child."""
        for handlers in reversed(self._handlers):
            if handlers.before is not None:
                handlers.before()
        self._leave_others()
        self._is_child = True
        self._tell_threading()
        for handlers in self._handlers:
            if handlers.after_in_child is not None:
                handlers.after_in_child()

    def is_imported(self) -> None:
        """What is registered from now on is of one execution alone."""
        self._imported = len(self._handlers)

    def forget(self) -> None:
        """The code is imported anew, and registers again what it did."""
        self._handlers.clear()
        self._imported = 0

    def _leave_others(self) -> None:
        control = self._control
        control.depend(control.current)
        for task in control.tasks:
            if task is control.current or task.state == DONE:
                continue
            control.waiting += task.state == READY
            task.state, task.lock, task.deadline, task.daemon = BLOCKED, NEVER, None, True
            if task.awaited:
                task.awaited = False
                control.awaited -= 1
        control.changed()

    def _tell_threading(self) -> None:
        """The library's own handler, which was there before this class: its threads are dead in the child."""
        threading: Any = sys.modules["threading"]
        main = threading._main_thread

        def undo() -> None:
            threading._main_thread = main
            reset_threading(threading)

        self._control.undo.append(undo)
        threading._after_fork()

    def _register(
        self,
        *,
        before: Handler | None = None,
        after_in_parent: Handler | None = None,
        after_in_child: Handler | None = None,
    ) -> None:
        self._handlers.append(Handlers(before, after_in_child))

    def _getpid(self) -> int:
        return self._pid + self._is_child

    def _reset(self) -> None:
        self._is_child = False
        del self._handlers[self._imported :]
