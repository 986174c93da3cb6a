"""Controlled threads: exactly one runs at a time, and every switch between them is a decision that can be repeated."""

from __future__ import annotations

import os
from _contextvars import Context
from collections.abc import Callable, Sequence
from typing import Any

from .carriers import Carrier
from .execution import EVERYTHING, NOBODY, Execution
from .stall import never_waits
from .tasks import (
    BLOCKED,
    DONE,
    NEVER,
    READY,
    Abort,
    Choice,
    Policy,
    Task,
    among,
    between,
    threads,
    wait_in_vain,
)

UNWINDINGS = 100
FOREVER = 3600.0
"""Seconds: who waits for more than that means to wait without end, and never sees the wait expire."""
MOST_HURRIED = 20
"""Waits of one thread that expire at once, where all are to: one that polls for ever would leave the others no time."""


# One controlled thread runs at a time: who hands over the baton sees all that was done before.
class Control(Execution):  # racelint: thread-confined
    """The one controller of the process: switches between the threads of the running execution.

    `on_stuck` sees the state in which nothing can go on. `run_task` runs a coroutine, where there are any. `forked`
    plays forks, where asked for.
    """

    __slots__ = ("_hand_over", "_shares", "carrier", "forked", "is_copy", "on_stuck", "policy", "run_task")

    def __init__(self, carrier: Carrier) -> None:
        super().__init__(carrier.adopt())
        self.carrier = carrier
        self._hand_over = carrier.switch
        self._shares = carrier.shares
        carrier.run = self._live_on
        self.policy = Policy()
        self.on_stuck: Callable[[], Any] = _ignore
        self.run_task: Callable[[Any], Any] | None = None
        self.is_copy = False
        self.forked: Any = None

    # Life of a thread

    def spawn(self, body: Callable[[], Any], label: str = "", daemon: bool = False) -> Task:
        """Create a controlled thread; it runs when it is first chosen."""
        (task,) = self.spawn_all((body,), (label,), True)
        if daemon:
            task.daemon = True
        return task

    def spawn_all(self, bodies: Sequence[Callable[[], Any]], labels: Sequence[str], fresh: bool) -> list[Task]:
        """Create a controlled thread for each body; where they are `fresh`, they say so when they have begun."""
        tasks = self.tasks
        made = threads(self.current, len(tasks), bodies, labels, fresh)
        tasks += made
        self.alive += made
        self.choice = None
        self.alarm = 0
        return made

    def _live_on(self, task: Task, handle: Any) -> Any:
        """Run the thread to its end there, then those that begin then, where they may; the handle to go on with."""
        is_harness = handle is self._harness
        while True:
            task.handle = handle
            try:
                if not self.aborting:
                    body = task.body
                    task.result = Context().run(body) if self.has_contexts else body()
            except Abort:
                pass
            except BaseException as error:
                task.error = error
            task = self._after(task)
            there = task.handle
            if there is not None:
                return there
            if not self._shares or (is_harness and not task.awaited):
                return self.carrier.launch(task)

    def _after(self, task: Task) -> Task:
        """The thread has ended: who goes on then."""
        if self.is_copy:
            os._exit(0)
        task.state = DONE
        alive = self.alive
        alive.remove(task)
        if self.spun:
            task.spinning = False
        self.choice = None
        self.alarm = 0
        for note in task.on_end:
            note()
        if task.awaited:
            self.awaited -= 1
        if self.aborting or (self.goal and not self.awaited):
            following = self.main
        elif self.waiting or not self.goal or len(alive) > 1 or self.policy.counts_stops:
            following = self._next()
            if self.waiting:
                self._end_wait(following)
        else:
            following = alive[0]
            self.alarm = self.step_limit
        self.current = following
        return following

    def started(self) -> None:
        """A new thread has begun: whether it or its parent goes on is a choice."""
        task = self.current
        if task.fresh:
            task.fresh = False
            self._leave(task)

    def stand_alone(self) -> None:
        """The process is a fork of the one that searches: only its running thread is there, and it ends with that."""
        self.is_copy = True
        self.policy = Policy()
        self.tasks = [self.current]
        self.alive = [self.current]
        self.choice = None

    # Waiting

    def block(self, lock: Any, timeout: float = -1) -> bool:
        """Wait until `lock` is free (True) or `timeout` virtual seconds have passed (False)."""
        task = self.current
        if self.aborting:
            if task is self.main:
                return True
            raise Abort
        if timeout > FOREVER:
            timeout = -1
        if timeout >= 0 and self.policy.expire_at_once and task.hurried < MOST_HURRIED:
            task.hurried += 1
            self.clock += timeout
            return False
        task.lock = lock
        self._wait(task, self.clock + timeout if timeout >= 0 else None)
        expired, task.expired = task.expired, False
        task.waited = not expired
        return not expired

    def stall(self, callee: Any, text: str) -> None:
        """Wait for ever for what `callee`, written `text`, would give; the set-up and what never waits go on."""
        if self.current is not self.main and not never_waits(callee):
            self.current.stalled = text
            self.block(NEVER)

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass; other threads may run meanwhile."""
        task = self.current
        if self.policy.sleep_is_instant or self.aborting or not self.tasks:
            self.clock += seconds
            return
        task.sleeping = True
        try:
            self._wait(task, self.clock + seconds)
        finally:
            task.sleeping = task.expired = False

    def _wait(self, task: Task, deadline: float | None) -> None:
        task.state, task.deadline = BLOCKED, deadline
        self.waiting += 1
        self.changed()
        try:
            self._leave(task)
        finally:
            task.state, task.lock, task.deadline = READY, None, None
            self.waiting -= 1
            self.changed()

    def await_all(self, goal: list[Task]) -> bool:
        """Run the controlled threads until all of `goal` ended; False if that cannot be.

        The first begins on the harness's own stack, which it has left by then: not where a fork may leave it there.
        """
        if self.is_copy:
            os._exit(0)
        self.goal, main = goal, self.main
        awaited = self.awaited
        for task in goal:
            if task.state != DONE and not task.awaited:
                task.awaited = True
                awaited += 1
        self.awaited = awaited
        if awaited:
            main.state = BLOCKED
            self.choice = None
            self.current = following = self._next()
            if self.waiting:
                self._end_wait(following)
            there, here = following.handle, main.handle
            if there is None:
                if following.awaited and self.forked is None:
                    there = self._live_on(following, here)
                else:
                    there = self.carrier.launch(following)
            if there is not here:
                hand_over = self._hand_over
                hand_over(there, here)
            main.state = READY
        self.goal = NOBODY
        return not self.stuck

    # Choices

    def choices(self) -> Choice:
        """The threads that can go on now."""
        choice = self.choice
        if choice is None:
            if self.waiting:
                choice = among([*self.alive, self.main])
            else:
                ready = self.alive.copy()
                if self.main.state == READY:
                    ready.append(self.main)
                choice = between(ready, NOBODY)
            self.choice = choice
            if not choice.several:
                self.alarm = self.step_limit
        return choice

    def changed(self) -> None:
        """Who can go on may have changed."""
        self.choice = None
        self.alarm = 0

    def depend(self, task: Task) -> None:
        """What `task` does now depends on all that happened."""
        self.events.append((task.index, EVERYTHING, None))

    def at(self, site: int, obj: Any) -> None:
        """The running thread is about to make the access at `site` of `obj`: the policy may switch."""
        self.steps = steps = self.steps + 1
        if steps > self.alarm:
            self.ask(site)
        self.events.append((self.current.index, site, obj))

    def ask(self, site: int) -> None:
        """The running thread has come to a step that the policy decides at, if others can go on."""
        task = self.current
        if task is self.main:
            return
        if self.steps > self.step_limit or self.aborting:
            self.give_up("steps")
        choice = self.choice or self.choices()
        if choice.several:
            there = self.policy.at_point(self, site, choice)
            if there is not task:
                # `switch`, spelled out.
                self.current = there
                if self.waiting:
                    self._end_wait(there)
                if self.turned and not task.spinning:
                    task.spins, task.around = 0, ()
                hand_over = self._hand_over
                hand_over(there.handle or self.carrier.launch(there), task.handle)
                if self.aborting:
                    self.current = task
                    raise Abort
        else:
            self.alarm = self.step_limit

    def between(self) -> None:
        """The running thread has done one operation of the scenario and begins the next: no step of a schedule."""
        task = self.current
        if task is not self.main and not self.aborting:
            chosen = self.policy.between(self, self.choices())
            if chosen is not task:
                self.switch(chosen)

    def give_up(self, why: str) -> None:
        """End the execution, whose limits are reached."""
        self._stall(why)
        raise Abort

    def _stall(self, why: str) -> None:
        """Nothing can go on, or nothing shall: look at the state before any thread is unwound."""
        if self.is_copy:
            os._exit(1)
        if self.stuck or self.aborting:
            return
        self.stuck = why
        if self.goal:
            running, self.current, self.aborting = self.current, self.main, True
            self.on_stuck()
            self.current = running
            self.alarm = 0

    def _leave(self, task: Task) -> None:
        following = self._next()
        if self.stuck:
            raise Abort
        self.switch(following)
        if self.stuck and task is self.main:
            raise Abort

    def _next(self) -> Task:
        """Who goes on where the running thread cannot, or where all choices are equal."""
        choice = self.choice or self.choices()
        if not choice.ready and (not choice.timed or wait_in_vain(self.goal)):
            self.policy.at_dead_end(self)
            self._stall("blocked")
            return self.main
        if self.spun and choice.several:
            calm = [task for task in choice.ready if not task.spinning]
            if calm and len(calm) < len(choice.ready):
                choice = between(calm, choice.timed)
        if choice.several:
            self.steps += 1
        following = self.policy.at_stop(self, choice)
        if choice.timed:
            self.depend(following)
        return following

    def _end_wait(self, task: Task) -> None:
        """The thread is chosen: the clock moves to the end of its wait, if that is what it waits for."""
        if task.deadline is not None and not task.ready():
            self.clock = max(self.clock, task.deadline)
            task.expired = True

    def switch(self, there: Task) -> None:
        """Let `there` go on in place of the running thread; returns when that is chosen again."""
        here = self.current
        self.current = there
        if self.waiting:
            self._end_wait(there)
        if there is not here:
            if self.turned and not here.spinning:
                here.spins, here.around = 0, ()
            hand_over = self._hand_over
            hand_over(there.handle or self.carrier.launch(there), here.handle)
        if self.aborting and here is not self.main:
            self.current = here
            raise Abort

    # The end

    def end(self) -> None:
        """Unwind every thread that is left, so that none outlives the execution."""
        self.aborting = True
        self.alarm = 0
        self.goal = NOBODY
        if self.alive:
            for task in self.tasks:
                if task.state != DONE and task.handle is not None:
                    self._unwind(task)
        self.current = self.main
        self.aborting = False

    def _unwind(self, task: Task) -> None:
        for _ in range(UNWINDINGS):
            self.current = task
            self._hand_over(task.handle, self.main.handle)
            if task.state == DONE:
                return


def _ignore() -> None:
    return None
