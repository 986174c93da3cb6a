"""Whether a fix helps: the schedule that broke the code is run again on the fixed copy, and the search repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from racelint.config.settings import ConfirmSettings
from racelint.confirm.confirmation import confirm_finding
from racelint.confirm.exploration import judged
from racelint.confirm.interpreter import find_interpreter
from racelint.confirm.project import Project
from racelint.confirm.replay import Replay, read_replay
from racelint.confirm.runner import run_job
from racelint.confirm.scenes import instrumented
from racelint.confirm.settings import Limits, limits_of
from racelint.confirm.synthesis import located, open_module
from racelint.confirm.working_copy import working_copy
from racelint.model.finding import Finding, Status, Verdict
from racelint.model.scenario import Answer, Job, Scenario, Site

NOTHING_TO_MEASURE = "no loop there takes and releases one lock"
"""What the agent says of a loop that no longer locks at every turn."""

NOTHING_CAME_UP = "the budget ended"
"""How the agent begins where it broke the search off with nothing seen that needs an explanation."""

MANY_TIMES = 10
"""As many schedules as it took to break the code before the fix: a search that was broken off after more counts."""

Moved = Callable[[int], int]
"""From a line of the file before the fix to the one after it."""


class Rewritten(NamedTuple):
    """The new bytes of a file, and where its lines went."""

    content: bytes
    moved: Moved


class Proof(NamedTuple):
    """`before`: the verdict before the fix. `gone` is None where that confirmed nothing. `words` say what was seen.

    `breaks`: the code goes wrong after the fix, too.
    """

    gone: bool | None
    words: str
    before: Status = "confirmed"
    breaks: bool = False


def prove_fix(
    finding: Finding,
    where: Path,
    files: Mapping[Path, bytes],
    fixed: Mapping[Path, Rewritten],
    settings: ConfirmSettings | Limits,
    root: Path,
) -> Proof:
    """Confirm the finding of the file `where` in a copy of the project with `files`, then try the `fixed` files there.

    Raises CannotRun where there is no interpreter to run it.
    """
    root = root.resolve()
    limits = limits_of(settings)
    interpreter = find_interpreter(limits.python or "", root)
    limits = msgspec.structs.replace(limits, python=interpreter.path)
    with working_copy(root, {path.resolve(): content for path, content in files.items()}) as copy:
        target = copy / where.resolve().relative_to(root)
        before = confirm_finding(_inside(finding, root, copy), limits, copy)
        if before.status != "confirmed":
            seen = f": {before.outcome}" if before.outcome else ""
            gone = False if before.status == "benign" else None
            return Proof(gone, f"{before.status} before the fix{seen}", before.status)
        lines = {str(copy / path.resolve().relative_to(root)): file.moved for path, file in fixed.items()}
        for path, file in fixed.items():
            (copy / path.resolve().relative_to(root)).write_bytes(file.content)
        if before.schedule is None:
            return _without_schedule(
                before, confirm_finding(_shifted(_inside(finding, root, copy), lines), limits, copy)
            )
        scenario, recorded = _on_fixed(read_replay(before.schedule, copy), target, lines, copy)
        budget = limits.of_search(limits.budget)
        again = judged(scenario, run_job(Job(scenario, budget, recorded.schedule), interpreter))
        if again.status == "confirmed":
            return Proof(False, "the schedule that broke the code still does after the fix", breaks=True)
        found = judged(scenario, run_job(Job(scenario, budget), interpreter))
        return _said(found, scenario, len(recorded.schedule.switches), before.schedules_run)


def _without_schedule(before: Verdict, after: Verdict) -> Proof:
    """What every order shows, or what was measured: seen before, and looked for again."""
    if after.status == "confirmed":
        return Proof(False, f"confirmed before the fix, and after it: {after.outcome}", breaks=True)
    if NOTHING_TO_MEASURE in (after.reason or ""):
        return Proof(True, f"confirmed before the fix ({before.outcome}); after it, {NOTHING_TO_MEASURE} at every turn")
    gone = after.status in ("not-reproduced", "benign")
    return Proof(gone, f"confirmed before the fix ({before.outcome}), {after.status} after it: {after.reason}")


def _shifted(finding: Finding, lines: Mapping[str, Moved]) -> Finding:
    """The finding on the lines where its code stands after the fix."""
    trace = tuple(
        msgspec.structs.replace(step, line=lines[step.path](step.line)) if step.path in lines else step
        for step in finding.trace
    )
    if finding.path not in lines:
        return msgspec.structs.replace(finding, trace=trace)
    moved = lines[finding.path]
    return msgspec.structs.replace(finding, trace=trace, line=moved(finding.line), end_line=moved(finding.end_line))


def _inside(finding: Finding, root: Path, copy: Path) -> Finding:
    """The finding as if the copy had been scanned."""

    def moved(path: str) -> str:
        real = located(path, Path.cwd(), root)
        return str(copy / real.relative_to(root)) if real.is_relative_to(root) else str(real)

    steps = tuple(msgspec.structs.replace(step, path=moved(step.path)) for step in finding.trace)
    return msgspec.structs.replace(finding, path=moved(finding.path), trace=steps)


def _on_fixed(recorded: Replay, target: Path, lines: Mapping[str, Moved], copy: Path) -> tuple[Scenario, Replay]:
    """The recorded scenario for the copy as it stands now."""
    project = Project(copy)
    files = instrumented(project, open_module(project, target))
    flagged = tuple(
        Site(site.path, lines[site.path](site.line)) if site.path in lines else site
        for site in recorded.scenario.flagged
    )
    scenario = msgspec.structs.replace(recorded.scenario, instrument=tuple(map(str, files)), flagged=flagged)
    return scenario, recorded


def _said(found: Answer, scenario: Scenario, preemptions: int, needed: int) -> Proof:
    """What the second search says. One that ended early counts if it went as far as the schedule that was found, or far
    beyond the number of schedules that it `needed`."""
    labels = " ‖ ".join(operation.label for operation in scenario.operations)
    run = f"{found.schedules_run} schedules of {labels}"
    if found.status == "confirmed":
        return Proof(False, f"{found.effect} after the fix, within {run}", breaks=True)
    if found.status in ("not-reproduced", "benign"):
        return Proof(True, f"confirmed before the fix, not reproduced after it within {run}")
    if found.status == "inconclusive" and found.bound_exhausted >= preemptions:
        bound = f"all with at most {found.bound_exhausted} preemptions"
        return Proof(True, f"confirmed before the fix, not reproduced after it within {run} ({bound})")
    is_broken_off = found.status == "inconclusive" and found.reason.startswith(NOTHING_CAME_UP)
    if is_broken_off and found.schedules_run >= MANY_TIMES * needed:
        bound = f"{run} (the budget ended)"
        return Proof(True, f"confirmed before the fix within {needed}, not reproduced after it within {bound}")
    return Proof(False, f"confirmed before the fix, {found.status} after it: {found.reason}")
