"""Controlled threads: exactly one runs at a time, and every switch between them is a decision that can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .carriers import Carrier
from .tasks import BLOCKED, DONE, READY, Abort, Policy, Task, earliest

SPIN_TURNS = 100
SPIN_ROUNDS = 40


# One controlled thread runs at a time: who hands over the baton sees all that was done before.
class Control:  # racelint: thread-confined
    """The one controller of the process: owns the threads, the virtual clock and the limits of one execution."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.policy = Policy()
        self.step_limit = 20_000
        self.loop_limits: dict[int, int] = {}
        self.loops_seen: set[int] = set()
        self.locks: list[Any] = []
        self.on_reset: list[Callable[[], None]] = []
        self.begin()

    def begin(self) -> None:
        """Forget the last execution."""
        self.main = Task(-1, "main", None, False)
        self.main.ident = 1
        self.main.fresh = False
        self.main.handle = self.carrier.adopt()
        self.current = self.main
        self.tasks: list[Task] = []
        self.goal: list[Task] = []
        self.clock = 0.0
        self.steps = 0
        self.spin_rounds = 0
        self.stuck = ""
        self.stale: set[int] = set()
        self.aborting = False
        self.progress = getattr(self, "progress", 0) + 1

    # Life of a thread

    def spawn(self, body: Callable[[], Any], label: str = "", daemon: bool = False) -> Task:
        """Create a controlled thread; it runs when it is first chosen."""
        task = Task(len(self.tasks), label, body, daemon)
        self.tasks.append(task)
        task.handle = self.carrier.launch(lambda: self._live(task))
        return task

    def _live(self, task: Task) -> Any:
        try:
            if not self.aborting and task.body is not None:
                task.result = task.body()
        except Abort:
            pass
        except BaseException as error:
            task.error = error
        task.state = DONE
        task.spinning = False
        for note in task.on_end:
            note()
        if self.aborting or (self.goal and all(goal.state == DONE for goal in self.goal)):
            following = self.main
        else:
            following = self._next()
        self.current = following
        return following.handle

    def started(self) -> None:
        """A new thread has begun: whether it or its parent goes on is a choice."""
        task = self.current
        if task.fresh:
            task.fresh = False
            self._leave(task)

    # Waiting

    def block(self, lock: Any, timeout: float = -1) -> bool:
        """Wait until `lock` is free (True) or `timeout` virtual seconds have passed (False)."""
        task = self.current
        if self.aborting:
            if task is self.main:
                return True
            raise Abort
        if timeout >= 0 and self.policy.expire_at_once:
            self.clock += timeout
            return False
        task.state, task.lock = BLOCKED, lock
        task.deadline = self.clock + timeout if timeout >= 0 else None
        try:
            self._leave(task)
        finally:
            task.state, task.lock, task.deadline = READY, None, None
        expired, task.expired = task.expired, False
        task.waited = not expired
        return not expired

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass; other threads may run meanwhile."""
        task = self.current
        if self.policy.sleep_is_instant or self.aborting or not self.tasks:
            self.clock += seconds
            return
        task.state, task.deadline, task.sleeping = BLOCKED, self.clock + seconds, True
        try:
            self._leave(task)
        finally:
            task.state, task.deadline, task.sleeping, task.expired = READY, None, False, False

    def await_all(self, goal: list[Task]) -> bool:
        """Run the controlled threads until all of `goal` ended; False if that cannot be."""
        self.goal = goal
        if all(task.state == DONE for task in goal):
            return True
        self.main.state = BLOCKED
        self._switch(self._next())
        self.main.state = READY
        self.goal = []
        return not self.stuck

    # Choices

    def candidates(self) -> tuple[list[Task], list[Task]]:
        """The threads that can go on, and those that wait with a timeout, both in the order of creation."""
        ready, timed = [], []
        for task in self.tasks:
            if task.ready():
                ready.append(task)
            elif task.state == BLOCKED and task.deadline is not None:
                timed.append(task)
        main = self.main
        if main.ready():
            ready.append(main)
        elif main.deadline is not None:
            timed.append(main)
        return ready, timed

    def at(self, site: int) -> None:
        """The running thread is about to make the access at `site`: the policy may switch."""
        task = self.current
        if task is self.main:
            return
        if self.aborting:
            raise Abort
        self._step()
        task.last_site = site
        ready, timed = self.candidates()
        if len(ready) + len(timed) > 1:
            chosen = self.policy.at_point(self, site, ready, timed)
            if chosen is not None and chosen is not task:
                self._switch(chosen)

    def turn(self, site: int, loop: bool) -> None:
        """A turn of a loop begins; one that turns without end (a spin loop) makes room for the others."""
        task = self.current
        if task is self.main or not loop:
            return
        if self.aborting:
            raise Abort
        self._step()
        if task.spin_site != site:
            task.spin_site, task.spins, task.spinning = site, 0, False
        task.spins += 1
        if task.spins > (2 if task.spinning else SPIN_TURNS):
            task.spins, task.spinning = 0, True
            self._yield_spinning(task)

    def _yield_spinning(self, task: Task) -> None:
        ready, timed = self.candidates()
        others = [other for other in ready if other is not task and not other.spinning]
        if others or timed:
            self.spin_rounds = 0
            self._switch(others[0] if others else min(timed, key=earliest))
            return
        self.spin_rounds += 1
        if self.spin_rounds > SPIN_ROUNDS:
            self._give_up("spins")
        spinning = [other for other in ready if other is not task]
        if spinning:
            self._switch(spinning[self.spin_rounds % len(spinning)])

    def _step(self) -> None:
        self.steps += 1
        self.progress += 1
        if self.steps > self.step_limit:
            self._give_up("steps")

    def _give_up(self, why: str) -> None:
        self.stuck = self.stuck or why
        if self.current is not self.main:
            self._switch(self.main)
        raise Abort

    def _leave(self, task: Task) -> None:
        following = self._next()
        if following is task:
            self._resume(task)
        else:
            self._switch(following)
        if self.stuck and task is self.main:
            raise Abort

    def _next(self) -> Task:
        ready, timed = self.candidates()
        if not ready and not timed:
            self.stuck = self.stuck or "blocked"
            return self.main
        calm = [task for task in ready if not task.spinning]
        return self.policy.at_stop(self, calm or ready, timed)

    def _switch(self, there: Task) -> None:
        here = self.current
        if not self.stuck or there is not self.main:
            self._resume(there)
        self.current = there
        if there is not here:
            self.carrier.switch(here.handle, there.handle)
        here.spins = 0 if not here.spinning else here.spins
        if self.aborting and here is not self.main:
            raise Abort

    def _resume(self, task: Task) -> None:
        if task.state == BLOCKED and task.deadline is not None and not task.ready():
            self.clock = max(self.clock, task.deadline)
            task.expired = True

    # The end

    def end(self) -> None:
        """Unwind every thread that is left, so that none outlives the execution."""
        self.aborting = True
        self.goal = []
        for task in self.tasks:
            attempts = 0
            while task.state != DONE and attempts < 100:
                attempts += 1
                self.current = task
                self.carrier.switch(self.main.handle, task.handle)
        self.current = self.main
        self.aborting = False
