"""How an execution is steered: serially, by a plan of decisions, by chance, or by a schedule of sites."""

from __future__ import annotations

from typing import Any

from .control import Control
from .sites import SiteTable
from .tasks import Policy, Task

STOP = 0


class SerialPolicy(Policy):
    """A serial order: each thread runs until it ends or blocks, `rank` says who goes first.

    A sleep does not end a turn. `expire_at_once` is the variant in which every timeout passes before anything else.
    """

    sleep_is_instant = True

    def __init__(self, order: tuple[int, ...], expire_at_once: bool = False) -> None:
        self._rank = {index: rank for rank, index in enumerate(order)}
        self.expire_at_once = expire_at_once

    def at_stop(self, control: Control, ready: list[Task], timed: list[Task]) -> Task:
        if not ready:
            return super().at_stop(control, ready, timed)
        last = len(self._rank)
        return min(ready, key=lambda task: (self._rank.get(task.index, last + task.index % 1000), task.index))


class Decision:
    """A choice that an execution came to. `site` is `STOP` where the running thread could not go on by itself."""

    __slots__ = ("chosen", "default", "expiring", "options", "running", "site")

    def __init__(
        self, site: int, running: int, default: int, chosen: int, options: tuple[int, ...], expiring: tuple[int, ...]
    ) -> None:
        self.site = site
        self.running = running
        self.default = default
        self.chosen = chosen
        self.options = options
        self.expiring = expiring

    def cost(self, to: int) -> int:
        """1 for a preemption or for a timeout that passes while something else could run, else 0."""
        if to == self.default:
            return 0
        if self.site != STOP:
            return 1
        return 1 if to in self.expiring and to != self.running and len(self.options) > len(self.expiring) else 0


class PlanPolicy(Policy):
    """Follows `plan`, a decision number to the thread chosen there, and takes the default everywhere else."""

    def __init__(self, plan: dict[int, int]) -> None:
        self.plan = plan
        self.trail: list[Decision] = []
        self.journal: list[tuple[int, Any, int, int]] | None = None

    def at_point(self, control: Control, site: int, ready: list[Task], timed: list[Task]) -> Task | None:
        task = control.current
        return self._decide(control, site, task, ready, timed)

    def at_stop(self, control: Control, ready: list[Task], timed: list[Task]) -> Task:
        if self.journal is not None:
            count_stop(control.current)
        default = super().at_stop(control, ready, timed)
        if len(ready) + len(timed) == 1:
            return default
        return self._decide(control, STOP, default, ready, timed)

    def _decide(self, control: Control, site: int, default: Task, ready: list[Task], timed: list[Task]) -> Task:
        number = len(self.trail)
        chosen = self._pick(number, site, control, default, ready, timed)
        expiring = tuple([task.index for task in timed]) if timed else ()
        options = tuple([task.index for task in ready]) + expiring
        running = control.current
        self.trail.append(Decision(site, running.index, default.index, chosen.index, options, expiring))
        if self.journal is not None and chosen is not default:
            self.journal.append((running.index, *_place(running, site), chosen.index))
        return chosen

    def _pick(
        self, number: int, site: int, control: Control, default: Task, ready: list[Task], timed: list[Task]
    ) -> Task:
        wanted = self.plan.get(number)
        if wanted is None:
            return default
        for task in ready:
            if task.index == wanted:
                return task
        for task in timed:
            if task.index == wanted:
                return task
        return default


class RegionPolicy(PlanPolicy):
    """As a plan, with the regions that a finding is about made atomic: no switch inside one, and a thread that had to
    wait inside one goes on as soon as it can. What can still happen then is not the finding's doing."""

    sleep_is_instant = True

    def at_point(self, control: Control, site: int, ready: list[Task], timed: list[Task]) -> Task | None:
        if control.current.in_region:
            return None
        for task in ready:
            if task.in_region:
                return task
        return super().at_point(control, site, ready, timed)

    def at_stop(self, control: Control, ready: list[Task], timed: list[Task]) -> Task:
        for task in ready:
            if task.in_region and task is not control.main:
                return task
        return super().at_stop(control, ready, timed)


class RandomPolicy(PlanPolicy):  # racelint: thread-confined
    """Chooses by chance, in proportion to the events that each thread has still to come.

    After SURW (Zhao, Wolff, Mathur and Roychoudhury, ASPLOS 2025): a uniform choice at each event favours short
    threads; weights by remaining events make interleavings about equally likely.
    """

    def __init__(self, seed: int, weights: dict[int, int], interest: bytearray | None) -> None:
        super().__init__({})
        self._state = (seed * 2654435761 + 88172645463325252) & 0xFFFFFFFFFFFFFFFF or 1
        self._left = dict(weights)
        self._interest = interest

    def _random(self, below: int) -> int:
        # xorshift64*: the module `random` belongs to the target.
        state = self._state
        state ^= state >> 12
        state = (state ^ (state << 25)) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 27
        self._state = state
        return ((state * 2685821657736338717) >> 16 & 0xFFFFFFFF) % below

    def _pick(
        self, number: int, site: int, control: Control, default: Task, ready: list[Task], timed: list[Task]
    ) -> Task:
        if site != STOP and self._interest is not None and not self._interest[site]:
            return default
        if timed and (not ready or not self._random(8)):
            return timed[self._random(len(timed))]
        weights = [max(1, self._left.get(task.index, 1)) for task in ready]
        drawn = self._random(sum(weights))
        for task, weight in zip(ready, weights, strict=True):
            drawn -= weight
            if drawn < 0:
                self._left[task.index] = max(0, self._left.get(task.index, 0) - 1)
                return task
        return default

    def as_plan(self) -> dict[int, int]:
        return {number: made.chosen for number, made in enumerate(self.trail) if made.chosen != made.default}


class ReplayPolicy(Policy):
    """Follows a schedule of sites, on any Python version; `unused` are the switches that found no place."""

    def __init__(self, schedule: dict[str, Any], table: SiteTable) -> None:
        self._table = table
        self._wanted: dict[tuple[int, str, int], int] = {}
        for switch in schedule.get("switches", ()):
            self._wanted[switch["thread"], switch["site"], switch["visit"]] = switch["to"]
        first = schedule.get("first", 0)
        if first:
            self._wanted[-1, "~", 1] = first
        self.unused = dict(self._wanted)
        self.taken: list[tuple[int, int, int]] = []
        self.runnable: list[tuple[int, ...]] = []

    def at_point(self, control: Control, site: int, ready: list[Task], timed: list[Task]) -> Task | None:
        task = control.current
        return self._follow((task.index, self._table[site].name, task.visits.get(site, 1)), ready, timed)

    def at_stop(self, control: Control, ready: list[Task], timed: list[Task]) -> Task:
        task = control.current
        count_stop(task)
        self.runnable.append(tuple(task.index for task in ready))
        where, visit = _place(task, STOP)
        wanted = self._follow((task.index, place_name(where, self._table), visit), ready, timed)
        return wanted or super().at_stop(control, ready, timed)

    def _follow(self, place: tuple[int, str, int], ready: list[Task], timed: list[Task]) -> Task | None:
        wanted = self._wanted.get(place)
        if wanted is None:
            return None
        for task in (*ready, *timed):
            if task.index == wanted:
                self.unused.pop(place, None)
                return task
        return None


def count_stop(task: Task) -> None:
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


def schedule_of(journal: list[tuple[int, Any, int, int]], table: SiteTable) -> dict[str, Any]:
    """The non-default decisions of an execution as a `Schedule`."""
    first = 0
    switches = []
    for running, where, visit, chosen in journal:
        if running == -1 and visit == 1 and where == (STOP, 0):
            first = chosen
            continue
        switches.append({"thread": running, "site": place_name(where, table), "visit": visit, "to": chosen})
    return {"first": first, "switches": switches}
