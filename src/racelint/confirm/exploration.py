"""Runs the scenarios of one finding or target, the likeliest first, inside one budget."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from racelint.confirm.errors import CannotBuild, NotApplicable
from racelint.confirm.injection import shows_leak
from racelint.confirm.interpreter import Interpreter
from racelint.confirm.probing import is_misfit, raised_alone
from racelint.confirm.recipes import Attempt
from racelint.confirm.runner import run_job
from racelint.confirm.scenes import BEFOREHAND
from racelint.confirm.settings import Limits
from racelint.model.scenario import Answer, Budget, Job, Scenario

SHORTEST = 0.75
"""Seconds under which a search is not worth the start of a process."""

FEW_SCHEDULES = 200
"""A lock left held by an exception needs no search: the first order shows it or none does."""

VERIFICATION_SECONDS = 20.0
"""For the replay that imports everything afresh."""

FIRST_SHARE = 0.5
"""Of the budget: the first scenario is the one that the finding speaks of."""


@dataclass(frozen=True)
class Tried:
    """One scenario and what came of it."""

    scenario: Scenario
    answer: Answer

    @property
    def label(self) -> str:
        together = " ‖ ".join(operation.label for operation in self.scenario.operations)
        return f"{together} after {self.before}" if self.before else together

    @property
    def before(self) -> str:
        """The operation that was run before the threads started, empty for none."""
        lines = [line for line in self.scenario.setup.splitlines() if line.startswith(BEFOREHAND)]
        return lines[0].removeprefix(BEFOREHAND) if lines else ""

    @property
    def ran(self) -> bool:
        """Whether there was anything to search: else the scenario could not be set up."""
        return self.answer.status in ("not-reproduced", "inconclusive")


@dataclass
class Exploration:
    """What was tried so far, and what could not be built."""

    interpreter: Interpreter
    limits: Limits
    seconds: float
    tried: list[Tried] = field(default_factory=list)
    problems: list[CannotBuild] = field(default_factory=list)
    raised: dict[str, str] = field(default_factory=dict)
    """Operations of the first scenario that raise even when run alone, with what they raise."""

    @property
    def is_misfit(self) -> bool:
        """Nothing was explored: the values made up are of the wrong kind for every operation."""
        return bool(self.tried) and is_misfit(self.raised, self.tried[0].scenario)

    def fits(self, attempts: Iterable[Attempt]) -> bool:
        """Whether the first scenario of `attempts` runs with its values; it is not searched."""
        scenario = next(iter(self._built(attempts)), None)
        return scenario is not None and not raised_alone(scenario, self._run)

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
        if not self._deepen(deadline):
            self._probe()

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
        answer = judged(scenario, self._run(scenario, seconds))
        if answer.status == "confirmed" and answer.leaks:
            answer = self._shown_again(scenario, answer)
        return Tried(scenario, answer)

    def _shown_again(self, scenario: Scenario, answer: Answer) -> Answer:
        """The answer, if its schedule also goes wrong where no state is handed on from one execution to the next."""
        budget = Budget(seconds=VERIFICATION_SECONDS, memory=self.limits.memory)
        again = run_job(Job(scenario, budget, answer.schedule, fresh=True), self.interpreter)
        if again.status == "confirmed":
            return answer
        reason = f"it went wrong only with what earlier runs left in {', '.join(answer.leaks)}: {again.reason}"
        return msgspec.structs.replace(answer, status="inconclusive", effect=None, schedule=None, reason=reason)

    def _run(self, scenario: Scenario, seconds: float) -> Answer:
        budget = Budget(
            seconds=seconds,
            schedules=FEW_SCHEDULES if scenario.code == "RL201" else self.limits.schedules,
            memory=self.limits.memory,
            bound=self.limits.bound,
            seed=self.limits.seed,
        )
        return run_job(Job(scenario, budget), self.interpreter)

    def _probe(self) -> None:
        """Look whether what did not go wrong went anywhere at all."""
        first = self.tried[0] if self.tried else None
        if first is None or first.scenario.kind != "threads":
            return
        if first.answer.status in ("not-reproduced", "inconclusive") and not self._is_stuck(first):
            self.raised = raised_alone(first.scenario, self._run)

    def _deepen(self, deadline: float) -> bool:
        """Search again, longer, where the time of the first round did not do; True where that confirmed."""
        for index, one in enumerate(self.tried):
            left = deadline - time.monotonic()
            if one.answer.status != "inconclusive" or left <= max(SHORTEST, 2 * one.answer.seconds):
                continue
            again = self._try(one.scenario, left)
            self.tried[index] = again
            if again.answer.status == "confirmed":
                return True
        return False

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
