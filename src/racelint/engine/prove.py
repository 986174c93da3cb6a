"""Findings to verdicts: the dynamic half, run over what a scan found."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from racelint.config.settings import ConfirmSettings
from racelint.engine.progress import Progress
from racelint.engine.workforce import WorkerError, cores
from racelint.model.finding import Finding, Severity, Verdict, severity_rank
from racelint.model.result import Problem, ScanResult
from racelint.rules.registry import all_rules

if TYPE_CHECKING:
    from racelint.fixes.draft import Draft
    from racelint.fixes.mending import Ruling


def prove(
    result: ScanResult,
    settings: ConfirmSettings,
    root: str,
    minimum: Severity,
    jobs: int | None = None,
    progress: Progress | None = None,
    scheduler: str = "",
) -> ScanResult:
    """`result` with a verdict on each finding of `minimum` severity or graver whose rule can be confirmed.

    This runs the scanned code, in `jobs` processes at a time (default: one for each core), or on the workers of
    `scheduler` where that is given. What turns out harmless becomes `info`, with the reason in its verdict. Where there
    is no interpreter to run it, the result says so as an error.
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

    chosen = [result.findings[position] for position in asked]
    top = Path(root)
    try:
        progress = progress or Progress()
        progress.begin("proving", len(chosen), "findings")
        if scheduler:
            verdicts = _proved_on(scheduler, chosen, settings, top, progress)
        else:
            verdicts = confirm_findings(chosen, settings, top, jobs or cores(), progress.advance)
    except (CannotRun, WorkerError) as error:
        return msgspec.structs.replace(result, errors=(*result.errors, Problem("interpreter", str(error))))
    findings = list(result.findings)
    for position, verdict in zip(asked, verdicts, strict=True):
        findings[position] = _judged(findings[position], verdict)
    return msgspec.structs.replace(result, findings=tuple(findings))


def _proved_on(
    scheduler: str, findings: Sequence[Finding], settings: ConfirmSettings, root: Path, progress: Progress
) -> list[Verdict]:
    """Raises CannotRun, WorkerError."""
    from racelint.confirm import confirm_findings, limits_of
    from racelint.engine.cluster import cluster_at

    cluster = cluster_at(scheduler)
    limits = limits_of(settings)

    there = partial(cluster.confirm, limits=limits, root=root)
    return confirm_findings(findings, limits, root, cluster.threads, progress.advance, there)


def _judged(finding: Finding, verdict: Verdict) -> Finding:
    severity: Severity = "info" if verdict.status == "benign" else finding.severity
    return msgspec.structs.replace(finding, verdict=verdict, severity=severity)


_NOT_RUN = "not tried: the code could not be run"


class Prover:
    """Has the last word on fixes: a race that was confirmed before must be gone after. This runs the scanned code.

    `where` gives the absolute path of each file by the path shown. All fixes share the total budget.
    """

    def __init__(self, settings: ConfirmSettings, root: str, where: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self._settings = settings
        self._root = Path(root)
        self._where = where
        self._deadline = time.monotonic() + settings.total_budget
        self._confirmable = {rule.code for rule in all_rules() if rule.confirmable}

    def approve(self, draft: Draft, finding: Finding, texts: Mapping[str, str]) -> Ruling:
        """Whether the new texts of files are to stand, and what was seen when they were run."""
        from racelint.confirm import CannotRun, Rewritten, prove_fix
        from racelint.fixes.mending import Ruling
        from racelint.fixes.text_edits import edits_between, moved_line

        if self.problems:
            return Ruling(False, _NOT_RUN)
        if finding.code not in self._confirmable:
            return Ruling(True)
        if time.monotonic() > self._deadline:
            return Ruling(False, "not tried: the total budget had ended")
        fixed = {}
        for display, text in texts.items():
            edits = edits_between(draft.tree(display).text, text)
            content = draft.encoded(display, text)
            fixed[Path(self._where[display])] = Rewritten(content, partial(moved_line, edits=edits))
        files = {Path(self._where[display]): source for display, source in draft.sources.items()}
        try:
            proof = prove_fix(finding, Path(self._where[finding.path]), files, fixed, self._settings, self._root)
        except CannotRun as error:
            self.problems.append(Problem("interpreter", str(error)))
            return Ruling(False, _NOT_RUN)
        return Ruling(proof.gone is not False, proof.words, proof.breaks)
