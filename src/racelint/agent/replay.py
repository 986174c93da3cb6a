"""Schedules of sites: written from a plan, run again, minimised, and believed only if they repeat."""

from __future__ import annotations

from collections.abc import Callable

from . import points
from .found import Found
from .outcome import Outcome
from .schedules import JournalPolicy, ReplayPolicy, Schedule
from .search import Search

REPLAY_STEPS = 20

WillDo = Callable[[Schedule], bool]


def every_schedule(schedule: Schedule) -> bool:
    """For a shrinking that asks for nothing but the effect."""
    return True


def run_all_hot(search: Search, policy: ReplayPolicy, helpers: points.Marks) -> Outcome:
    """One execution with every site hot: it takes more steps than one of the search, where few are, and may do so."""
    control = search.control
    limit = control.step_limit
    control.step_limit = limit * REPLAY_STEPS
    try:
        return search.run(policy, helpers)
    finally:
        control.step_limit = limit


class Nondeterminism(Exception):
    """Two runs of one schedule differ: the target is not under control. The text says what differed."""


class Replayer:
    """Runs schedules for one search; their steps count every site, not only the hot ones."""

    def __init__(self, search: Search) -> None:
        self.search = search

    def schedule(self, found: Found) -> Schedule:
        """The schedule of a plan. Raises Nondeterminism if the plan does not give its outcome again."""
        search = self.search
        policy = JournalPolicy(found.plan)
        helpers = points.counting(search.control, list(found.hot), search.counts)
        outcome = search.run(policy, helpers)
        if outcome.key != found.outcome.key:
            raise Nondeterminism(self._difference(found.outcome, outcome))
        return policy.schedule(search.table)

    def run(self, schedule: Schedule) -> tuple[Outcome, ReplayPolicy]:
        search = self.search
        policy = ReplayPolicy(schedule, search.table)
        helpers = points.counting(search.control, points.all_hot(search.table), search.counts)
        return run_all_hot(search, policy, helpers), policy

    def shrink(
        self, schedule: Schedule, effect: str, will_do: WillDo, in_doubt: bool = False
    ) -> tuple[Schedule, Outcome]:
        """Drop switches one at a time, last first, while the outcome stays wrong in the same way.

        Where whose doing the outcome is stands `in_doubt`, it may do so in the shorter schedules, too.
        """
        outcome, _ = self.run(schedule)
        best = schedule
        dropped = True
        while dropped and self.search.seconds() < self.search.budget["seconds"] + 1:
            dropped = False
            for number in range(len(best["switches"]) - 1, -1, -1):
                shorter = {**best, "switches": best["switches"][:number] + best["switches"][number + 1 :]}
                tried, _ = self.run(shorter)
                if self._is_wrong(tried, effect, len(shorter["switches"]), in_doubt) and will_do(shorter):
                    best, outcome, dropped = shorter, tried, True
        if best["first"]:
            other = {**best, "first": 0}
            tried, _ = self.run(other)
            if self._is_wrong(tried, effect, len(other["switches"]), in_doubt) and will_do(other):
                best, outcome = other, tried
        return best, outcome

    def _is_wrong(self, outcome: Outcome, effect: str, switches: int, in_doubt: bool) -> bool:
        found = self.search.judge(outcome, {}, None if in_doubt else switches)
        return found is not None and found.effect == effect and (in_doubt or not found.in_doubt)

    def verify(self, schedule: Schedule, outcome: Outcome) -> ReplayPolicy:
        """Run it twice more and compare outcomes and runnable threads. Raises Nondeterminism."""
        first, one = self.run(schedule)
        second, two = self.run(schedule)
        if first.key != outcome.key or second.key != outcome.key:
            raise Nondeterminism(self._difference(outcome, first if first.key != outcome.key else second))
        if one.runnable != two.runnable:
            raise Nondeterminism("the threads that could run differed between two runs of one schedule")
        return two

    def _difference(self, one: Outcome, other: Outcome) -> str:
        mine, theirs = dict(one.parts), dict(other.parts)
        labels = [label for label in mine.keys() | theirs.keys() if mine.get(label) != theirs.get(label)]
        return ", ".join(sorted(label.rstrip(" =") for label in labels)) or "how it ended"
