"""Which findings are worth showing to whom: by severity and by confidence."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from racelint.model.finding import Confidence, Finding, Severity, confidence_rank, severity_rank
from racelint.model.result import ScanResult


def above(result: ScanResult, severity: Severity, confidence: Confidence = "low") -> ScanResult:
    """`result` with the findings of at least this severity and confidence; the others are only counted."""
    kept = tuple(
        finding
        for finding in result.findings
        if severity_rank(finding.severity) <= severity_rank(severity)
        and confidence_rank(finding.confidence) <= confidence_rank(confidence)
    )
    threshold = f"`{severity}`" if confidence == "low" else f"`{severity}` or `{confidence}` confidence"
    held_back = len(result.findings) - len(kept)
    return msgspec.structs.replace(result, findings=kept, held_back=held_back, threshold=threshold)


def any_as_grave(findings: Iterable[Finding], severity: Severity) -> bool:
    """Whether one of these findings is of `severity` or graver."""
    return any(severity_rank(finding.severity) <= severity_rank(severity) for finding in findings)


def any_confirmed(findings: Iterable[Finding]) -> bool:
    """Whether one of these findings was confirmed."""
    return any(finding.verdict is not None and finding.verdict.status == "confirmed" for finding in findings)
