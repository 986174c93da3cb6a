"""Why a fix is not safe, in one sentence."""

from __future__ import annotations

import pytest

from racelint.fixes.reasons import in_one, runs_locked


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ("", ""),
        ("a", "a would run with the lock held"),
        ("aab", "a and b would run with the lock held"),
        ("abcd", "a, b, c and d would run with the lock held"),
        ("abcde", "a, b, c and 2 other calls would run with the lock held"),
    ],
)
def test_calls_are_told_in_one_clause(calls: str, said: str) -> None:
    assert in_one(map(runs_locked, calls)) == said


def test_other_clauses_stay_in_their_order() -> None:
    clauses = ["it is slow", runs_locked("a"), "it is late", runs_locked("b"), "it is slow"]
    assert in_one(clauses) == "it is slow; a and b would run with the lock held; it is late"
