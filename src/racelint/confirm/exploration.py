"""Runs the scenarios of one finding or target, the likeliest first, inside one budget."""

from __future__ import annotations

import linecache
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from racelint.confirm.errors import CannotBuild, NotApplicable
from racelint.confirm.injection import shows_leak
from racelint.confirm.interpreter import Interpreter
from racelint.confirm.probing import Candidate, Selection, key
from racelint.confirm.recipes import Attempt
from racelint.confirm.runner import run_job
from racelint.confirm.scenes import BEFOREHAND
from racelint.confirm.settings import Limits
from racelint.confirm.stalling import judged_stall
from racelint.confirm.values import Guesses
from racelint.model.scenario import Answer, Budget, Job, Probe, Scenario

SHORTEST = 0.75
"""Seconds under which a search is not worth the start of a process."""

FEW_SCHEDULES = 200
"""A lock left held by an exception needs no search: the first order shows it or none does."""

VERIFICATION_SECONDS = 20.0
"""For the replay that imports everything afresh."""

FIRST_SHARE = 0.5
NEXT_SHARE = 0.25
"""Of the time left: the first scenario is the one that the finding speaks of."""

MOST_OTHERS = 12
"""Scenarios with values that were not chosen, tried where there is time left."""

SHARE_FOR_UNMINED = 0.4
"""Of the budget, where arguments were taken from calls elsewhere: values that are made up may do better."""

MOST_ATTEMPTS = 48
PROBING_SHARE = 0.3
"""Of the budget for one round of probes."""

PROBING_ROUNDS = 4

REFUSALS = {
    "RL202": ("release unlocked lock", "un-acquired lock"),
    "RL302": ("cannot notify on un-acquired", "cannot wait on un-acquired"),
}
"""What a lock or condition says that is used in the way the rule is about."""


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

    lost: str = ""
    """Why probing took all the time, because the code cannot be stopped: a search would fare no better."""

    deadline: float = float("inf")
    """When the time is up: nothing is probed after that."""

    is_misfit: bool = False
    """Nothing was explored: the values made up are of the wrong kind for every operation."""

    def run(self, attempts: Callable[[], Iterable[Attempt]], guesses: Guesses) -> None:
        """Try the attempts until one is confirmed or the time is up; searches cut short get what time is left."""
        self.deadline = deadline = time.monotonic() + self.seconds
        selection = Selection(self._probes, lambda most: self._built(attempts(), most), guesses)
        candidates = selection.promising()
        if candidates and candidates[0].probe is not None:
            self.raised = {**candidates[0].probe.unfit, **candidates[0].probe.raised}
            self.is_misfit = candidates[0].is_misfit
        certain = next(filter(None, map(raises_by_itself, candidates)), None)
        if certain is not None:
            self.tried.append(certain)
        if candidates and self.lost:
            self.tried.append(Tried(candidates[0].scenario, Answer("inconclusive", reason=self.lost)))
        if self.is_misfit or self.tried:
            return
        until = deadline - self.seconds * SHARE_FOR_UNMINED if guesses.mined and guesses.mining else deadline
        self._search(candidates, until)
        if not self._is_over() and time.monotonic() < deadline:
            self._search(selection.unmined(), deadline)
        if not self._is_over():
            self._search(selection.with_other_values(candidates)[:MOST_OTHERS], deadline)
        if not self._is_over():
            self._deepen(deadline)

    def _search(self, candidates: Sequence[Candidate], deadline: float) -> None:
        """Try each while there is time, until it is over."""
        for index, candidate in enumerate(candidates):
            left = deadline - time.monotonic()
            if left < SHORTEST and self.tried:
                break
            share = left * (NEXT_SHARE if self.tried else FIRST_SHARE) if index < len(candidates) - 1 else left
            self.tried.append(self._try(candidate.scenario, max(SHORTEST, min(share, left))))
            if self._is_over():
                return

    def _is_over(self) -> bool:
        """Whether the last one tried confirms, or took all its time and more: the next would do the same."""
        if not self.tried:
            return False
        answer = self.tried[-1].answer
        return answer.status == "confirmed" or (answer.status == "inconclusive" and not answer.python)

    def _probes(self, scenarios: Sequence[Scenario]) -> Sequence[Probe]:
        """What the serial orders show; one that blocks for real ends its process, and another goes on after it."""
        found: list[Probe] = []
        for _ in range(PROBING_ROUNDS):
            waiting = tuple(scenarios[len(found) :])
            if not waiting or time.monotonic() > self.deadline:
                break
            budget = Budget(seconds=self.seconds * PROBING_SHARE, memory=self.limits.memory)
            begun = time.monotonic()
            answer = run_job(Job(waiting[0], budget, probe=waiting), self.interpreter)
            found.extend(answer.probes)
            if not answer.reason or len(found) == len(scenarios):
                break
            found.append(Probe(failure=answer.reason))
            if time.monotonic() - begun > self.seconds:
                self.lost = answer.reason
                break
        return found

    def _built(self, attempts: Iterable[Attempt], most: int) -> list[Scenario]:
        """At most `most` scenarios that differ, in the order of the attempts."""
        found: dict[tuple[object, ...], Scenario] = {}
        for attempt in islice(attempts, MOST_ATTEMPTS):
            if len(found) >= most:
                break
            try:
                scenario = attempt()
            except NotApplicable:
                continue
            except CannotBuild as problem:
                self.problems.append(problem)
                continue
            found.setdefault(key(scenario), scenario)
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
        schedules = FEW_SCHEDULES if scenario.code in ("RL201", "RL205") else None
        return run_job(Job(scenario, self.limits.of_search(seconds, schedules)), self.interpreter)

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


def raises_by_itself(candidate: Candidate) -> Tried | None:
    """The proof for a rule about misuse that every order shows: what the primitive of `threading` itself refuses."""
    refusals = REFUSALS.get(candidate.scenario.code, ())
    for label, raised in (candidate.probe.raised if candidate.probe is not None else {}).items():
        if raised.startswith("RuntimeError") and any(words in raised for words in refusals):
            reason = "it is raised in every order: no schedule is needed"
            answer = Answer("confirmed", "exception", outcome=f"{label} raised {raised}", reason=reason)
            return Tried(candidate.scenario, answer)
    return None


def judged(scenario: Scenario, answer: Answer) -> Answer:
    """The answer, unless another defect than the one asked about explains it."""
    if answer.status != "confirmed":
        return answer
    if scenario.stalls:
        return judged_stall(scenario, answer)
    reason = _other_defect(scenario, answer)
    if not reason:
        return answer
    return msgspec.structs.replace(answer, status="not-reproduced", effect=None, schedule=None, reason=reason)


def _other_defect(scenario: Scenario, answer: Answer) -> str:
    if scenario.code == "RL201":
        return "" if shows_leak(answer) else "the lock is free again after the operation, however it ends"
    if scenario.code in REFUSALS and answer.effect in ("deadlock", "hang"):
        return f"it waits, which is not refused, and nobody wakes it: {answer.outcome}"
    if scenario.code == "RL303" and answer.effect == "hang" and ", held by " not in (answer.outcome or ""):
        return f"who waits keeps nobody out: {answer.outcome}"
    if scenario.code == "RL606" and not (
        _waits_at_finding(scenario, answer) and ", held by " in (answer.outcome or "")
    ):
        return f"the child waits for another lock, or for itself: {answer.outcome}"
    if not answer.reached and not _waits_at_finding(scenario, answer):
        return f"something goes wrong without the lines of the finding: {answer.outcome}"
    return ""


def _waits_at_finding(scenario: Scenario, answer: Answer) -> bool:
    """Whether a thread is stuck in what the finding's line enters: it never came past it."""
    lines = [linecache.getline(site.path, site.line) for site in scenario.flagged]
    parts = [part.strip().partition(" waits in ")[2] for part in (answer.outcome or "").split(";")]
    waited = [part.partition(", held by ")[0] for part in parts if part]
    return any(text in line for text in waited for line in lines)
