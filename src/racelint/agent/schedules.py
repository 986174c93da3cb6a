"""Schedules of sites: how the switches of an execution are written down, and followed on any Python version."""

from __future__ import annotations

from typing import Any

from .control import Control
from .execution import STOP
from .policies import PlanPolicy
from .sites import SiteTable
from .tasks import Choice, Policy, Task

Schedule = dict[str, Any]


class JournalPolicy(PlanPolicy):
    """Follows a plan and keeps its decisions as places in the source."""

    counts_stops = True

    def __init__(self, plan: dict[int, int]) -> None:
        super().__init__(plan)
        self._journal: list[tuple[int, Any, int, int]] = []

    def at_stop(self, control: Control, choice: Choice) -> Task:
        count_stop(control.current)
        return super().at_stop(control, choice)

    def _decide(self, control: Control, site: int, default: Task, choice: Choice) -> Task:
        chosen = super()._decide(control, site, default, choice)
        if chosen is not default:
            self._journal.append((control.current.index, *_place(control.current, site), chosen.index))
        return chosen

    def schedule(self, table: SiteTable) -> Schedule:
        """The decisions that were not the default, as a `Schedule`."""
        first = 0
        switches = []
        for running, where, visit, chosen in self._journal:
            if running == -1 and visit == 1 and where == (STOP, 0):
                first = chosen
                continue
            switches.append({"thread": running, "site": place_name(where, table), "visit": visit, "to": chosen})
        return {"first": first, "switches": switches}


class ReplayPolicy(Policy):
    """Follows a schedule of sites; `unused` are the switches that found no place."""

    counts_stops = True

    def __init__(self, schedule: Schedule, table: SiteTable) -> None:
        super().__init__()
        self._table = table
        self._wanted: dict[tuple[int, str, int], int] = {}
        for switch in schedule.get("switches", ()):
            self._wanted[switch["thread"], switch["site"], switch["visit"]] = switch["to"]
        first = schedule.get("first", 0)
        if first:
            self._wanted[-1, "~", 1] = first
        self.unused = dict(self._wanted)
        self.runnable: list[tuple[int, ...]] = []

    def at_point(self, control: Control, site: int, choice: Choice) -> Task:
        task = control.current
        self.runnable.append(tuple(task.index for task in choice.ready))
        place = (task.index, self._table[site].name, task.visits.get(site, 1))
        return self._follow(place, choice) or task

    def at_stop(self, control: Control, choice: Choice) -> Task:
        task = control.current
        count_stop(task)
        self.runnable.append(tuple(task.index for task in choice.ready))
        where, visit = _place(task, STOP)
        place = (task.index, place_name(where, self._table), visit)
        return self._follow(place, choice) or super().at_stop(control, choice)

    def _follow(self, place: tuple[int, str, int], choice: Choice) -> Task | None:
        wanted = self._wanted.get(place)
        if wanted is None:
            return None
        for task in (*choice.ready, *choice.timed):
            if task.index == wanted:
                self.unused.pop(place, None)
                return task
        return None


def count_stop(task: Task) -> None:
    """The thread cannot go on by itself once more."""
    key = _stop(task)
    task.visits[key] = task.visits.get(key, 0) + 1


def _stop(task: Task) -> tuple[int, int]:
    """A stop is named by the last site that the thread passed; the harness itself passes none."""
    return (STOP, task.last_site if task.index >= 0 else 0)


def _place(task: Task, site: int) -> tuple[Any, int]:
    """Where a decision is made: a site, or `(STOP, last site)`; and for which time the thread is there."""
    where: Any = site if site != STOP else _stop(task)
    return where, task.visits.get(where, 1)


def place_name(where: Any, table: SiteTable) -> str:
    """`file:function:ordinal`; for a stop, `~` and the last site that the thread passed."""
    if isinstance(where, tuple):
        return f"~{table[where[1]].name}" if where[1] else "~"
    return table[where].name
