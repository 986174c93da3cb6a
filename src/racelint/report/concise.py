"""`--output-format concise`: one line a finding, as compilers print them."""

from __future__ import annotations

from racelint.model.finding import Finding
from racelint.report.counts import joined
from racelint.report.style import Style
from racelint.report.view import View


def render(view: View) -> str:
    """The report as text."""
    lines = [_line(finding, view.style) for finding in view.result.findings]
    return joined(lines, view)


def _line(finding: Finding, style: Style) -> str:
    place = style(f"{finding.path}:{finding.line}:{finding.column}:", "bold")
    verdict = f" [{finding.verdict.status}]" if finding.verdict is not None else ""
    severity = style.severity(finding.severity)
    return f"{place} {severity} {finding.code} {finding.name}: {finding.message}{verdict}"
