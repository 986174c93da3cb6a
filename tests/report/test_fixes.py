"""The account of what fixing did: a list, and a line that sums up."""

from __future__ import annotations

import msgspec
import pytest

from racelint.model.finding import Finding
from racelint.model.fix import Fix
from racelint.model.mended import FixResult
from racelint.model.result import ScanResult
from racelint.report.fixes import fix_line, render_fixes
from racelint.report.style import PLAIN
from tests.report.pages import finding

UNPROVED = msgspec.structs.replace(finding(0), fix=Fix("safe", "Hold the lock", (), proof="deadlock after the fix"))
UNFIXED = msgspec.structs.replace(finding(1, "b.py"), no_fix_reason="it is changed in ledger.py, too")


def result(*, withheld: tuple[Finding, ...] = (), unfixed: tuple[Finding, ...] = (), helpless: int = 0) -> FixResult:
    return FixResult((), withheld, unfixed, (), ScanResult(()), helpless=helpless)


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (result(), "nothing fixed"),
        (result(helpless=2), "nothing fixed; 2 findings without a fix"),
        (result(unfixed=(UNFIXED,), helpless=2), "nothing fixed; 2 findings without a fix (why: --show-fixes)"),
        (
            result(withheld=(UNPROVED,)),
            "nothing fixed; 1 left out, since the race was not shown to be gone (why: --show-fixes)",
        ),
    ],
)
def test_the_last_line_says_where_the_reasons_are(done: FixResult, words: str) -> None:
    assert fix_line(done, written=True, listed=False) == words
    assert fix_line(done, written=True, listed=True) == words.removesuffix(" (why: --show-fixes)")


def test_the_list_has_what_was_left_out_and_what_has_no_fix() -> None:
    assert render_fixes(result(withheld=(UNPROVED,), unfixed=(UNFIXED,)), PLAIN).splitlines() == [
        "left out:",
        "bank.py:",
        f"     11 {UNPROVED.code} Hold the lock",
        "              deadlock after the fix",
        "no fix:",
        "b.py:",
        f"     11 {UNFIXED.code} it is changed in ledger.py, too",
    ]
