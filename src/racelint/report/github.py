"""`--output-format github`: workflow commands that GitHub Actions turns into annotations of the change.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from racelint.model.finding import Finding
from racelint.model.result import Problem
from racelint.report.counts import joined
from racelint.report.view import View

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(view: View) -> str:
    """One command for each finding and each error of the scan, and the counts for who reads the log."""
    lines = [_finding(finding) for finding in view.result.findings]
    lines += [_problem(problem) for problem in view.result.errors]
    return joined(lines, view)


def _finding(finding: Finding) -> str:
    place = {
        "file": finding.path,
        "line": str(finding.line),
        "endLine": str(finding.end_line),
        "col": str(finding.column),
        "endColumn": str(finding.end_column),
        "title": f"racelint {finding.code} {finding.name}",
    }
    if finding.line != finding.end_line:  # GitHub refuses columns for several lines
        del place["col"], place["endColumn"]
    properties = ",".join(f"{key}={_escaped(value, property_=True)}" for key, value in place.items())
    text = f"{finding.path}:{finding.line}:{finding.column}: {finding.code} {finding.message}"
    message = "\n".join(filter(None, (text, finding.why)))
    return f"::{_COMMANDS[finding.severity]} {properties}::{_escaped(message)}"


def _problem(problem: Problem) -> str:
    place = f"file={_escaped(problem.path, property_=True)}," if problem.path else ""
    return f"::error {place}title=racelint::{_escaped(problem.message)}"


def _escaped(text: str, *, property_: bool = False) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C") if property_ else escaped
