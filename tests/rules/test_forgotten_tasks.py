"""What is read twice does harm where the second read is for a method that None has not, and else is advice."""

from __future__ import annotations

from pathlib import Path

from racelint.config.settings import Settings
from racelint.engine.scan import ScanOptions, scan

FIXTURE = Path(__file__).parent.parent / "fixtures" / "rl104" / "forgotten_tasks.py"


def test_a_method_of_what_may_be_none_by_then_is_more_than_advice() -> None:
    found = scan([FIXTURE.name], ScanOptions(Settings(), jobs=1), str(FIXTURE.parent)).findings
    severities = {finding.symbol: finding.severity for finding in found}
    assert severities == {"ClientBad._read": "warning", "FlagAdvice._read": "info", "HandledAdvice.close": "info"}
