"""Of the RaceBench bugs that a scan finds and that import on Python 3.11: how many `confirm` proves, and how.

Without user code first; where that does not do and `racebench/fixtures/ID.py` is there (ten lines at most), with it.
What confirmed a buggy release is searched for in the fixed one as well: the same scenario, the same budget.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from environments import environment
from packages import CACHE, HERE, REPOSITORY
from racebench_bench import Trees, base_of, fetched
from scoring import Bug, matches
from tools import Hit, Racelint, measured

COPY = tempfile.TemporaryDirectory(prefix="racelint-bench-")
shutil.copytree(REPOSITORY / "src" / "racelint", Path(COPY.name, "racelint"))
sys.path.insert(0, COPY.name)  # edits meanwhile change nothing
TOOL = Racelint()

import msgspec  # noqa: E402

from racelint.config.settings import ConfirmSettings  # noqa: E402
from racelint.confirm import CannotRun, Limits, confirm_finding, limits_of  # noqa: E402
from racelint.confirm.exploration import judged  # noqa: E402
from racelint.confirm.held import as_called  # noqa: E402
from racelint.confirm.interpreter import find_interpreter  # noqa: E402
from racelint.confirm.operations import Entry  # noqa: E402
from racelint.confirm.project import Project  # noqa: E402
from racelint.confirm.replay import read_replay  # noqa: E402
from racelint.confirm.runner import run_job  # noqa: E402
from racelint.confirm.scenes import instrumented  # noqa: E402
from racelint.confirm.synthesis import open_module  # noqa: E402
from racelint.model.finding import Finding, Step, Verdict  # noqa: E402
from racelint.model.scenario import Budget, Job, Operation  # noqa: E402

FIXTURES = HERE / "racebench" / "fixtures"
FIXTURE_LINES = 10
MOST_FINDINGS = 4
"""Findings of one bug that are tried, the gravest first."""

CODES = {
    "unlocked-write": "RL101",
    "inconsistent-guard": "RL102",
    "check-then-act": "RL104",
    "lazy-init": "RL105",
    "unsafe-iteration": "RL106",
    "lock-leak": "RL201",
    "wait-not-in-loop": "RL301",
    "lock-order": "RL204",
    "self-deadlock": "RL203",
    "wrong-lock": "RL103",
    "per-call-lock": "RL206",
    "blocking-under-lock": "RL204",
    "mp-misuse": "RL604",
    "asyncio-atomicity": "RL702",
}
"""The rule that a bug of the category is most likely found by."""

ORDER = ("confirmed", "benign", "not-reproduced", "inconclusive", "unsupported")


@dataclass(frozen=True)
class Site:
    """One release of a bug's package: its tree, the file in it, and the interpreter that has what it needs."""

    base: Path
    file: Path
    python: Path


@dataclass
class Result:
    """What came of one bug. `bare` without user code, `helped` with a fixture; `fixed` is of the fixed release."""

    bug: Bug
    found: list[Finding] = field(default_factory=list)
    bare: Verdict | None = None
    helped: Verdict | None = None
    fixed: Verdict | str = ""
    seconds: float = 0.0
    trouble: str = ""

    @property
    def verdict(self) -> Verdict | None:
        return self.helped or self.bare

    @property
    def confirmed(self) -> bool:
        return any(verdict is not None and verdict.status == "confirmed" for verdict in (self.bare, self.helped))

    @property
    def unaided(self) -> bool:
        return self.bare is not None and self.bare.status == "confirmed"


def findings_of(bug: Bug, trees: Trees, *, alone: bool) -> list[Finding]:
    """The findings that find the bug, as a scan of its package (or of its file alone) gives them."""
    part = trees.buggy if alone else trees.buggy_part
    base = base_of(part, bug)
    kept = CACHE / "findings" / TOOL.version() / f"{bug.package}=={bug.buggy}-{part.name}.json"
    if not kept.is_file():
        words = [sys.executable, "-m", "racelint", "scan", part.relative_to(base).as_posix()]
        done, _, _ = measured([*words, "--isolated", "--output-format", "json", "-j1"], base, Path(COPY.name))
        json.loads(done.stdout)
        kept.parent.mkdir(parents=True, exist_ok=True)
        scratch = kept.with_name(f"{kept.name}.{os.getpid()}")
        scratch.write_text(done.stdout)
        scratch.replace(kept)
    every = [msgspec.convert({**one, "why": ""}, Finding) for one in json.loads(kept.read_text())["findings"]]
    return [one for one in every if one.severity in TOOL.grave and one.path == bug.file and matches(hit_of(one), bug)]


def hit_of(finding: Finding) -> Hit:
    fields = (finding.path, finding.line, finding.code, finding.severity, finding.symbol, finding.subject)
    return Hit(*fields, finding.message)


def assumed(bug: Bug) -> Finding:
    """The finding that a scan which knew the bug would make."""
    line, code = bug.lines[0], CODES.get(bug.category, "RL101")
    message = f"`{', '.join(bug.shared)}`"
    fields = (code, "assumed", message, "", bug.file, line, 1, line, 2, "error", "high", None, bug.qualname, message)
    steps = tuple(Step("access", "", bug.file, other, 1) for other in range(bug.lines[0] + 1, bug.lines[1] + 1))
    return Finding(*fields, steps)


def verdicts(site: Site, result: Result, limits: Limits) -> Iterator[Verdict]:
    """One verdict for each of the bug's findings."""
    os.chdir(site.base)  # the paths of findings start there
    for finding in result.found[:MOST_FINDINGS]:
        yield confirm_finding(finding, limits, site.base)


def best(found: Iterator[Verdict]) -> Verdict:
    """The first that confirms, else the one that says most."""
    seen: list[Verdict] = []
    for verdict in found:
        if verdict.status == "confirmed":
            return verdict
        seen.append(verdict)
    return min(seen, key=lambda verdict: ORDER.index(verdict.status))


def in_fixed_release(result: Result, buggy: Site, fixed: Site, limits: Limits) -> Verdict | str:
    """The scenario that confirmed the bug, searched in the fixed release: it must show nothing there."""
    confirmed = next(v for v in (result.bare, result.helped) if v is not None and v.status == "confirmed")
    if not confirmed.schedule:
        return "no schedule"
    scenario = read_replay(confirmed.schedule, buggy.base).scenario
    project = Project(fixed.base)
    instrument = tuple(map(str, instrumented(project, open_module(project, fixed.file))))
    sys_path = tuple(folder.replace(str(buggy.base), str(fixed.base)) for folder in scenario.sys_path)
    operations = tuple(as_in(project, fixed, operation) for operation in scenario.operations)
    moved = msgspec.structs.replace(
        scenario, path=str(fixed.file), sys_path=sys_path, operations=operations, instrument=instrument, flagged=()
    )
    budget = Budget(seconds=limits.budget, memory=limits.memory, bound=limits.bound, seed=limits.seed)
    answer = judged(moved, run_job(Job(moved, budget), find_interpreter(str(fixed.python), fixed.base)))
    return Verdict(answer.status, answer.effect, outcome=answer.outcome, reason=answer.reason)


def as_in(project: Project, site: Site, operation: Operation) -> Operation:
    """The operation as the callers of its method run it in this release: under their lock, where they take one."""
    module = open_module(project, site.file)
    owner, _, name = operation.label.rpartition(".")
    cls = module.classes.get(owner)
    function = project.find_method(module, cls, name) if cls is not None else None
    return as_called(project, Entry(module, function, cls), operation, "subject") if function else operation


def compiled(tree: Path, python: Path) -> None:
    """Byte-compile the release's tree, as an installation does."""
    if not any(tree.rglob("*.pyc")):
        subprocess.run([str(python), "-m", "compileall", "-q", "-q", str(tree)], check=False)


def judge(bug: Bug, options: argparse.Namespace) -> Result:
    """All that is to be known of one bug; what cannot be had is its `trouble`."""
    result = Result(bug)
    begun = time.monotonic()
    trees = fetched(bug)
    if isinstance(trees, str):
        result.trouble = trees
        return result
    result.found = [assumed(bug)] if options.assume else findings_of(bug, trees, alone=options.file)
    if not result.found:
        return result
    try:
        python = environment(bug.package, bug.buggy)
    except RuntimeError as error:
        result.trouble = f"cannot be installed: {error}".splitlines()[0]
        return result
    buggy = Site(base_of(trees.buggy_part, bug), trees.buggy, python)
    compiled(buggy.base, python)
    limits = msgspec.structs.replace(limits_of(ConfirmSettings(str(python), options.budget)))
    try:
        result.bare = best(verdicts(buggy, result, limits))
        fixture = FIXTURES / f"{bug.id}.py"
        if result.bare.status != "confirmed" and fixture.is_file():
            helped = msgspec.structs.replace(limits, fixtures=str(fixture))
            result.helped = best(verdicts(buggy, result, helped))
        if result.confirmed and trees.fixed is not None and not options.no_fixed:
            fixed = Site(base_of(trees.fixed_part, bug), trees.fixed, environment(bug.package, bug.fixed))
            compiled(fixed.base, fixed.python)
            result.fixed = in_fixed_release(result, buggy, fixed, limits)
    except (CannotRun, RuntimeError) as error:
        result.trouble = str(error).splitlines()[0]
    result.seconds = time.monotonic() - begun
    return result


def row(result: Result, *, verbose: bool) -> str:
    """One line for a bug, and why it was not confirmed."""
    found = ",".join(dict.fromkeys(finding.code for finding in result.found)) or "-"
    bare = result.bare.status if result.bare else result.trouble or "not found"
    helped = result.helped.status if result.helped else ""
    fixed = result.fixed if isinstance(result.fixed, str) else f"fixed: {result.fixed.status}"
    text = f"{result.bug.id:42} {found:18.18} {bare:16.90} {helped:15} {fixed:22} {result.seconds:5.0f} s"
    verdict = result.verdict
    if verbose and verdict is not None:
        shown = verdict.outcome if verdict.status == "confirmed" else ""
        text += f"\n      {' '.join((shown or '').split())[:300]} {' '.join(verdict.reason.split())[:900]}"
        if not isinstance(result.fixed, str) and result.fixed.status != "not-reproduced":
            text += f"\n      FIXED: {result.fixed.effect} {result.fixed.outcome} {result.fixed.reason}"[:500]
    return text


def totals(results: Sequence[Result]) -> str:
    """The shares, of the bugs that were found."""
    usable = [result for result in results if not result.trouble and result.found]
    bare = sum(result.unaided for result in usable)
    either = sum(result.confirmed for result in usable)
    fixed = [result.fixed for result in usable if isinstance(result.fixed, Verdict)]
    again = sum(verdict.status == "confirmed" for verdict in fixed)
    lines = [
        f"\n{len(results)} bugs of packages that import on Python 3.11; {len(usable)} of them found and could be run",
        f"confirmed with no user code: {bare} ({bare / max(1, len(usable)):.0%})",
        f"confirmed with at most {FIXTURE_LINES} lines: {either} ({either / max(1, len(usable)):.0%})",
        f"of the {len(fixed)} scenarios run again in the fixed release, confirmed there: {again}",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", metavar="ID", help="this bug alone (repeatable)")
    parser.add_argument("--category", help="the bugs of this category")
    parser.add_argument("--file", action="store_true", help="scan the bug's file alone: quick, and nearly the same")
    parser.add_argument("--assume", action="store_true", help="confirm as if the scan had found every bug")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds for each finding")
    parser.add_argument("--no-fixed", action="store_true", help="leave the fixed releases out")
    parser.add_argument("--verbose", action="store_true", help="say why, too")
    options = parser.parse_args()
    for fixture in sorted(FIXTURES.glob("*.py")):
        lines = [line for line in fixture.read_text().splitlines() if line.strip() and not line.startswith("#")]
        assert len(lines) <= FIXTURE_LINES, f"{fixture.name} has {len(lines)} lines"
    entries = json.loads((HERE / "racebench" / "manifest.json").read_text())
    bugs = [Bug.from_entry(entry) for entry in entries if entry["py311_import"]]
    bugs = [bug for bug in bugs if not options.only or bug.id in options.only]
    bugs = [bug for bug in bugs if not options.category or bug.category == options.category]
    results = []
    for bug in bugs:
        results.append(judge(bug, options))
        print(row(results[-1], verbose=options.verbose), flush=True)
    print(totals(results))


if __name__ == "__main__":
    main()
