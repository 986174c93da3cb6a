"""`racelint confirm` on the examples and a part of the models: the racy ones are proved, the safe ones left alone.

The harness decides every switch, so a verdict does not depend on luck. `make bench-confirm` runs all of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from expectations import EXAMPLES, Expectation, check, expectations

ALL = expectations()
RACY = (
    "lost_update",
    "check_then_act",
    "lazy_singleton",
    "abba_deadlock",
    "lost_notify",
    "stolen_wakeup",
    "unlocked_stack",
    "transfer",
    "executor_inside",
    "import_time_lock",
    "four_preemptions",
    "logging_window",
    "sleep_window",
    "three_threads",
    "evicting_cache",
    "heap_take",
    "debounce",
)
SAFE = (
    "safe_locked_counter",
    "safe_bounded_buffer",
    "safe_queue_order",
    "safe_ordered_locks",
    "safe_executor",
    "safe_debounce",
)
SAFE_BUDGET = "1.5"
"""Seconds for a search that is to find nothing: some of them go on until the budget ends."""


def chosen(names: tuple[str, ...], *, confirmed: bool) -> list[Expectation]:
    """Those of the examples and of the named models."""
    return [e for e in ALL if e.confirmed == confirmed and (e.file.parent == EXAMPLES or e.file.stem in names)]


@pytest.mark.parametrize("expectation", chosen(RACY, confirmed=True), ids=lambda e: e.name)
def test_a_racy_one_is_confirmed(expectation: Expectation) -> None:
    result = check(expectation)
    assert result.as_expected, (result.trouble, result.verdict)


@pytest.mark.parametrize("expectation", chosen(SAFE, confirmed=False), ids=lambda e: e.name)
def test_a_safe_one_is_left_alone(expectation: Expectation) -> None:
    result = check(expectation, "--confirm-budget", SAFE_BUDGET)
    assert result.as_expected, (result.trouble, result.verdict)


def test_there_are_enough_models() -> None:
    models = [e for e in ALL if e.file.parent != EXAMPLES]
    assert sum(e.confirmed for e in models) >= 15
    assert sum(not e.confirmed for e in models) >= 5
    assert {e.file.stem for e in models} >= {*RACY, *SAFE}
