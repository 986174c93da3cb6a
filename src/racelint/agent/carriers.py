"""What carries a controlled thread: a greenlet where the target has it, else an OS thread with one raw lock.

Both are pooled: to begin a greenlet costs some 8 µs (CPython maps a stack for it), to switch to an idle one 0.2 µs.
One raw lock a thread, never one shared condition: waking every thread at each switch is what makes other tools slow.
OS threads stay on one processor (`one_processor`): to wake another one for every switch takes longer than the switch.
"""

from __future__ import annotations

import _thread
import contextlib
import os
from collections.abc import Callable
from typing import Any, Protocol

PROCESSOR = 36
"""Where `/proc/self/stat` says which processor the process runs on, counted from behind the name."""


class Carrier(Protocol):
    """Runs controlled threads as coroutines: `launch` makes one ready, `switch` leaves the running one for another.

    `run` is set by the controller: it runs a thread to its end on a handle, and returns the handle to go on with.
    `shares`: where one has ended, the next may begin on the same handle, and C code cannot tell.
    """

    name: str
    shares: bool
    run: Callable[[Any, Any], Any]

    def adopt(self) -> Any:
        """The handle of the thread that calls."""

    def launch(self, task: Any) -> Any:
        """Give `task` a handle that runs it when first switched to, and return that."""

    def switch(self, there: Any, here: Any, /) -> Any:
        """Stop `here` and go on with `there`; returns when something switches back."""


class GreenletCarrier:
    """Greenlets."""

    name = "greenlet"
    shares = True

    def __init__(self) -> None:
        import greenlet  # type: ignore[import-untyped, unused-ignore]

        class Host(greenlet.greenlet):  # type: ignore[misc, unused-ignore]
            __slots__ = ("task",)

        self.run: Callable[[Any, Any], Any] = _nobody
        self.adopt: Callable[[], Any] = greenlet.getcurrent
        # The C function itself: what is handed to `there`, `here`, is of no use to it, and does no harm.
        self.switch: Callable[[Any, Any], Any] = greenlet.greenlet.switch
        self._host: Any = Host
        self._idle: list[Any] = []

    def launch(self, task: Any) -> Any:
        task.handle = host = self._idle.pop() if self._idle else self._host(self._serve)
        host.task = task
        return host

    def _serve(self, _: Any) -> None:
        host, idle, run, switch = self.adopt(), self._idle, self.run, self.switch
        while True:
            # Neither keeps the task: the target finalises what it holds, which must not happen in a switch.
            task, host.task = host.task, None
            there = run(task, host)
            task = None
            idle.append(host)
            switch(there, host)


class _Worker:
    """A pooled OS thread: waits at its gate for a task to run."""

    __slots__ = ("gate", "task")

    def __init__(self) -> None:
        self.gate = _thread.allocate_lock()
        self.gate.acquire()  # racelint: ignore[RL201] a baton: released by whoever hands over
        self.task: Any = None


class ThreadCarrier:
    """OS threads: a switch costs 2.5 to 6 µs."""

    name = "threads"
    shares = False

    def __init__(self) -> None:
        self.run: Callable[[Any, Any], Any] = _nobody
        self._idle: list[_Worker] = []
        self._is_alone = False
        self._start = _thread.start_new_thread

    def adopt(self) -> Any:
        return _Worker()

    def launch(self, task: Any) -> Any:
        if self._idle:
            worker = self._idle.pop()
        else:
            if not self._is_alone:
                self._is_alone = True
                one_processor()
            worker = _Worker()
            self._start(self._serve, (worker,))
        worker.task = task
        task.handle = worker
        return worker

    def _serve(self, worker: _Worker) -> None:
        while True:
            worker.gate.acquire()  # racelint: ignore[RL201] a baton: released by whoever hands over
            # As with greenlets, nothing of it is kept.
            task, worker.task = worker.task, None
            there = self.run(task, worker)
            task = None
            self._idle.append(worker)
            there.gate.release()

    def switch(self, there: Any, here: Any) -> None:
        there.gate.release()
        here.gate.acquire()


def one_processor() -> None:
    """Keep the calling thread, and those that it starts, on the processor that it runs on: no two run at a time.

    As batch work, a thread that is woken waits until the one that woke it waits, and finds the GIL free. The target
    sees as many processors as ever.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    everywhere, found = os.sched_getaffinity, os.sched_getaffinity(0)
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/stat") as file:
            running_on = int(file.read().rpartition(")")[2].split()[PROCESSOR])
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        os.sched_setaffinity(0, {running_on})
        os.sched_getaffinity = lambda process: found if process in (0, os.getpid()) else everywhere(process)


def _nobody(task: Any, handle: Any) -> Any:
    raise NotImplementedError


def best_carrier(prefer: str = "") -> Carrier:
    """Greenlets if they can be imported and `prefer` is not "threads"."""
    if prefer != "threads":
        try:
            return GreenletCarrier()
        except ImportError:
            pass
    return ThreadCarrier()
