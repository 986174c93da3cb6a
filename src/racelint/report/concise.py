"""`--output-format concise`: one line a finding, as compilers print them."""

from __future__ import annotations

from racelint.model.finding import Finding, Severity
from racelint.model.result import ScanResult
from racelint.report.counts import at_least, count_line
from racelint.report.style import Style


def render_concise(result: ScanResult, minimum: Severity, style: Style) -> str:
    """The report as text with a final newline."""
    lines = [_line(finding, style) for finding in at_least(result, minimum)]
    return "\n".join([*lines, count_line(result, minimum)]) + "\n"


def _line(finding: Finding, style: Style) -> str:
    place = style(f"{finding.path}:{finding.line}:{finding.column}:", "bold")
    verdict = f" [{finding.verdict.status}]" if finding.verdict is not None else ""
    severity = style.severity(finding.severity)
    return f"{place} {severity} {finding.code} {finding.name}: {finding.message}{verdict}"
