"""Controlled threads: exactly one runs at a time, and every switch between them is a decision that can be repeated."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .carriers import Carrier
from .stall import never_waits
from .tasks import BLOCKED, DONE, NEVER, READY, Abort, Choice, Policy, Settling, Task, among, earliest, wait_in_vain

SPIN_TURNS = 100
SPIN_ROUNDS = 40
UNWINDINGS = 100
FOREVER = 3600.0
"""Seconds: who waits for more than that means to wait without end, and never sees the wait expire."""
MOST_HURRIED = 20
"""Waits of one thread that expire at once, where all are to: one that polls for ever would leave the others no time."""
STOP = 0

Event = tuple[int, int, Any]
"""Thread, site, object. In place of a site: a lock was taken, or what happens now depends on all that happened."""
TAKEN, EVERYTHING = -1, -2

NOBODY: list[Task] = []


# One controlled thread runs at a time: who hands over the baton sees all that was done before.
class Control:  # racelint: thread-confined
    """The one controller of the process: owns the threads, the virtual clock and the limits of one execution.

    `steps` counts yield points, turns of loops and stops, and numbers the decisions of the policy; up to the step
    `alarm` it need not be asked at yield points. `on_reset` are called before every execution, `undo` once, before the
    next one; `on_stuck` sees the state in which nothing can go on. `refused`: an acquire that does not wait for ever
    found its lock taken. `run_task` runs a coroutine, where there are any. `forked` plays forks, where asked for.
    """

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self._harness = carrier.adopt()
        carrier.run = self._carry
        self.policy = Policy()
        self.step_limit = 20_000
        self.executions = 0
        self.on_reset: list[Callable[[], None]] = []
        self.undo: list[Callable[[], None]] = []
        self.on_stuck: Callable[[], Any] = _ignore
        self.run_task: Callable[[Any], Any] | None = None
        self.is_copy = False
        self.forked: Any = None
        self.choice: Choice | None = None
        self.events: list[Event] = []
        self.stale: set[int] = set()
        self.begin()

    def begin(self) -> None:
        """Forget the last execution. Finalisers of what it used run in here, where they cannot wait."""
        self.aborting = True
        self.choice = None
        self.tasks: list[Task] = []
        self.events.clear()
        self.aborting = False
        while self.undo:
            self.undo.pop()()
        for reset in self.on_reset:
            reset()
        self.main = self.current = main = Task(-1, "main", None)
        main.ident = 1
        main.fresh = False
        main.handle = self._harness
        self.goal = NOBODY
        self.choice = None
        self.clock = 0.0
        self.steps = self.alarm = self.spin_rounds = self.waiting = self.awaited = 0
        self.spun = self.refused = self.aborting = False
        self.stuck = ""
        self.stale.clear()
        self.executions += 1

    # Life of a thread

    def spawn(self, body: Callable[[], Any], label: str = "", daemon: bool = False) -> Task:
        """Create a controlled thread; it runs when it is first chosen."""
        task = Task(len(self.tasks), label, body)
        if daemon:
            task.daemon = True
        parent = self.current
        task.origin = (*parent.origin, parent.started)
        parent.started += 1
        self.tasks.append(task)
        self.choice = None
        self.alarm = 0
        return task

    def _live(self, task: Task) -> Task:
        """Run the thread to its end; who goes on then."""
        try:
            if not self.aborting:
                task.result = task.body()
        except Abort:
            pass
        except BaseException as error:
            task.error = error
        if self.is_copy:
            os._exit(0)
        task.state = DONE
        if self.spun:
            task.spinning = False
        self.choice = None
        self.alarm = 0
        for note in task.on_end:
            note()
        if task.awaited:
            self.awaited -= 1
        following = self.main if self.aborting or (self.goal and not self.awaited) else self._next()
        self.current = following
        if following.deadline is not None:
            self._end_wait(following)
        return following

    def _carry(self, task: Task) -> Any:
        following = self._live(task)
        return following.handle or self._launched(following)

    def _launched(self, task: Task) -> Any:
        task.handle = handle = self.carrier.launch(task)
        return handle

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

        The first of them to begin runs on the harness's own stack, which saves two switches. It has ended, or is
        unwound, when the harness goes on, because it is one of the goal: not where a fork may leave it behind.
        """
        if self.is_copy:
            os._exit(0)
        self.goal = goal
        main = self.main
        for task in goal:
            if task.state != DONE and not task.awaited:
                task.awaited = True
                self.awaited += 1
        if self.awaited:
            main.state = BLOCKED
            self.choice = None
            self.current = following = self._next()
            self._end_wait(following)
            if following.handle is None and following.awaited and self.forked is None:
                following.handle = main.handle
                following = self._live(following)
            if following is not main:
                self.carrier.switch(main.handle, following.handle or self._launched(following))
            main.state = READY
        self.goal = NOBODY
        return not self.stuck

    def settle(self) -> None:
        """Let the threads that are left run until each of them ends, waits, or has gone on for too long."""
        steering, self.policy = self.policy, Settling()
        self.changed()
        ready = self.choices().ready
        if ready[0] is not self.main:
            self._switch(ready[0])
        self.policy = steering
        self.changed()

    # Choices

    def choices(self) -> Choice:
        """The threads that can go on now."""
        choice = self.choice
        if choice is None:
            if self.waiting:
                choice = among([*self.tasks, self.main])
            else:
                ready = [task for task in self.tasks if task.state == READY]
                if self.main.state == READY:
                    ready.append(self.main)
                choice = Choice(ready, NOBODY)
            self.choice = choice
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
            self._give_up("steps")
        choice = self.choice or self.choices()
        if choice.several:
            chosen = self.policy.at_point(self, site, choice)
            if chosen is not task:
                self._switch(chosen)
        else:
            self.alarm = self.step_limit

    def between(self) -> None:
        """The running thread has done one operation of the scenario and begins the next: no step of a schedule."""
        task = self.current
        if task is not self.main and not self.aborting:
            chosen = self.policy.between(self, self.choices())
            if chosen is not task:
                self._switch(chosen)

    def turn(self, site: int) -> None:
        """A turn of a loop begins; one that turns without end (a spin loop) makes room for the others."""
        task = self.current
        if task is self.main:
            return
        self.steps += 1
        if self.steps > self.step_limit or self.aborting:
            self._give_up("steps")
        if task.spin_site != site:
            task.spin_site, task.spins, task.spinning = site, 0, False
        task.spins += 1
        if task.spins > (2 if task.spinning else SPIN_TURNS):
            task.spins, task.spinning, self.spun = 0, True, True
            self._yield_spinning(task)

    def _yield_spinning(self, task: Task) -> None:
        choice = self.choices()
        others = [other for other in choice.ready if other is not task and not other.spinning]
        if others or choice.timed:
            self.spin_rounds = 0
            self._switch(others[0] if others else min(choice.timed, key=earliest))
            return
        self.spin_rounds += 1
        if self.spin_rounds > SPIN_ROUNDS:
            self._give_up("spins")
        spinning = [other for other in choice.ready if other is not task]
        if spinning:
            self._switch(spinning[self.spin_rounds % len(spinning)])

    def _give_up(self, why: str) -> None:
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
        self._switch(following)
        if self.stuck and task is self.main:
            raise Abort

    def _next(self) -> Task:
        """Who goes on where the running thread cannot, or where all choices are equal."""
        choice = self.choices()
        if not choice.ready and (not choice.timed or wait_in_vain(self.goal)):
            self.policy.at_dead_end(self)
            self._stall("blocked")
            return self.main
        if self.spun and choice.several:
            calm = [task for task in choice.ready if not task.spinning]
            if calm and len(calm) < len(choice.ready):
                choice = Choice(calm, choice.timed)
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

    def _switch(self, there: Task) -> None:
        here = self.current
        self.current = there
        if there.deadline is not None:
            self._end_wait(there)
        if there is not here:
            if not here.spinning:
                here.spins = 0
            self.carrier.switch(here.handle, there.handle or self._launched(there))
        if self.aborting and here is not self.main:
            self.current = here
            raise Abort

    # The end

    def end(self) -> None:
        """Unwind every thread that is left, so that none outlives the execution."""
        self.aborting = True
        self.alarm = 0
        self.goal = NOBODY
        for task in self.tasks:
            if task.state != DONE and task.handle is not None:
                self._unwind(task)
        self.current = self.main
        self.aborting = False

    def _unwind(self, task: Task) -> None:
        for _ in range(UNWINDINGS):
            self.current = task
            self.carrier.switch(self.main.handle, task.handle)
            if task.state == DONE:
                return


def _ignore() -> None:
    return None
