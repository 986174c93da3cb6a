"""`--output-format rdjson`: what reviewdog reads. Its columns count bytes of UTF-8, the end exclusive.

https://github.com/reviewdog/reviewdog/tree/master/proto/rdf
"""

from __future__ import annotations

from typing import Any

from racelint.model.finding import Finding
from racelint.model.result import ScanResult
from racelint.report.json import encode
from racelint.report.view import View

_SEVERITIES = {"error": "ERROR", "warning": "WARNING", "info": "INFO"}


def render(view: View) -> str:
    """The report as one JSON object with a final newline."""
    result = view.result
    return encode(
        {
            "source": {"name": "racelint", "url": "https://github.com/racelint/racelint"},
            "severity": "WARNING",
            "diagnostics": [_diagnostic(finding, result) for finding in result.findings],
        }
    )


def _diagnostic(finding: Finding, result: ScanResult) -> dict[str, Any]:
    conflicts = [step for step in finding.trace if step.role in ("conflict", "lock", "root")]
    return {
        "message": f"{finding.message}: {finding.why}" if finding.why else finding.message,
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.code},
        "location": {
            "path": finding.path,
            "range": {
                "start": _position(result, finding.path, finding.line, finding.column),
                "end": _position(result, finding.path, finding.end_line, finding.end_column),
            },
        },
        "related_locations": [
            {
                "message": step.message,
                "location": {
                    "path": step.path,
                    "range": {"start": _position(result, step.path, step.line, step.column)},
                },
            }
            for step in conflicts
        ],
    }


def _position(result: ScanResult, path: str, line: int, column: int) -> dict[str, int]:
    lines = result.lines.get(path, ())
    before = lines[line - 1][: column - 1] if 0 < line <= len(lines) else ""
    return {"line": line, "column": len(before.encode("utf-8", "replace")) + 1}
