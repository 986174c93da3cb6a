"""Which scenarios are worth a search? The serial orders of each are run, in one process, and nothing more."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from .answer import Answer, answer_of
from .control import Control
from .ending import search_of
from .loader import InstrumentingFinder
from .outcome import Outcome
from .policies import SerialPolicy
from .search import Search
from .snapshot import text_of
from .subject import Subject, SubjectError
from .watchdog import Watchdog

SECONDS_EACH = 1.0
LONGEST = 3.0
"""Seconds after which a scenario ends the process, where it turns or blocks and all is imported."""

WRONG_KIND = ("TypeError", "AttributeError", "NameError", "ImportError", "ModuleNotFoundError")

Probe = dict[str, Any]


class Prober:
    """Looks at one scenario after the other; `probes` holds what is known so far, in their order.

    That is written before each, lest the scenario ends the process. The first one imports the code, on nobody's time.
    """

    def __init__(
        self,
        job: dict[str, Any],
        control: Control,
        finder: InstrumentingFinder,
        write: Callable[[Answer], None],
    ) -> None:
        self.job = job
        self.write = write
        self.control = control
        self.finder = finder
        self.probes: list[Probe] = []

    def run(self, watchdog: Watchdog) -> Answer:
        """Probe until all are known or the time is up."""
        begun = time.perf_counter()
        for scenario in self.job["probe"]:
            if time.perf_counter() - begun > self.job["budget"]["seconds"]:
                break
            self.write(self.answer("the process ended while it was probed"))
            self.probes.append(self._probe(scenario, watchdog))
            if len(self.probes) == 1:
                begun = time.perf_counter()
            watchdog.allow(LONGEST)
        return self.answer()

    def answer(self, reason: str = "") -> Answer:
        return answer_of(status="inconclusive", probes=self.probes, reason=reason)

    def _probe(self, scenario: dict[str, Any], watchdog: Watchdog) -> Probe:
        budget = {**self.job["budget"], "seconds": SECONDS_EACH}
        try:
            subject = Subject(scenario, self.control, self.finder)
            sys.stdout = sys.stderr = subject.capture
            job = {**self.job, "scenario": scenario, "budget": budget}
            search = search_of(subject, self.control, self.finder, job, time.perf_counter)
            watchdog.search = search
            search.serial()
        except (SubjectError, SyntaxError) as error:
            return {"failure": str(error)}
        return self._seen(search)

    def _seen(self, search: Search) -> Probe:
        """What the serial orders showed of the finding's lines and of what the operations raise."""
        baseline = list(search.baseline.outcomes.values())
        lines = {(flag["path"], flag["line"]) for flag in search.flagged}
        reached = {(search.table[n].path, search.table[n].line) for n in search.logged} & lines
        return {
            "raised": raised_always(baseline),
            "reached": len(reached),
            "flagged_conflicts": len(search.flagged_sites & search.conflicting),
            "conflicts": len(search.conflicting),
            "unfit": self._unfit(search),
            "hangs": any(outcome.hang for outcome in baseline),
        }

    def _unfit(self, search: Search) -> dict[str, str]:
        """What operations raise for an object or argument of the wrong kind, when they are the first to run."""
        found = {}
        for index, label in enumerate(search.subject.labels):
            outcome, _ = search.run_logged(SerialPolicy((index,)))
            raised = raised_always([outcome]).get(label, "")
            if raised.startswith(WRONG_KIND):
                found[label] = raised
        return found


def raised_always(outcomes: list[Outcome]) -> dict[str, str]:
    """What each operation raises, of those that raise in every order: `IndexError: pop from an empty deque`."""
    found: list[dict[str, str]] = []
    for outcome in outcomes:
        parts = [(label, tree) for label, tree in outcome.parts[: outcome.results] if label.endswith(" raised")]
        found.append({label.removesuffix(" raised"): f"{tree[2]}: {text_of(tree[3][0][1])}" for label, tree in parts})
    every = set.intersection(*(set(raised) for raised in found)) if found else set()
    return {label: text for label, text in (found[0] if found else {}).items() if label in every}
