"""Findings to verdicts: the dynamic half, run over what a scan found."""

from __future__ import annotations

from pathlib import Path

import msgspec

from racelint.config.settings import ConfirmSettings
from racelint.model.finding import Finding, Severity, Verdict, severity_rank
from racelint.model.result import Problem, ScanResult
from racelint.rules.registry import all_rules


def prove(
    result: ScanResult, settings: ConfirmSettings, root: Path, minimum: Severity, jobs: int | None = None
) -> ScanResult:
    """`result` with a verdict on each finding of `minimum` severity or graver whose rule can be confirmed.

    This runs the scanned code. What turns out harmless becomes `info`, with the reason in its verdict. Where there is
    no interpreter to run it, the result says so as an error.
    """
    confirmable = {rule.code for rule in all_rules() if rule.confirmable}
    asked = [
        position
        for position, finding in enumerate(result.findings)
        if finding.code in confirmable and severity_rank(finding.severity) <= severity_rank(minimum)
    ]
    if not asked:
        return result
    from racelint.confirm import CannotRun, confirm_findings

    try:
        chosen = [result.findings[position] for position in asked]
        verdicts = confirm_findings(chosen, settings, root, jobs or 1)
    except CannotRun as error:
        return msgspec.structs.replace(result, errors=(*result.errors, Problem("interpreter", str(error))))
    findings = list(result.findings)
    for position, verdict in zip(asked, verdicts, strict=True):
        findings[position] = _judged(findings[position], verdict)
    return msgspec.structs.replace(result, findings=tuple(findings))


def _judged(finding: Finding, verdict: Verdict) -> Finding:
    severity: Severity = "info" if verdict.status == "benign" else finding.severity
    return msgspec.structs.replace(finding, verdict=verdict, severity=severity)
