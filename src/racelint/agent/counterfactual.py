"""The counterfactual: which outcomes are left if what the finding is about happens atomically?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import points
from .oracle import OF_ITERATION, Baseline
from .outcome import Outcome
from .policies import RegionPolicy
from .strategies.bounded import Frontier

if TYPE_CHECKING:
    from .search import Search

MAX_SCHEDULES = 2000


class Counterfactual:
    """Explores the scenario with atomic regions, no further than the outcomes in question need.

    An outcome that comes up here is not the doing of the race: the code allows it by design, as when two threads take
    turns under one lock.
    """

    def __init__(self, search: Search) -> None:
        self.search = search
        self.outcomes = Baseline()
        self._regions = points.Regions(search.table, search.region_sites, whole_loops=search.code in OF_ITERATION)
        self._frontier = Frontier()
        self._bound = 0
        self._hot = bytearray(search.hot)
        self._left = min(MAX_SCHEDULES, search.budget["schedules"] // 3)

    def explains(self, outcome: Outcome, preemptions: int) -> bool:
        """Whether the outcome comes up with at most one preemption more than it took with the race."""
        while not self._is_known(outcome):
            if self._bound > preemptions + 1 or not self._explore_bound():
                return self._is_known(outcome)
        return True

    def _is_known(self, outcome: Outcome) -> bool:
        if not self.outcomes.outcomes:
            return False
        return self.outcomes.knows(outcome) or self.outcomes.effect(outcome) in ("order", "")

    def _explore_bound(self) -> bool:
        """Run the schedules of the next bound; False if there are none or the budget for them is spent."""
        search = self.search
        helpers = points.with_regions(search.control, self._hot, search.counts, self._regions)
        for plan in self._frontier.plans(self._bound):
            if self._left <= 0 or search.spent(0.7):
                return False
            self._left -= 1
            policy = RegionPolicy(plan)
            outcome = search.run(policy, helpers)
            self._frontier.extend(plan, policy.trail, search.control.events)
            self.outcomes.add(outcome)
        self._bound += 1
        return not self._frontier.is_empty()
