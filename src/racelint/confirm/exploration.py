"""Runs the scenarios of one finding or target, the likeliest first, inside one budget."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from racelint.confirm.errors import CannotBuild, NotApplicable
from racelint.confirm.injection import shows_leak
from racelint.confirm.interpreter import Interpreter
from racelint.confirm.recipes import Attempt
from racelint.confirm.runner import run_job
from racelint.confirm.settings import Limits
from racelint.confirm.verdict import Tried
from racelint.model.scenario import Answer, Budget, Job, Scenario

SHORTEST = 0.75
"""Seconds under which a search is not worth the start of a process."""

FIRST_SHARE = 0.5
"""Of the budget: the first scenario is the one that the finding speaks of."""


@dataclass
class Exploration:
    """What was tried so far, and what could not be built."""

    interpreter: Interpreter
    limits: Limits
    seconds: float
    tried: list[Tried] = field(default_factory=list)
    problems: list[CannotBuild] = field(default_factory=list)

    def run(self, attempts: Iterable[Attempt]) -> None:
        """Try the attempts until one is confirmed or the time is up; searches cut short get what time is left."""
        deadline = time.monotonic() + self.seconds
        scenarios = self._built(attempts)
        for index, scenario in enumerate(scenarios):
            left = deadline - time.monotonic()
            if left < SHORTEST and index:
                break
            waiting = len(scenarios) - index
            share = left * FIRST_SHARE if not index and waiting > 1 else left / waiting
            tried = self._try(scenario, max(SHORTEST, min(share, left)))
            self.tried.append(tried)
            if tried.answer.status == "confirmed" or self._is_stuck(tried):
                return
        self._deepen(deadline)

    def _built(self, attempts: Iterable[Attempt]) -> list[Scenario]:
        found: dict[tuple[object, ...], Scenario] = {}
        for attempt in attempts:
            try:
                scenario = attempt()
            except NotApplicable:
                continue
            except CannotBuild as problem:
                self.problems.append(problem)
                continue
            key = (scenario.kind, scenario.setup, scenario.operations, scenario.invariant)
            found.setdefault(key, scenario)
        return list(found.values())

    def _try(self, scenario: Scenario, seconds: float) -> Tried:
        budget = Budget(
            seconds=seconds,
            schedules=self.limits.schedules,
            memory=self.limits.memory,
            bound=self.limits.bound,
            seed=self.limits.seed,
        )
        return Tried(scenario, judged(scenario, run_job(Job(scenario, budget), self.interpreter)))

    def _deepen(self, deadline: float) -> None:
        """Search again, longer, where the time of the first round did not do."""
        for index, one in enumerate(self.tried):
            left = deadline - time.monotonic()
            if one.answer.status != "inconclusive" or left <= max(SHORTEST, 2 * one.answer.seconds):
                continue
            again = self._try(one.scenario, left)
            self.tried[index] = again
            if again.answer.status == "confirmed":
                return

    def _is_stuck(self, tried: Tried) -> bool:
        """The child took all its time and more: the next would do the same."""
        answer = tried.answer
        return answer.status == "inconclusive" and not answer.python


def judged(scenario: Scenario, answer: Answer) -> Answer:
    """The answer, unless it is a hang that another defect than the one asked about explains."""
    if scenario.code != "RL201" or answer.status != "confirmed" or shows_leak(answer):
        return answer
    reason = "the lock is free again after the operation, however it ends"
    return msgspec.structs.replace(answer, status="not-reproduced", effect=None, schedule=None, reason=reason)
