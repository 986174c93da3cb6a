"""The lanes of a terminal say what the plain ones say."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from racelint.model.finding import Verdict, Witness, WitnessStep
from racelint.report.coloured_lanes import render_coloured_lanes
from racelint.report.columns import columns
from racelint.report.lanes import render_lanes
from racelint.report.style import PLAIN, Style
from racelint.report.verdicts import render_verdict
from tests.report.pages import CONFIRMED, WITNESS

CODES = re.compile(r"\x1b\[[\d;]*m")


def bare(lines: list[str]) -> list[str]:
    return [CODES.sub("", line).rstrip() for line in lines]


def test_the_lanes_are_those_of_the_plain_text() -> None:
    coloured = bare(render_coloured_lanes(WITNESS, 120, "lost-update"))
    plain = render_lanes(WITNESS, 120, "lost-update")
    assert [line.split() for line in coloured[2:]] == [line.split() for line in plain[2:]]
    assert coloured[0].split() == plain[0].split()


def test_wide_characters_keep_the_lanes_apart() -> None:
    steps = (
        WitnessStep(0, "本.py", 4, "値 = self.棚[鍵]", f"read 棚 = '{'漢字' * 30}'"),
        WitnessStep(1, "本.py", 4, "self.棚 = 値", "wrote 棚 = 'e\u0301 ' + '漢'"),
    )
    witness = Witness(("図書館.足す", "図書館.引く"), steps)
    for lines in (render_lanes(witness, 80), bare(render_coloured_lanes(witness, 80, None))):
        assert len({columns(line.split("│")[0]) for line in lines if "│" in line}) == 1
        assert max(map(columns, lines)) <= 80
        assert "".join(line.split("│")[0].strip() for line in lines).count("漢字") == 30


def test_a_long_word_is_broken_and_not_cut() -> None:
    witness = Witness(("a", "b"), (WitnessStep(0, "a.py", 1, "x" * 90, "read x = " + "y" * 90),))
    for lines in (render_lanes(witness, 80), bare(render_coloured_lanes(witness, 80, None))):
        text = "".join(lines)
        assert (text.count("x"), text.count("y")) == (91, 90)


def test_the_wrong_step_is_red() -> None:
    (line,) = (line for line in render_coloured_lanes(WITNESS, 120, "lost-update") if "✗" in line)
    assert "\x1b[1;31m✗ overwrites _balance = 150" in line


def test_a_narrow_terminal_gets_the_plain_text() -> None:
    assert render_coloured_lanes(WITNESS, 40, None) == render_lanes(WITNESS, 40)


def test_colour_decides() -> None:
    coloured, plain = (render_verdict(CONFIRMED, 120, style) for style in (Style(colour=True), PLAIN))
    assert any("\x1b[" in line for line in coloured)
    assert not any("\x1b[" in line for line in plain)
    assert render_verdict(Verdict("unsupported"), 120, Style(colour=True))


def test_what_a_terminal_would_obey_is_not_said() -> None:
    step = WitnessStep(0, "a.py", 1, "print('\x1b[2J')", "read x = '\x1b[31m'")
    text = "".join(bare(render_coloured_lanes(Witness(("a", "b"), (step,)), 100, None)))
    assert "\x1b" not in text and "\x1b" not in "".join(render_lanes(Witness(("a", "b"), (step,)), 100))


words = st.text(alphabet=st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=9)
sentences = st.lists(words, min_size=1, max_size=14).map(" ".join)
steps = st.builds(WitnessStep, st.integers(0, 2), st.just("m.py"), st.integers(1, 999), sentences, sentences)


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, min_size=1, max_size=12), st.integers(84, 140))
def test_every_word_stands_in_its_lane(found: list[WitnessStep], width: int) -> None:
    lines = bare(render_coloured_lanes(Witness(("first", "second", "third"), tuple(found)), width, None))
    assert all(len(line) <= width for line in lines)
    threads = sorted({one.thread for one in found})
    for lane, thread in enumerate(threads):
        own = " ".join(line.split("│")[lane] for line in lines if line.count("│") == len(threads) - 1)
        for one in found:
            if one.thread == thread:
                assert set(one.action.split()) <= set(own.split())
