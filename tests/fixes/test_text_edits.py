"""Edits of a text, whatever its lines end in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelint.fixes.text_edits import StaleEdit, apply_edits, clash, edits_between, moved_line, split_lines
from racelint.model.fix import Edit

TEXT = st.lists(st.sampled_from(["a", "b", "", "\f", "\u2028", "é"]), max_size=8).flatmap(
    lambda lines: st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=len(lines), max_size=len(lines)).flatmap(
        lambda ends: st.booleans().map(
            lambda cut: "".join(map("".join, zip(lines, ends, strict=True)))[: -1 if cut and lines else None]
        )
    )
)


@given(TEXT, TEXT)
def test_the_edits_between_two_texts_make_one_of_the_other(before: str, after: str) -> None:
    edits = edits_between(before, after)
    assert apply_edits(before, edits) == after
    assert bool(edits) == (before != after)


@given(TEXT)
def test_lines_hold_every_character(text: str) -> None:
    assert "".join(split_lines(text)) == text


@given(TEXT, TEXT, TEXT)
def test_edits_that_do_not_clash_can_be_made_in_any_order(text: str, left: str, right: str) -> None:
    one, other = edits_between(text, left), edits_between(text, right)
    if not clash(one, other):
        assert apply_edits(text, [*one, *other]) == apply_edits(text, [*other, *one])


def test_edits_that_overlap_or_lie_outside_are_refused() -> None:
    with pytest.raises(StaleEdit):
        apply_edits("a\nb\n", [Edit(1, 1, 2, 1, ""), Edit(1, 1, 2, 1, "x\n")])
    with pytest.raises(StaleEdit):
        apply_edits("a\n", [Edit(3, 1, 3, 1, "x")])
    with pytest.raises(StaleEdit):
        apply_edits("a\n", [Edit(1, 4, 1, 4, "x")])


def test_two_insertions_at_one_place_clash() -> None:
    assert clash([Edit(1, 1, 1, 1, "x\n")], [Edit(1, 1, 1, 1, "y\n")])
    assert not clash([Edit(1, 1, 1, 1, "x\n")], [Edit(2, 1, 2, 1, "y\n")])


def test_lines_behind_an_edit_move() -> None:
    edits = edits_between("a\nb\nc\n", "a\nx\ny\nb\nc\n")
    assert [moved_line(line, edits) for line in (1, 2, 3)] == [1, 4, 5]
