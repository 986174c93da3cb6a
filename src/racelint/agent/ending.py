"""Asks one thing of a program: do the threads that it tells to stop end, whenever it tells them?"""

from __future__ import annotations

from typing import Any

from .access_log import AccessLog
from .found import Found
from .oracle import own_effect
from .outcome import Outcome
from .policies import SerialPolicy
from .search import Search
from .subject import Subject, SubjectError

OTHERS_FIRST = SerialPolicy(tuple(range(1, 100)))
"""Whoever was started goes as far as it can whenever it can, and before the first thread does its next step."""

SHORTEST = 2000
TIMES_AS_LONG = 20
"""Steps of an execution at least, and in those of the right one: who has not ended by then does not."""


class EndingSearch(Search):
    """Right is whatever ends. Raises SubjectError where the operation hangs or fails though all have had the time.

    Then it is not for the moment at which they are told that they do not end.
    """

    def _serial_orders(self) -> list[AccessLog]:
        outcome, other = self.run_logged(OTHERS_FIRST)
        if outcome.hang or outcome.raised:
            raise SubjectError(f"it does not end either if the threads do all they can in between: {outcome.text()}")
        self.baseline.add(outcome)
        self.threads = len(self.control.tasks)
        self.control.step_limit = min(self.control.step_limit, SHORTEST + self.control.steps * TIMES_AS_LONG)
        self.plain, log = self.run_logged(SerialPolicy((0,)))
        return [log, other]

    def wrong_by_itself(self) -> Outcome | None:
        return self.plain if self.plain is not None and _is_in_vain(self.plain) else None

    def judge(self, outcome: Outcome, plan: dict[int, int], preemptions: int | None) -> Found | None:
        return Found(outcome, plan, own_effect(outcome), self.hot) if _is_in_vain(outcome) else None


def _is_in_vain(outcome: Outcome) -> bool:
    return outcome.hang not in ("", "steps")


def search_of(subject: Subject, *rest: Any) -> Search:
    """The search that the scenario asks for."""
    return (EndingSearch if subject.must_end else Search)(subject, *rest)
