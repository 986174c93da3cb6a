"""The last line of a report: how many findings of which severity, in how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from racelint.model.finding import Severity
from racelint.model.result import ScanResult
from racelint.report.view import View

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


def joined(blocks: Sequence[str], view: View, between: str = "\n") -> str:
    """The blocks of a report as text with a final newline, what they come to in the last line; empty for nothing."""
    parts = blocks if view.quiet else (*blocks, count_line(view.result))
    return between.join(parts) + "\n" if parts else ""


def count_line(result: ScanResult) -> str:
    """One sentence for people, of what is shown and what is held back."""
    counts = Counter(finding.severity for finding in result.findings)
    parts = [several(counts[severity], severity) for severity in SEVERITIES if counts[severity]]
    files = several(result.files, "file")
    sentence = f"{', '.join(parts)} in {files}" if parts else f"no findings in {files}"
    confirmed = sum(f.verdict is not None and f.verdict.status == "confirmed" for f in result.findings)
    extras = [
        f"{number} {what}"
        for number, what in (
            (result.held_back, f"below {result.threshold} not shown"),
            (result.suppressed, "suppressed"),
            (result.baselined, "in the baseline"),
            (result.unchanged, f"older than {result.revision}"),
            (confirmed, "confirmed"),
        )
        if number
    ]
    return sentence + (f" ({', '.join(extras)})" if extras else "")


def several(number: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {word}{'s' if number != 1 and word != 'info' else ''}"
