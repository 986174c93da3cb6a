"""What a search after a fix shows, by how far it went."""

from __future__ import annotations

import pytest

from racelint.confirm.fixed import _said
from racelint.model.scenario import Answer, Operation, Scenario

SCENARIO = Scenario("threads", "bank", "/bank.py", (), "", (Operation("add", "target.add()"),))
ENDED = "the budget ended: 500 schedules were run"
SEEN = "an outcome that no serial order gives came up"


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        (Answer("not-reproduced", schedules_run=40), True),
        (Answer("inconclusive", reason=ENDED, schedules_run=500, bound_exhausted=1), True),
        (Answer("inconclusive", reason=ENDED, schedules_run=500), True),
        (Answer("inconclusive", reason=ENDED, schedules_run=499), False),
        (Answer("inconclusive", reason=SEEN, schedules_run=500), False),
        (Answer("confirmed", "exception", schedules_run=500), False),
    ],
)
def test_a_search_counts_that_went_far_enough(answer: Answer, gone: bool) -> None:
    assert _said(answer, SCENARIO, preemptions=1, needed=50).gone is gone
