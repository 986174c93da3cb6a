"""`--output-format json`: one object, its keys a contract with other programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from racelint import __version__
from racelint.model.finding import Finding, Verdict
from racelint.model.result import Problem
from racelint.report.counts import SEVERITIES
from racelint.report.view import View


def render(view: View) -> str:
    """The scan as JSON text with a final newline."""
    result = view.result
    findings = result.findings
    counts = Counter(finding.severity for finding in findings)
    return encode(
        {
            "version": __version__,
            "findings": [finding_object(finding) for finding in findings],
            "errors": problem_objects(result.errors),
            "summary": {
                "files": result.files,
                "context_files": result.context,
                "findings": len(findings),
                **{severity: counts[severity] for severity in SEVERITIES},
                "suppressed": result.suppressed,
                "baselined": result.baselined,
                "unchanged": result.unchanged,
                "warnings": problem_objects(result.warnings),
            },
        }
    )


def finding_object(finding: Finding) -> dict[str, Any]:
    """One finding as the object that both `scan` and `confirm` print; its message says what and why."""
    fields: dict[str, Any] = msgspec.to_builtins(finding)
    del fields["why"], fields["verdict"], fields["fingerprint"]
    fields["message"] = ": ".join(filter(None, (finding.message, finding.why)))
    fields["trace"] = list(fields["trace"])
    fields["fingerprint"] = finding.fingerprint
    fields["verdict"] = verdict_object(finding.verdict)
    return fields


def verdict_object(verdict: Verdict | None) -> dict[str, Any] | None:
    """One verdict without its witness, which the schedule makes again."""
    if verdict is None:
        return None
    fields: dict[str, Any] = msgspec.to_builtins(verdict)
    del fields["witness"]
    return fields


def problem_objects(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Errors or warnings as objects with kind, message and path."""
    return [msgspec.to_builtins(problem) for problem in problems]


def encode(value: object) -> str:
    """`value` as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
