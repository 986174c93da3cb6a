"""What carries a controlled thread: a greenlet where the target has it, else a pooled OS thread with one raw lock.

One raw lock a thread, never one shared condition: waking every thread at each switch is what makes other tools slow.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable
from typing import Any, Protocol


class Carrier(Protocol):
    """Runs bodies as coroutines: `launch` makes one ready, `switch` leaves the running one for another."""

    name: str

    def adopt(self) -> Any:
        """The handle of the thread that calls."""

    def launch(self, body: Callable[[], Any]) -> Any:
        """A handle that runs `body` when first switched to; `body` returns the handle to go on with at its end."""

    def switch(self, here: Any, there: Any) -> None:
        """Stop `here` and go on with `there`; returns when something switches back."""


class GreenletCarrier:
    """Greenlets: a switch costs some 300 ns."""

    name = "greenlet"

    def __init__(self) -> None:
        import greenlet  # type: ignore[import-untyped, unused-ignore]

        self._greenlet: Any = greenlet.greenlet
        self._current: Callable[[], Any] = greenlet.getcurrent

    def adopt(self) -> Any:
        return self._current()

    def launch(self, body: Callable[[], Any]) -> Any:
        def run(*_ignored: Any) -> None:
            # A greenlet that returns goes on in its parent.
            there = body()
            current = self._current()
            if current.parent is not there:
                current.parent = there

        return self._greenlet(run)

    def switch(self, here: Any, there: Any) -> None:
        there.switch()


class _Worker:
    """A pooled OS thread: waits at its gate for a body to run."""

    __slots__ = ("body", "gate")

    def __init__(self) -> None:
        self.gate = _thread.allocate_lock()
        self.gate.acquire()  # racelint: ignore[RL201] a baton: released by whoever hands over
        self.body: Callable[[], Any] | None = None


class ThreadCarrier:
    """Pooled OS threads: a switch costs some 2.5 µs."""

    name = "threads"

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        self._start = _thread.start_new_thread

    def adopt(self) -> Any:
        return _Worker()

    def launch(self, body: Callable[[], Any]) -> Any:
        if self._idle:
            worker = self._idle.pop()
        else:
            worker = _Worker()
            self._start(self._serve, (worker,))
        worker.body = body
        return worker

    def _serve(self, worker: _Worker) -> None:
        while True:
            worker.gate.acquire()  # racelint: ignore[RL201] a baton: released by whoever hands over
            assert worker.body is not None
            there = worker.body()
            worker.body = None
            self._idle.append(worker)
            there.gate.release()

    def switch(self, here: Any, there: Any) -> None:
        there.gate.release()
        here.gate.acquire()


def best_carrier(prefer: str = "") -> Carrier:
    """Greenlets if they can be imported and `prefer` is not "threads"."""
    if prefer != "threads":
        try:
            return GreenletCarrier()
        except ImportError:
            pass
    return ThreadCarrier()
