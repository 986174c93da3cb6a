"""Snippets, colour and counts."""

from __future__ import annotations

import pytest

from racelint.engine.threshold import above
from racelint.model.finding import Finding, Severity, Step, Verdict, Witness, WitnessStep
from racelint.model.result import ScanResult, Silenced
from racelint.report import concise, full
from racelint.report.counts import count_line
from racelint.report.snippet import Mark, render_snippets
from racelint.report.style import PLAIN, Style, wants_colour
from racelint.report.view import View


def finding(severity: Severity = "error", line: int = 2, verdict: Verdict | None = None) -> Finding:
    return Finding(
        code="RL101",
        name="unguarded-mutation",
        message="`Account.money` is changed with no lock",
        why="`stingy` and `spendy` run in parallel.",
        path="bank.py",
        line=line,
        column=5,
        end_line=line,
        end_column=20,
        severity=severity,
        confidence="high",
        evidence="thread",
        symbol="Account.stingy",
        subject="bank.Account.money",
        trace=(
            Step("root", "thread `stingy` starts here", "app.py", 9, 1),
            Step("access", "written here", "bank.py", line, 5),
            Step("conflict", "and here", "bank.py", 5, 5, ("bank.Account.lock",)),
        ),
        verdict=verdict,
    )


LINES = {"bank.py": ("def stingy(self):", "    self.money += 10", "", "def spendy(self):", "    self.money -= 20")}


def test_full_shows_both_accesses_and_how_the_thread_came_there() -> None:
    assert full.render(View(ScanResult((finding(),), files=1, lines=LINES))) == (
        "bank.py:2:5: error RL101 unguarded-mutation: `Account.money` is changed with no lock\n"
        "  |\n"
        "2 |     self.money += 10\n"
        "  |     ^^^^^^^^^^^^^^^ written here, holding no lock\n"
        "  :\n"
        "5 |     self.money -= 20\n"
        "  |     ---------- and here, holding bank.Account.lock\n"
        "  why: `stingy` and `spendy` run in parallel.\n"
        "  root: thread `stingy` starts here (app.py:9)\n"
        "\n"
        "1 error in 1 file\n"
    )


def test_full_shows_the_verdict_with_its_interleaving() -> None:
    witness = Witness(("stingy", "spendy"), (WitnessStep(0, "bank.py", 2, "self.money += 10", "read money = 100"),))
    verdict = Verdict(
        status="confirmed",
        effect="lost-update",
        schedule="rl1:abc",
        schedules_run=3,
        interpreters={"gil-3.10+": "impossible", "free-threaded": "modelled"},
        outcome="money = 110",
        expected=("money = 90",),
        reason="an update was lost",
        witness=witness,
    )
    text = full.render(View(ScanResult((finding(verdict=verdict),), files=1, lines=LINES)))
    for part in (
        "verdict: confirmed (lost-update), 3 schedules run",
        "read money = 100",
        "seen:     money = 110",
        "expected: money = 90",
        "CPython 3.10+ with the GIL: impossible; free-threaded: modelled",
        "racelint replay rl1:abc",
        "1 error in 1 file (1 confirmed)",
    ):
        assert part in text


def test_concise_is_one_line_a_finding() -> None:
    silenced = (Silenced(finding(), "comment"), Silenced(finding(), "baseline"), Silenced(finding(), "baseline"))
    result = above(ScanResult((finding(), finding("info", 3)), files=2, silenced=silenced), "warning")
    assert concise.render(View(result)) == (
        "bank.py:2:5: error RL101 unguarded-mutation: `Account.money` is changed with no lock\n"
        "1 error in 2 files (1 below `warning` not shown, 1 suppressed, 2 in the baseline)\n"
    )


def test_carets_line_up_under_tabs_wide_characters_and_marks() -> None:
    lines = {"a.py": ("\tx = '漢é' + self.n",)}
    shown = render_snippets([Mark("a.py", 1, 13, "here", main=True)], lines, "a.py", PLAIN)
    assert shown == ["  |", "1 | \tx = '漢é' + self.n", "  | \t            ^^^^^^ here"]


def test_control_characters_of_the_source_do_not_reach_the_terminal() -> None:
    shown = render_snippets([Mark("a.py", 1, 1, "", main=True)], {"a.py": ("x = '\x1b[31m'",)}, "a.py", PLAIN)
    assert "\x1b" not in "".join(shown)


def test_long_lines_are_cut_around_the_caret() -> None:
    line = "x = [" + "1, " * 1000 + "self.n]"
    shown = render_snippets(
        [Mark("a.py", 1, line.index("self.n") + 1, "", main=True)], {"a.py": (line,)}, "a.py", PLAIN
    )
    assert max(map(len, shown)) < 160
    assert shown[1].endswith("self.n]")
    assert shown[2].index("^") == shown[1].index("self.n")


@pytest.mark.parametrize(("line", "column"), [(1, 1), (7, 3), (1, 99)])
def test_a_place_beyond_the_source_is_no_crash(line: int, column: int) -> None:
    assert render_snippets([Mark("a.py", line, column, "", 200, main=True)], {"a.py": ("",)}, "a.py", PLAIN)


def test_another_file_is_named() -> None:
    lines = {"a.py": ("x",), "b.py": ("y",)}
    shown = render_snippets([Mark("a.py", 1, 1, "", main=True), Mark("b.py", 1, 1, "")], lines, "a.py", PLAIN)
    assert " --> b.py:1:1" in shown


def test_counts() -> None:
    assert count_line(ScanResult((), files=1)) == "no findings in 1 file"
    findings = (finding(), finding(), finding("warning"), finding("info"))
    assert count_line(ScanResult(findings, files=3)) == "2 errors, 1 warning, 1 info in 3 files"


@pytest.mark.parametrize(
    ("choice", "environ", "terminal", "colour"),
    [
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": "xterm"}, True, True),
        ("auto", {}, False, False),
    ],
)
def test_colour_is_decided_once(choice: str, environ: dict[str, str], terminal: bool, colour: bool) -> None:
    assert wants_colour(choice, environ, terminal=terminal) is colour


def test_colour_wraps_words() -> None:
    assert Style(colour=True).severity("error") == "\x1b[31;1merror\x1b[0m"
    assert PLAIN.severity("error") == "error"
