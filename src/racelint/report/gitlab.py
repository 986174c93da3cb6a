"""`--output-format gitlab`: a Code Quality report, which GitLab shows in the merge request.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from typing import Any

from racelint.model.finding import Finding
from racelint.report.json import encode
from racelint.report.view import View

_SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}


def render(view: View) -> str:
    """The report as a JSON array with a final newline."""
    return encode([_issue(finding) for finding in view.result.findings])


def _issue(finding: Finding) -> dict[str, Any]:
    return {
        "description": f"{finding.code} {finding.name}: {finding.message}",
        "check_name": finding.code,
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": finding.path,
            "positions": {
                "begin": {"line": finding.line, "column": finding.column},
                "end": {"line": finding.end_line, "column": finding.end_column},
            },
        },
        "content": {"body": finding.why},
    }
