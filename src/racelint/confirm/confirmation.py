"""The entry points: confirm a finding, all findings of a scan, or what the user names; replay a string."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec

from racelint.config.settings import ConfirmSettings
from racelint.confirm.entries import Program, confirm_program
from racelint.confirm.errors import CannotRun
from racelint.confirm.exploration import SHORTEST, Exploration, Tried
from racelint.confirm.fixtures import Fixtures, read_fixtures
from racelint.confirm.interpreter import Interpreter, find_interpreter
from racelint.confirm.project import Project
from racelint.confirm.recipes import Attempt, unsupported
from racelint.confirm.recorded import read_recorded
from racelint.confirm.replay import digest_of, read_replay
from racelint.confirm.runner import run_job
from racelint.confirm.running import CHILDREN
from racelint.confirm.scenes import Stage, instrumented
from racelint.confirm.settings import Limits, limits_of
from racelint.confirm.synthesis import attempts_for, located, open_module, stage_for
from racelint.confirm.targets import Target, parse_target, target_attempts
from racelint.confirm.verdict import cannot, verdict_of
from racelint.model.finding import Finding, Verdict, severity_rank
from racelint.model.scenario import Job

Elsewhere = Callable[[Finding | str, float], Verdict]
"""Runs a finding, or the target of that text, for at most so many seconds in the place of this machine."""


class TargetResult(msgspec.Struct, frozen=True):
    """What came of one target; one that names a rule has a result for each of its findings."""

    target: str
    finding: Finding | None
    verdict: Verdict


def confirm_finding(finding: Finding, settings: ConfirmSettings | Limits, project_root: Path) -> Verdict:
    """Run the scenarios of one finding. Raises CannotRun where there is no interpreter to run them."""
    limits = limits_of(settings)
    bench = _Bench.open(limits, project_root)
    return bench.confirm(finding, limits.budget)


def confirm_findings(
    findings: Sequence[Finding],
    settings: ConfirmSettings | Limits,
    root: Path,
    jobs: int = 1,
    judged: Callable[[], None] = lambda: None,
    elsewhere: Elsewhere | None = None,
) -> list[Verdict]:
    """A verdict for each finding, in their order; the gravest are run first, `jobs` of them at a time.

    They share the total budget: what it does not reach is `inconclusive`. `judged` is called after each, by any thread.
    Raises CannotRun as `confirm_finding`.
    """
    limits = limits_of(settings)
    confirm = elsewhere or _Bench.open(limits, root).confirm
    deadline = time.monotonic() + limits.total
    order = sorted(range(len(findings)), key=lambda index: _gravity(findings[index], index))

    def judge(index: int) -> Verdict:
        left = deadline - time.monotonic()
        if left < SHORTEST and not unsupported(findings[index].code):
            return cannot("inconclusive", f"the total budget of {limits.total:g} s ended before it was tried")
        return confirm(findings[index], min(limits.budget, left))

    return _in_parallel(judge, order, jobs, judged)


def confirm_target(
    target: str,
    findings: Sequence[Finding],
    settings: ConfirmSettings | Limits,
    root: Path | None = None,
    jobs: int = 1,
    elsewhere: Elsewhere | None = None,
) -> list[TargetResult]:
    """Confirm what TARGET names: `findings` are those it may select from (a scan of its file).

    A rule that has no finding in the file gives no result: there is nothing to confirm. Raises CannotRun with a
    sentence for a target that names nothing at all.
    """
    limits = limits_of(settings)
    parsed = parse_target(target)
    cwd = Path.cwd()
    if not parsed.wants_findings:
        if elsewhere is not None:
            return [TargetResult(target, None, elsewhere(target, limits.alone))]
        if parsed.is_test:
            program = Program((cwd / parsed.path).resolve(), parsed.test)
            return [TargetResult(target, None, confirm_program(program, limits, root or cwd))]
        bench = _Bench.open(limits, root or cwd)
        return [TargetResult(target, None, bench.explore(parsed, limits.alone))]
    chosen = [finding for finding in findings if parsed.selects(finding, cwd)]
    if not chosen and (parsed.fingerprint or parsed.line or not is_known_code(parsed.code)):
        raise CannotRun(_no_finding(parsed, findings, cwd))
    verdicts = confirm_findings(chosen, limits, root or cwd, jobs, elsewhere=elsewhere)
    return [TargetResult(target, finding, verdict) for finding, verdict in zip(chosen, verdicts, strict=True)]


def replay(
    text: str, settings: ConfirmSettings | Limits, roots: Sequence[Path], *, then_search: bool = False
) -> tuple[str, Verdict]:
    """Run a replay string again: its target and what came of it now. Raises BadReplay, CannotRun.

    The paths in it start from the first of `roots` below which the target's file lies. Where the interleaving goes
    right now, the search may find another one that does not: `then_search`.
    """
    limits = limits_of(settings)
    root = next((root for root in roots if Path(read_replay(text, root).scenario.path).is_file()), roots[0])
    recorded = read_replay(text, root)
    path = Path(recorded.scenario.path)
    if not path.is_file():
        raise CannotRun(f"{path} is not there: replay in the folder that the string was made for, or give --root")
    bench = _Bench.open(limits, root)
    files = instrumented(bench.project, open_module(bench.project, path))
    scenario = msgspec.structs.replace(recorded.scenario, instrument=tuple(map(str, files)))
    budget = limits.of_search(limits.budget)
    answer = run_job(Job(scenario, budget, recorded.schedule), bench.interpreter)
    if then_search and answer.status == "not-reproduced":
        answer = run_job(Job(scenario, budget), bench.interpreter)
    exploration = Exploration(bench.interpreter, limits, limits.budget, [Tried(scenario, answer)])
    verdict = verdict_of(exploration, [], recorded.target, root)
    changed = recorded.digest != digest_of(path)
    return recorded.target, _with_change(verdict, path, changed=changed)


class _Bench:
    """What all confirmations of one run share."""

    def __init__(self, limits: Limits, project: Project, fixtures: Fixtures, interpreter: Interpreter) -> None:
        self.limits = limits
        self.project = project
        self.fixtures = fixtures
        self.interpreter = interpreter
        self.cwd = Path.cwd()

    @classmethod
    def open(cls, limits: Limits, root: Path) -> _Bench:
        root = root.resolve()
        interpreter = find_interpreter(limits.python or "", root)
        fixtures = read_fixtures(limits.fixtures, limits.factories, read_recorded(root))
        fixtures = replace(fixtures, setup=limits.setup, invariant=limits.invariant)
        return cls(limits, Project(root), fixtures, interpreter)

    def confirm(self, finding: Finding, seconds: float) -> Verdict:
        reason = unsupported(finding.code)
        if reason:
            return cannot("unsupported", reason)
        try:
            stage = stage_for(finding, self.project, self.fixtures, self.cwd)
        except CannotRun as error:
            return cannot("unsupported", str(error))
        target = f"{finding.path}::{finding.code}@{finding.line}"
        return self._verdict(stage, lambda: attempts_for(finding, stage, self.cwd), target, seconds)

    def explore(self, target: Target, seconds: float) -> Verdict:
        path = located(target.path, self.cwd, self.cwd)
        if path.is_dir():
            raise CannotRun(f"{target.path} is a folder: name a file")
        stage = Stage(self.project, self.fixtures, open_module(self.project, path))
        return self._verdict(stage, lambda: target_attempts(stage, target), target.text, seconds)

    def _verdict(self, stage: Stage, attempts: Callable[[], Iterable[Attempt]], target: str, seconds: float) -> Verdict:
        exploration = Exploration(self.interpreter, self.limits, seconds)
        exploration.run(attempts, stage.guesses)
        return verdict_of(exploration, stage.guesses.uncertain, target, self.cwd)


def _in_parallel(
    judge: Callable[[int], Verdict], order: Sequence[int], jobs: int, judged: Callable[[], None]
) -> list[Verdict]:
    """The verdicts in the order of the findings. Threads suffice: the work is in the child processes."""
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        waiting = {index: pool.submit(judge, index) for index in order}
        for verdict in waiting.values():
            verdict.add_done_callback(lambda _: judged())
        try:
            return [waiting[index].result() for index in sorted(order)]
        except BaseException:
            with CHILDREN.ending():
                pool.shutdown(cancel_futures=True)
            raise


def _gravity(finding: Finding, index: int) -> tuple[int, int, int]:
    confidence = {"high": 0, "medium": 1, "low": 2}[finding.confidence]
    return severity_rank(finding.severity), confidence, index


def is_known_code(code: str) -> bool:
    """Whether a rule has this code."""
    from racelint.rules.registry import all_rules

    return any(rule.code == code for rule in all_rules())


def _no_finding(target: Target, findings: Sequence[Finding], cwd: Path) -> str:
    if target.fingerprint:
        return f"no finding has the fingerprint {target.fingerprint}"
    if not is_known_code(target.code):
        return f"there is no rule {target.code}"
    here = [f for f in findings if (cwd / f.path).resolve() == (cwd / target.path).resolve()]
    known = ", ".join(dict.fromkeys(f"{f.code}@{f.line}" for f in here))
    place = f" on line {target.line}" if target.line else ""
    return f"{target.path} has no finding {target.code}{place}" + (f"; it has: {known}" if known else "")


def _with_change(verdict: Verdict, path: Path, *, changed: bool) -> Verdict:
    if not changed:
        return verdict
    note = f"{path.name} has changed since the string was made"
    reason = f"{note}; {verdict.reason}" if verdict.reason else note
    return msgspec.structs.replace(verdict, reason=reason)
