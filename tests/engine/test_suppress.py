"""Comments that silence findings."""

from __future__ import annotations

import pytest

from racelint.engine.suppress import is_suppressed, suppressions_of


@pytest.mark.parametrize(
    ("comment", "silenced"),
    [
        ("# racelint: ignore[RL101]", True),
        ("# racelint: ignore[RL101] only statistics", True),
        ("#racelint:ignore[ rl101 , RL201 ]", True),
        ("# racelint: ignore[RL1]", True),
        ("# noqa: RL101", True),
        ("# NOQA:rl101", True),
        ("# noqa: E501, RL101", True),
        ("# noqa: E501 RL101", True),
        ("# type: ignore  # noqa: RL101  # and more", True),
        ("# racelint: ignore[RL102]", False),
        ("# racelint: ignore", False),
        ("# racelint: ignore[]", False),
        ("# racelint: ignore[R]", False),
        ("# noqa", False),
        ("# noqa: E501", False),
        ("# noqa: E501 because RL101 is next", False),
        ("# see RL101", False),
    ],
)
def test_forms(comment: str, silenced: bool) -> None:
    found = suppressions_of(f"x = 1\ny = 2  {comment}\n")
    assert is_suppressed("RL101", 2, 2, found) is silenced
    assert not is_suppressed("RL101", 1, 1, found)


def test_a_string_is_no_comment() -> None:
    assert not suppressions_of('x = "# noqa: RL101"\n')


def test_the_last_line_of_a_statement_counts() -> None:
    found = suppressions_of("f(\n    1,\n)  # noqa: RL101\n")
    assert is_suppressed("RL101", 1, 3, found)
    assert not is_suppressed("RL101", 1, 2, found)


def test_what_stands_before_a_broken_line_still_counts() -> None:
    assert suppressions_of("x = 1  # noqa: RL101\ny = (\n") == {1: frozenset({"RL101"})}
