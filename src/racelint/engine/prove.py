"""Findings to verdicts: the dynamic half, run over what a scan found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from racelint.config.settings import ConfirmSettings
from racelint.model.finding import Finding, Severity, Verdict, severity_rank
from racelint.model.result import ScanResult
from racelint.rules.registry import all_rules


def prove(
    result: ScanResult, settings: ConfirmSettings, root: Path, minimum: Severity, jobs: int | None = None
) -> ScanResult:
    """`result` with a verdict on each finding of `minimum` severity or graver whose rule can be confirmed.

    This runs the scanned code. What turns out harmless becomes `info`, with the reason in its verdict.
    """
    confirmable = {rule.code for rule in all_rules() if rule.confirmable}
    asked = [
        position
        for position, finding in enumerate(result.findings)
        if finding.code in confirmable and severity_rank(finding.severity) <= severity_rank(minimum)
    ]
    if not asked:
        return result
    verdicts = _verdicts([result.findings[position] for position in asked], settings, root, jobs)
    findings = list(result.findings)
    for position, verdict in zip(asked, verdicts, strict=True):
        findings[position] = _judged(findings[position], verdict)
    return msgspec.structs.replace(result, findings=tuple(findings))


def _verdicts(
    findings: Sequence[Finding], settings: ConfirmSettings, root: Path, jobs: int | None
) -> Sequence[Verdict]:
    from racelint.confirm import confirm_findings

    return confirm_findings(findings, settings, root, jobs or 1)


def _judged(finding: Finding, verdict: Verdict) -> Finding:
    severity: Severity = "info" if verdict.status == "benign" else finding.severity
    return msgspec.structs.replace(finding, verdict=verdict, severity=severity)
