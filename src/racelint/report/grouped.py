"""`--output-format grouped`: the findings under the file they lie in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from racelint.model.finding import Finding
from racelint.report.counts import joined
from racelint.report.style import Style
from racelint.report.view import View


def render(view: View) -> str:
    """The report as text."""
    blocks = [
        "\n".join(_block(path, list(findings), view.style))
        for path, findings in groupby(view.result.findings, key=lambda finding: finding.path)
    ]
    return joined(blocks, view, "\n\n")


def _block(path: str, findings: Sequence[Finding], style: Style) -> Iterator[str]:
    yield style(path, "bold")
    places = [f"{finding.line}:{finding.column}" for finding in findings]
    width = max(map(len, places))
    for finding, place in zip(findings, places, strict=True):
        verdict = f" [{finding.verdict.status}]" if finding.verdict is not None else ""
        severity = style.severity(finding.severity) + " " * (len("warning") - len(finding.severity))
        yield f"  {place:>{width}}  {severity}  {finding.code} {finding.name}: {finding.message}{verdict}"
