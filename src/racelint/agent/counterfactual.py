"""The counterfactual: which outcomes are left if what the finding is about happens atomically?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import points
from .known import Known
from .oracle import OF_ITERATION, Baseline
from .outcome import Outcome
from .policies import RegionPolicy
from .strategies.bounded import Frontier

if TYPE_CHECKING:
    from .search import Search

MAX_SCHEDULES = 20_000
SHARE = 0.5
"""Of the budget's seconds, for all the outcomes in question together."""


class Counterfactual:
    """Explores the scenario with atomic regions, no further than the outcomes in question need.

    An outcome that comes up here is not the doing of the race: the code allows it by design, as when two threads take
    turns under one lock. `schedules` were run for that, and every one with fewer than `bound` preemptions.
    """

    def __init__(self, search: Search) -> None:
        self.search = search
        self.outcomes = Baseline()
        self.schedules = 0
        self.bound = 0
        self._regions = points.Regions(search.table, search.region_sites, whole_loops=search.code in OF_ITERATION)
        self._frontier = Frontier(search.order_of_events)
        self._known = Known(search.order_of_events)
        self._hot = search.all_hot + [1] * (len(search.table) - len(search.all_hot))
        self._most = min(MAX_SCHEDULES, search.budget["schedules"] // 3)
        self._seconds = 0.0

    def explains(self, outcome: Outcome, preemptions: int) -> bool | None:
        """Whether the outcome comes up with at most one preemption more than it took with the race.

        None if the budget does not even do for as many as it took: nothing is shown then.
        """
        while not self.gives(outcome):
            if self.bound > preemptions + 1 or self._is_complete():
                return False
            if not self._explore_bound(outcome):
                return False if self.bound > preemptions else None
        return True

    def gives(self, outcome: Outcome) -> bool:
        """Whether it came up in what was explored so far."""
        if not self.outcomes.outcomes:
            return False
        return self.outcomes.knows(outcome) or self.outcomes.effect(outcome) in ("order", "")

    def is_spent(self) -> bool:
        """Whether there is nothing left to explore with."""
        search = self.search
        return self.schedules >= self._most or self._seconds > search.budget["seconds"] * SHARE or search.spent()

    def _is_complete(self) -> bool:
        return self._frontier.is_empty() and not self._frontier.overflow

    def _explore_bound(self, wanted: Outcome) -> bool:
        """Run schedules of the next bound until one gives what is wanted; False if the budget ends before that."""
        begun = self.search.seconds()
        try:
            return self._explore(wanted)
        finally:
            self._seconds += self.search.seconds() - begun

    def _explore(self, wanted: Outcome) -> bool:
        search = self.search
        helpers = points.with_regions(search.control, self._hot, search.counts, self._regions)
        if self.is_spent():
            return False
        for plan in self._frontier.plans(self.bound):
            policy = RegionPolicy(plan)
            outcome = search.run(policy, helpers, self._known)
            self.schedules += 1
            self._frontier.extend(plan, policy.trail, search.control.events)
            is_new = outcome.key not in self.outcomes.outcomes
            self.outcomes.add(outcome)
            if is_new and self.gives(wanted):
                return True
            if self.is_spent():
                return False
        self.bound += 1
        return True
