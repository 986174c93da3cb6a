"""Comments that silence findings: what they say, and of which lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelint.engine.directives import directives_in
from racelint.engine.prescan import mentions_directive


def silenced(text: str, code: str, line: int, end_line: int | None = None) -> bool:
    return any(
        comment.covers(line, end_line or line) and any(code.startswith(prefix) for prefix in comment.codes)
        for comment in directives_in(text).suppressions
    )


@pytest.mark.parametrize(
    ("comment", "expected"),
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
        ("# type: ignore  # racelint: ignore[RL101] why  # and more", True),
        ("# racelint: ignore[RL102]", False),
        ("# racelint: ignore", False),
        ("# racelint: ignore[]", False),
        ("# racelint: ignore-all[RL101]", False),
        ("# noqa", False),
        ("# noqa: E501", False),
        ("# noqa: E501 because RL101 is next", False),
        ("# see RL101", False),
    ],
)
def test_forms(comment: str, expected: bool) -> None:
    text = f"x = 1\ny = 2  {comment}\n"
    assert silenced(text, "RL101", 2) is expected
    assert not silenced(text, "RL101", 1)


def test_a_comment_has_codes_a_reason_and_a_place() -> None:
    text = "x = 1  # type: ignore # racelint: ignore[RL101,RL104] only statistics # z\n"
    (comment,) = directives_in(text).suppressions
    assert (comment.codes, comment.reason) == (("RL101", "RL104"), "only statistics")
    assert (comment.line, comment.column, comment.end_column) == (1, 23, 70)


def test_a_string_is_no_comment() -> None:
    assert not directives_in('x = "# noqa: RL101"\n').suppressions


def test_a_comment_behind_a_statement_of_several_lines_speaks_of_all_of_it() -> None:
    text = "f(\n    1,\n)  # noqa: RL101\n"
    assert [silenced(text, "RL101", line) for line in (1, 2, 3)] == [True, True, True]
    assert silenced("f(  # noqa: RL101\n    1,\n)\n", "RL101", 2)


def test_a_comment_inside_brackets_speaks_of_its_own_line() -> None:
    text = "f(\n    1,  # noqa: RL101\n    2,\n)\n"
    assert [silenced(text, "RL101", line) for line in (1, 2, 3, 4)] == [False, True, False, False]


def test_a_comment_alone_speaks_of_the_statement_below() -> None:
    text = "x = 1\n# racelint: ignore[RL101]\n# and another\n\nf(\n    2,\n)\ny = 3\n"
    assert [silenced(text, "RL101", line) for line in (1, 5, 6, 7, 8)] == [False, True, True, True, False]
    inside = "f(\n    # racelint: ignore[RL101]\n    1,\n    2,\n)\n"
    assert [silenced(inside, "RL101", line) for line in (1, 3, 4)] == [False, True, False]


def test_a_comment_for_the_whole_file() -> None:
    text = "x = 1\n\n# racelint: file-ignore[RL2] an old file\n"
    assert silenced(text, "RL211", 1)
    assert silenced(text, "RL201", 99)
    assert not silenced(text, "RL101", 1)


@pytest.mark.parametrize(
    ("comment", "verb", "codes"),
    [
        ("# racelint: ignore", "ignore", ()),
        ("# racelint: ignore[]", "ignore", ()),
        ("# racelint: ignore RL101", "ignore", ()),
        ("# racelint: file-ignore", "file-ignore", ()),
        ("# racelint: ingore[RL101]", "ingore", None),
        ("# racelint: gaurded-by(self.lock)", "gaurded-by", None),
        ("# racelint:", "", None),
    ],
)
def test_what_cannot_be_obeyed(comment: str, verb: str, codes: tuple[str, ...] | None) -> None:
    (found,) = directives_in(f"x = 1  {comment}\n").malformed
    assert (found.verb, found.codes) == (verb, codes)
    assert (found.line, found.column) == (1, 8)


@pytest.mark.parametrize("comment", ["guarded-by(self._lock)", "holds(self._lock)", "thread-safe", "thread-confined"])
def test_annotations_are_no_suppressions_and_no_mistakes(comment: str) -> None:
    found = directives_in(f"x = 1  # racelint: {comment}\n")
    assert (found.suppressions, found.malformed) == ((), ())


def test_what_stands_before_a_broken_line_still_counts() -> None:
    assert silenced("x = 1  # noqa: RL101\ny = (\n", "RL101", 1)


@given(st.text(alphabet="# \n()[]racelint:ignoqRL10x='\\\t"))
def test_no_text_makes_it_fail_and_none_is_missed_by_the_quick_look(text: str) -> None:
    if directives_in(text) != directives_in(""):
        assert mentions_directive(text.encode())
