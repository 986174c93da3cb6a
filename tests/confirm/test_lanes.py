"""The two-lane trace: every step in its thread's column, in order, within the width."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from racelint.model.finding import Witness, WitnessStep
from racelint.report.lanes import render_lanes


def step(thread: int, line: int, action: str, path: str = "bank.py", source: str = "self.money += 10") -> WitnessStep:
    return WitnessStep(thread, path, line, source, action)


LOST = Witness(
    ("Account.stingy", "Account.spendy"),
    (
        step(0, 12, "read money = 100"),
        step(1, 17, "read money = 100", source="self.money -= 20"),
        step(1, 17, "wrote money = 80", source="self.money -= 20"),
        step(0, 12, "wrote money = 110"),
    ),
)


def test_two_lanes() -> None:
    assert render_lanes(LOST, 66) == [
        "Account.stingy                  │ Account.spendy",
        "─" * 31 + "─┼─" + "─" * 31,
        "12  self.money += 10            │",
        "    read money = 100            │",
        "                                │ 17  self.money -= 20",
        "                                │     read money = 100",
        "                                │     wrote money = 80",
        "12  … wrote money = 110         │",
    ]


def test_narrow_screens_get_turns() -> None:
    assert render_lanes(LOST, 40) == [
        "Account.stingy:",
        "  12  self.money += 10",
        "      read money = 100",
        "Account.spendy:",
        "  17  self.money -= 20",
        "      read money = 100",
        "      wrote money = 80",
        "Account.stingy:",
        "  12  … wrote money = 110",
    ]


def test_files_are_named_where_there_are_several() -> None:
    witness = Witness(("a", "b"), (step(0, 1, "read x = 1", "one.py"), step(1, 2, "wrote x = 2", "two.py")))
    lines = "\n".join(render_lanes(witness, 100))
    assert "one.py:1" in lines and "two.py:2" in lines


def test_nothing_to_show() -> None:
    assert render_lanes(Witness((), ()), 80) == []
    assert render_lanes(Witness(("a", "b"), ()), 80) == []


words = st.text(alphabet=st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=9)
sentences = st.lists(words, min_size=1, max_size=14).map(" ".join)
steps = st.builds(step, st.integers(0, 2), st.integers(1, 999), sentences, st.just("m.py"), sentences)


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, min_size=1, max_size=12), st.integers(60, 140))
def test_every_word_stands_in_its_lane(found: list[WitnessStep], width: int) -> None:
    lines = render_lanes(Witness(("first", "second", "third"), tuple(found)), width)
    assert all(len(line) <= width for line in lines)
    threads = sorted({one.thread for one in found})
    bars = len(threads) - 1
    wide = (width - 3 * bars) // len(threads) >= 26
    for lane, thread in enumerate(threads):
        own = (
            " ".join(line.split("│")[lane] if line.count("│") == bars else "" for line in lines)
            if wide
            else " ".join(lines)
        )
        for one in found:
            if one.thread == thread:
                assert set(one.action.split()) <= set(own.split())
