"""`--output-format full`: what and why, the source of both accesses, and the verdict with its interleaving."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding, Step
from racelint.model.result import ScanResult
from racelint.report.counts import joined
from racelint.report.snippet import Mark, render_snippets
from racelint.report.style import Style
from racelint.report.verdicts import render_verdict
from racelint.report.view import View

MARKED_ROLES = ("access", "conflict", "lock")
"""Steps of a trace that are shown in the source; the others say in a line how the thread came there."""


def render(view: View) -> str:
    """The report as text."""
    result = view.result
    blocks = ["\n".join(_block(finding, result, view.style, view.width)) for finding in result.findings]
    return joined(blocks, view, "\n\n")


def _block(finding: Finding, result: ScanResult, style: Style, width: int) -> Iterator[str]:
    place = style(f"{finding.path}:{finding.line}:{finding.column}:", "bold")
    head = f"{style.severity(finding.severity)} {style(finding.code, 'bold')} {finding.name}"
    yield f"{place} {head}: {finding.message}"
    if result.lines.get(finding.path):
        yield from render_snippets(_marks(finding), result.lines, finding.path, style)
    if finding.why:
        yield f"  {style('why:', 'bold')} {finding.why}"
    for step in dict.fromkeys(finding.trace):  # the other access may come by the same calls
        if step.role not in MARKED_ROLES:
            yield f"  {style(step.role + ':', 'bold')} {step.message} ({step.path}:{step.line})"
    if finding.fix is not None:
        unsafe = f" ({finding.fix.applicability}: {finding.fix.reason})" if finding.fix.reason else ""
        yield f"  {style('fix:', 'bold')} {finding.fix.message}{unsafe}"
    elif finding.no_fix_reason:
        yield f"  {style('no fix:', 'bold')} {finding.no_fix_reason}"
    if finding.verdict is not None:
        yield from (f"  {line}".rstrip() for line in render_verdict(finding.verdict, width - 2, style))


def _marks(finding: Finding) -> list[Mark]:
    """The finding's own place first, then the other accesses and locks of its trace, each place once."""
    own = next((step for step in reversed(finding.trace) if _is_own(step, finding)), None)
    end = finding.end_column if finding.end_line == finding.line else 1_000_000
    label = _label(own) if own is not None else ""
    marks = [Mark(finding.path, finding.line, finding.column, label, end, main=True)]
    seen = {(finding.path, finding.line, finding.column)}
    for step in finding.trace:
        place = (step.path, step.line, step.column)
        if step.role in MARKED_ROLES and place not in seen:
            seen.add(place)
            marks.append(Mark(step.path, step.line, step.column, _label(step)))
    return marks


def _is_own(step: Step, finding: Finding) -> bool:
    return (step.path, step.line) == (finding.path, finding.line) and step.role in MARKED_ROLES


def _label(step: Step) -> str:
    if step.role == "lock" or not step.message:
        return step.message
    held = f"holding {', '.join(step.lockset)}" if step.lockset else "holding no lock"
    return f"{step.message}, {held}"
