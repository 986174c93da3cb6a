"""Controlled threads as data, and what decides between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from .control import Control

Made = TypeVar("Made")
new = object.__new__

READY, BLOCKED, DONE = 0, 1, 2


class Never:
    """What is never free, and nobody holds."""

    is_locked = True
    owner = None


NEVER = Never()


class Abort(BaseException):
    """Unwinds a controlled thread whose execution is over."""


class Lazy(Generic[Made]):
    """What a thread has that is made when it is first asked for: most threads never need it."""

    def __init__(self, make: Callable[[Any], Made]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, task: Any, owner: type) -> Made:
        made = self._make(task)
        setattr(task, self._name, made)  # found before this from now on
        return made


class Task:  # racelint: thread-confined
    """One controlled thread. `index` counts threads in the order of their creation; -1 is the harness itself.

    `handle` is what carries it, None until it first runs. `joiner` is the last thread that waited for its end.
    """

    # Some hundred thousand are made a second: what is the same for all of them stays with the class.
    lock: Any = None
    fresh = True
    daemon = expired = sleeping = spinning = waited = in_region = False
    started = hurried = 0
    spin_site = spins = last_site = region_depth = 0
    around: tuple[tuple[int, int, bool], ...] = ()
    """The loops around the one that turned last, outermost first: site, turns, whether it spins."""
    region_scope = stalled = ""
    region_callers: tuple[Any, ...] = ()
    result: Any = None
    error: BaseException | None = None
    joiner: Any = None
    parent: Task | None = None
    place = 0
    origin = Lazy[tuple[int, ...]](lambda task: (*task.parent.origin, task.place) if task.parent else ())
    ident = Lazy[int](lambda task: task.index + 1000 if task.index >= 0 else 1)
    held = Lazy[list[Any]](lambda task: [])
    visits = Lazy[dict[Any, int]](lambda task: {})
    pending = Lazy[dict[int, Any]](lambda task: {})
    storage = Lazy[dict[int, Any]](lambda task: {})

    index: int
    label: str
    body: Any
    state: int
    handle: Any
    deadline: float | None = None
    awaited = False
    on_end: tuple[Callable[[], None], ...] = ()

    def ready(self) -> bool:
        if self.state == BLOCKED:
            return self.lock is not None and not self.lock.is_locked
        return self.state == READY


def threads(
    parent: Task, index: int, bodies: Iterable[Callable[[], Any]], labels: Iterable[str], fresh: bool = True
) -> list[Task]:
    """New threads that `parent` starts, the first of them with that index.

    There is no `__init__`: for the interpreter to call one takes as long as all this.
    """
    tasks, place = [], parent.started
    for body, label in zip(bodies, labels):  # noqa: B905  # not in fewer steps with `strict`
        task: Task = new(Task)
        task.index = index
        task.label = label
        task.body = body
        task.state = READY
        task.handle = None
        task.awaited = False
        task.on_end = ()
        task.fresh = fresh
        task.parent = parent
        task.place = place
        tasks.append(task)
        index += 1
        place += 1
    parent.started = place
    return tasks


def harness(handle: Any) -> Task:
    """The thread of the harness itself: makes the set-up and waits for the others."""
    task: Task = new(Task)
    task.index = -1
    task.label = "main"
    task.state = READY
    task.handle = handle
    task.fresh = False
    task.started = 0
    return task


class Choice:
    """Who can go on: `ready`, and those that wait with a timeout, `timed`, both in the order of creation.

    `several`: more than one. `is_pair`: two, and both are ready.
    """

    __slots__ = ("is_pair", "ready", "several", "timed")

    ready: list[Task]
    timed: list[Task]
    several: bool
    is_pair: bool

    def find(self, index: int, default: Task) -> Task:
        """The thread with that index if it can go on, else `default`."""
        for task in (*self.ready, *self.timed):
            if task.index == index:
                return task
        return default


def between(ready: list[Task], timed: list[Task]) -> Choice:
    """The choice between these threads."""
    choice: Choice = new(Choice)
    choice.ready = ready
    choice.timed = timed
    if timed:
        choice.several = len(ready) + len(timed) > 1
        choice.is_pair = False
    else:
        choice.several = choice.is_pair = True
        if len(ready) != 2:
            choice.several = len(ready) > 2
            choice.is_pair = False
    return choice


def among(tasks: list[Task]) -> Choice:
    """Those of the threads that can go on, where some wait."""
    ready, timed = [], []
    for task in tasks:
        if task.ready():
            ready.append(task)
        elif task.deadline is not None:
            timed.append(task)
    return between(ready, timed)


class Policy:
    """Decides at choice points. The defaults run the first ready thread, and switch nowhere else.

    `plan` is where it did not: the step of a decision to the thread chosen there. `sleep_is_instant`: a sleep only
    moves the clock. `expire_at_once`: so does every wait that has a timeout. `awaits_are_instant`: so does the sleep of
    a coroutine. `counts_stops`: it is asked at every stop, else only where more than one thread is left.
    """

    sleep_is_instant = False
    expire_at_once = False
    awaits_are_instant = False
    counts_stops = False

    def __init__(self, plan: dict[int, int] | None = None) -> None:
        self.plan = plan if plan is not None else {}

    def at_point(self, control: Control, site: int, choice: Choice) -> Task:
        """Who goes on when the running thread is about to make the access at `site`; others could, too."""
        return control.current

    def between(self, control: Control, choice: Choice) -> Task:
        """Who goes on when the running thread has done one operation and is about to begin another."""
        return control.current

    def at_stop(self, control: Control, choice: Choice) -> Task:
        """Who goes on when the running thread blocked, ended or has just been started."""
        return choice.ready[0] if choice.ready else min(choice.timed, key=earliest)

    def at_dead_end(self, control: Control) -> None:
        """The running thread blocked or ended, and no other one can go on."""


def waits_on(task: Task) -> Iterator[Task]:
    """The thread, who holds what it waits for, and so on; the last is one of them again where they wait in a circle."""
    seen: list[Task] = []
    current: Task | None = task
    while current is not None:
        yield current
        if current in seen or current.state != BLOCKED or current.lock is None:
            return
        seen.append(current)
        owner: Task | None = current.lock.owner
        # The private lock of a Condition's waiter belongs to the waiter itself: that is no circle.
        current = owner if owner is not current else None


def is_doomed(task: Task) -> bool:
    """Whether the thread waits for ever, whatever threads do that hold nothing of what it waits for."""
    chain: list[Task] = []
    for one in waits_on(task):
        if one.state != BLOCKED or one.stalled or one.deadline is not None:
            return one.state == BLOCKED and bool(one.stalled)
        if one in chain:
            return True
        chain.append(one)
    return False


def wait_in_vain(goal: list[Task]) -> bool:
    """Whether none of the goal can ever end, though threads beside it go on for ever as their waits expire."""
    left = [task for task in goal if task.state != DONE]
    return bool(left) and all(is_doomed(task) for task in left)


def earliest(task: Task) -> tuple[float, int]:
    return (task.deadline or 0.0, task.index)
