"""An event loop under control: each task has a controlled thread, which runs the task's steps and waits in between.

One step runs at a time, as on any loop; which task goes on after it is a choice of the schedule. The loop has the
library's own tasks, futures and locks, its clock is virtual, and there is no network. Like a real loop it sleeps when
nothing is ready, and does not see what another thread puts there unless that wakes it up.
"""

from __future__ import annotations

import asyncio
from asyncio import base_events, events, futures, tasks
from collections.abc import Callable, Coroutine
from typing import Any

from .control import Control
from .execution import TAKEN
from .tasks import Abort, Task


class Loops:
    """The loops of one process, used again in every execution: what the target keeps may be bound to one."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._made: list[ControlledLoop] = []
        self._used = 0
        control.on_reset.append(self._reset)

    def new(self) -> ControlledLoop:
        if self._used == len(self._made):
            self._made.append(ControlledLoop(self._control))
        self._used += 1
        return self._made[self._used - 1]

    def run_task(self, work: Any) -> Any:
        """Run a coroutine, or call a function, in a task of the loop that all operations of a scenario share."""
        if not self._used:
            self.new()
        return self._made[0].drive(_called(work) if callable(work) else work)

    def _reset(self) -> None:
        """As new; tasks of the last execution would be found by those who ask for all tasks."""
        for loop in self._made:
            loop.reset()
        for name in ("_all_tasks", "_scheduled_tasks", "_eager_tasks", "_current_tasks"):
            known = getattr(tasks, name, None)
            if known is not None:
                known.clear()
        self._used = 0


async def _called(function: Callable[[], Any]) -> Any:
    answer = function()
    return await answer if asyncio.iscoroutine(answer) else answer


class Gate:
    """What the thread of a task waits at: open once `done`, or for something to run while no other runs a step."""

    def __init__(self, loop: ControlledLoop, task: Task, done: Callable[[], bool]) -> None:
        self.loop = loop
        self.task = task
        self.done = done

    @property
    def is_locked(self) -> bool:
        return self.loop.inside is not None or not (self.done() or self.loop.has_work(self.task))

    @property
    def owner(self) -> Task | None:
        """Who is inside of a step: what stops it there stops the loop."""
        return self.loop.inside


class ControlledLoop(base_events.BaseEventLoop):
    """Keeps the library's queue of ready handles; `drive` and `serve` take the place of its endless turn."""

    def __init__(self, control: Control) -> None:
        self.drivers: dict[Task, Callable[[], bool]] = {}
        super().__init__()
        self.control = control
        self.lanes: dict[Any, Task] = {}
        """By task, the controlled thread that runs its steps."""
        self.reset()

    def reset(self) -> None:
        """As new."""
        self._ready: Any = []
        self._scheduled: Any = []
        self._closed = False
        self._default_executor = None
        self._asyncgens_shutdown_called = self._executor_shutdown_called = False
        self._stopping = False
        self.lanes.clear()
        self.inside: Task | None = None
        self.awake = True
        self.drivers.clear()
        self.timers: dict[int, list[Any]] = {}

    # Running

    def drive(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run the coroutine as a task whose steps the running thread makes; its result."""
        task = super().create_task(coroutine)
        self.lanes[task] = self.control.current
        self.serve(task.done)
        return task.result()

    def serve(self, done: Callable[[], bool]) -> None:
        """Take part in the loop until `done`."""
        me, outer = self.control.current, events._get_running_loop()
        self.drivers[me] = done
        self.awake = True
        events._set_running_loop(self)
        gate = Gate(self, me, done)
        try:
            while not done():
                self._wait(gate)
                self._run_ready(me)
        finally:
            del self.drivers[me]
            events._set_running_loop(outer)

    def run_until_complete(self, future: Any) -> Any:
        self._refuse_if_closed()
        if not futures.isfuture(future):
            return self.drive(future)
        self.serve(future.done)
        return future.result()

    def run_forever(self) -> None:
        self._refuse_if_closed()
        self.serve(lambda: self._stopping)
        self._stopping = False

    def is_running(self) -> bool:
        return any(not done() for done in self.drivers.values())

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")

    def stop(self) -> None:
        self._stopping = True
        self.awake = True
        self.control.changed()

    def has_work(self, task: Task) -> bool:
        """Whether a thread may run something now: what is its own, or what is nobody's."""
        return self.awake and any(self._owner(handle) in (task, None) for handle in self._ready)

    def _wait(self, gate: Gate) -> None:
        """Until there is something to run for the thread of the gate, or its next timer is due."""
        if not self._ready:
            self.awake = False
        control, task = self.control, gate.task
        timers = [timer for timer in self.timers.get(task.index, ()) if not timer.cancelled()]
        due = min((timer.when() for timer in timers), default=None)
        if due is not None and gate.is_locked:
            rest = max(0.0, due - self.time())
            if task.in_region or control.policy.awaits_are_instant:
                control.clock += rest
            elif control.block(gate, rest):
                return
            self._fire(timers, task)
            return
        control.block(gate)

    def _fire(self, timers: list[Any], task: Task) -> None:
        now = self.time()
        self.timers[task.index] = [timer for timer in timers if timer.when() > now]
        self._ready.extend(timer for timer in timers if timer.when() <= now)
        self.awake = True
        self.control.changed()

    def _run_ready(self, me: Task) -> None:
        """One step of the running thread's task, and the callbacks before and after it."""
        if self.inside is not None:
            return
        self.inside = me
        self.control.changed()
        self.control.events.append((me.index, TAKEN, self))
        try:
            self._run_callbacks()
            for handle in self._ready:
                if self._owner(handle) is me:
                    self._ready.remove(handle)
                    self._run(handle)
                    break
            self._run_callbacks()
        finally:
            self.inside = None
            self.control.changed()

    def _run_callbacks(self) -> None:
        while True:
            handle = next((handle for handle in self._ready if self._owner(handle) is None), None)
            if handle is None:
                return
            self._ready.remove(handle)
            self._run(handle)

    def _run(self, handle: Any) -> None:
        if handle.cancelled():
            return
        try:
            handle._context.run(handle._callback, *handle._args)
        except (SystemExit, KeyboardInterrupt, Abort):
            raise
        except BaseException as error:
            self.call_exception_handler({"exception": error})

    def _owner(self, handle: Any) -> Task | None:
        """The thread that runs a handle: that of its task, None for what is no step of a task."""
        return self.lanes.get(getattr(handle._callback, "__self__", None))

    # What the library calls

    def create_task(self, coro: Any, **options: Any) -> Any:
        task = super().create_task(coro, **options)
        label = getattr(coro, "__qualname__", "task").rpartition(".")[2]
        self.lanes[task] = self.control.spawn(lambda: self.serve(task.done), label, daemon=True)
        return task

    def _call_soon(self, callback: Any, args: Any, context: Any) -> Any:
        handle = super()._call_soon(callback, args, context)  # type: ignore[misc]
        if self.control.current in self.drivers or not self.drivers:
            self.awake = True
        self.control.changed()
        return handle

    def _write_to_self(self) -> None:
        self.awake = True
        self.control.changed()

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        timer = super().call_at(when, callback, *args, context=context)
        self.timers.setdefault(self.control.current.index, []).append(timer)
        return timer

    def call_exception_handler(self, context: Any) -> None:
        """The library would write a log."""

    def _process_events(self, event_list: Any) -> None:
        """There are no events of files."""

    def __del__(self) -> None:
        """The library would warn of a loop that is not closed."""


def install(control: Control) -> None:
    """From now on `asyncio` makes loops under control."""
    loops = Loops(control)
    for name in ("BaseDefaultEventLoopPolicy", "_BaseDefaultEventLoopPolicy"):
        policy = getattr(events, name, None)
        if policy is not None:
            policy.new_event_loop = lambda self: loops.new()
    for module in (asyncio, events):
        vars(module)["new_event_loop"] = loops.new
    control.run_task = loops.run_task
