"""The last line of a report: how many findings of which severity, in how much."""

from __future__ import annotations

from collections import Counter

from racelint.model.finding import Finding, Severity, severity_rank
from racelint.model.result import ScanResult

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


def at_least(result: ScanResult, minimum: Severity) -> tuple[Finding, ...]:
    """The findings of `minimum` severity or graver."""
    return tuple(f for f in result.findings if severity_rank(f.severity) <= severity_rank(minimum))


def count_line(result: ScanResult, minimum: Severity) -> str:
    """One sentence for people, of what is shown at `minimum` and what is held back."""
    counts = Counter(finding.severity for finding in result.findings)
    shown = [severity for severity in SEVERITIES if severity_rank(severity) <= severity_rank(minimum)]
    parts = [_several(counts[severity], severity) for severity in shown if counts[severity]]
    hidden = sum(counts[severity] for severity in SEVERITIES if severity not in shown)
    files = _several(result.files, "file")
    sentence = f"{', '.join(parts)} in {files}" if parts else f"no findings in {files}"
    extras = []
    if hidden:
        extras.append(f"{hidden} below `{minimum}` not shown")
    if result.suppressed:
        extras.append(f"{result.suppressed} suppressed")
    confirmed = sum(f.verdict is not None and f.verdict.status == "confirmed" for f in result.findings)
    if confirmed:
        extras.append(f"{confirmed} confirmed")
    return sentence + (f" ({', '.join(extras)})" if extras else "")


def _several(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number != 1 and word != 'info' else ''}"
