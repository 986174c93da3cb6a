"""Controlled threads as data, and what decides between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .control import Control


READY, BLOCKED, DONE = 0, 1, 2


class Abort(BaseException):
    """Unwinds a controlled thread whose execution is over."""


class Task:  # racelint: thread-confined
    """One controlled thread. `index` counts threads in the order of their creation; -1 is the harness itself."""

    __slots__ = (
        "body",
        "daemon",
        "deadline",
        "error",
        "expired",
        "fresh",
        "handle",
        "held",
        "ident",
        "in_region",
        "index",
        "label",
        "last_site",
        "lock",
        "on_end",
        "pending",
        "region_depth",
        "region_scope",
        "result",
        "sleeping",
        "spin_site",
        "spinning",
        "spins",
        "state",
        "storage",
        "visits",
        "waited",
    )

    def __init__(self, index: int, label: str, body: Callable[[], Any] | None, daemon: bool) -> None:
        self.index = index
        self.label = label
        self.body = body
        self.daemon = daemon
        self.ident = index + 1000
        self.state = READY
        self.lock: Any = None
        self.deadline: float | None = None
        self.expired = False
        self.sleeping = False
        self.fresh = True
        self.in_region = False
        self.region_depth = 0
        self.region_scope = ""
        self.spin_site = 0
        self.spins = 0
        self.spinning = False
        self.last_site = 0
        self.result: Any = None
        self.error: BaseException | None = None
        self.handle: Any = None
        self.held: list[Any] = []
        self.visits: dict[Any, int] = {}
        self.waited = False
        self.pending: dict[int, Any] = {}
        self.storage: dict[int, Any] = {}
        self.on_end: list[Callable[[], None]] = []

    def ready(self) -> bool:
        if self.state == BLOCKED:
            return self.lock is not None and not self.lock.is_locked
        return self.state == READY


class Policy:
    """Decides at choice points. The defaults run the first ready thread, and switch nowhere else.

    `sleep_is_instant`: a sleep only moves the clock. `expire_at_once`: so does every wait that has a timeout.
    """

    sleep_is_instant = False
    expire_at_once = False

    def at_point(self, control: Control, site: int, ready: list[Task], timed: list[Task]) -> Task | None:
        """Another thread to switch to before the running one makes the access at `site`, or None."""
        return None

    def at_stop(self, control: Control, ready: list[Task], timed: list[Task]) -> Task:
        """Who goes on when the running thread blocked, ended or has just been started."""
        return ready[0] if ready else min(timed, key=earliest)


def earliest(task: Task) -> tuple[float, int]:
    return (task.deadline or 0.0, task.index)
