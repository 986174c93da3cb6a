"""Fixes: for each rule that has one, of the findings in its fixtures and examples how many get a fix, how many fixes
parse and make the finding go, and how many races that were confirmed before are proved gone after.

The same for the bugs of RaceBench that a scan of their file finds.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from environments import environment
from fixing import Outcome, outcomes
from packages import HERE, REPOSITORY
from racebench_bench import base_of, fetched
from scoring import Bug, matches
from tools import Hit

from racelint.fixes.registry import all_fixers
from racelint.model.finding import Finding
from racelint.rules.registry import all_rules

FIXTURES = REPOSITORY / "tests" / "fixtures"
BY_HAND = HERE / "racebench" / "fixtures"
"""What a user would write to have a bug confirmed, ten lines at most."""
COLUMNS = ("findings", "fixed", "safe", "parse", "gone", "confirmed", "proved gone")


def of_rule(code: str, budget: float) -> list[Outcome]:
    """The rule's bad example, and its findings in its own fixtures."""
    found: list[Outcome] = []
    rule = next(rule for rule in all_rules() if rule.code == code)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "example.py").write_text(rule.example("Example"))
        found += outcomes(Path(folder), "example.py", lambda finding: finding.code == code, budget)
    for case in sorted((FIXTURES / code.lower()).iterdir()):
        folder, target = (case, ".") if case.is_dir() else (case.parent, case.name)
        if case.suffix == ".py" or case.is_dir():
            found += outcomes(Path(folder), target, lambda finding: finding.code == code, budget)
    return found


def of_bug(bug: Bug, budget: float) -> list[Outcome] | str:
    """The findings that find a bug, in a scan of its file; or why it cannot be had."""
    trees = fetched(bug)
    if isinstance(trees, str):
        return trees
    base = base_of(trees.buggy_part, bug)

    def finds(finding: Finding) -> bool:
        fields = (finding.path, finding.line, finding.code, finding.severity, finding.symbol, finding.subject)
        mine = finding.path == bug.file and finding.severity in ("error", "warning")
        return mine and matches(Hit(*fields, finding.message), bug)

    fixture = BY_HAND / f"{bug.id}.py"
    fixtures = str(fixture) if fixture.is_file() else ""
    target = trees.buggy.relative_to(base).as_posix()
    return outcomes(base, target, finds, budget, partial(environment, bug.package, bug.buggy), fixtures)


def counted(found: Iterable[Outcome]) -> tuple[int, ...]:
    """One number for each of COLUMNS."""
    every = list(found)
    proofs = [outcome.proof for outcome in every if outcome.proof is not None]
    return (
        len(every),
        sum(outcome.offered for outcome in every),
        sum(outcome.safe for outcome in every),
        sum(outcome.parses for outcome in every),
        sum(outcome.gone for outcome in every),
        sum(proof.before == "confirmed" for proof in proofs),
        sum(proof.before == "confirmed" and proof.gone is True for proof in proofs),
    )


def row(name: str, numbers: Sequence[int]) -> str:
    return f"{name:32}" + "".join(f"{number:{len(title) + 2}}" for number, title in zip(numbers, COLUMNS, strict=True))


def heading(title: str) -> str:
    return f"\n{title:32}" + "".join(f"  {column}" for column in COLUMNS)


def remarks(found: Iterable[Outcome]) -> Iterable[str]:
    """What there is to read where a fix falls short."""
    for outcome in found:
        place = f"    {outcome.finding.path}:{outcome.finding.line} {outcome.finding.code}"
        if outcome.finding.fix is not None and not outcome.offered:
            yield f"{place} for a person to finish: {outcome.finding.fix.reason}"
        elif not outcome.offered:
            yield f"{place} no fix: {outcome.finding.no_fix_reason}"
        elif not outcome.gone:
            yield f"{place} still found, or something new"
        if outcome.proof is not None and (outcome.proof.gone is False or outcome.proof.before != "confirmed"):
            yield f"{place} {outcome.proof.words}"


def obstacles(found: Iterable[Outcome]) -> Iterable[str]:
    """What stands in the way of fixes that can be applied, the most frequent first; names are left out."""
    reasons: Counter[str] = Counter()
    for outcome in found:
        fix = outcome.finding.fix
        if fix is None:
            reasons[in_general(outcome.finding.no_fix_reason)] += 1
        elif not outcome.offered:
            reasons[f"for a person to finish: {in_general(fix.reason)}"] += 1
    yield "\nno fix, because"
    for reason, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        yield f"{number:6}  {reason}"


def in_general(reason: str) -> str:
    """A reason without names; what stands behind a colon, but for the code of a rule, is of one case alone."""
    return re.sub(r"\S+\.py", "….py", re.sub(r"`[^`]*`", "`…`", reason.partition(": ")[0]))


def rules_table(pool: ProcessPoolExecutor, options: argparse.Namespace) -> None:
    print(heading("rule"))
    codes = [code for code in all_fixers() if not options.rule or code in options.rule]
    waiting = {code: pool.submit(of_rule, code, options.budget) for code in codes}
    every: list[Outcome] = []
    names = {rule.code: rule.name for rule in all_rules()}
    for code, future in waiting.items():
        found = future.result()
        every += found
        print(row(f"{code} {names[code]}", counted(found)), flush=True)
        if options.verbose:
            print(*remarks(found), sep="\n")
    print(row("all", counted(every)))
    if options.verbose:
        print(*obstacles(every), sep="\n")


def bugs_table(pool: ProcessPoolExecutor, bugs: Sequence[Bug], options: argparse.Namespace) -> None:
    print(heading("RaceBench"))
    waiting = {bug: pool.submit(of_bug, bug, options.budget) for bug in bugs}
    found: dict[Bug, list[Outcome]] = {}
    for bug, future in waiting.items():
        answer = future.result()
        if isinstance(answer, str):
            print(f"not to be had, left out: {bug.id}: {answer}")
        elif answer:
            found[bug] = answer
            if options.verbose:
                print(row(bug.id[:31], counted(answer)), *remarks(answer), sep="\n", flush=True)
    for category in sorted({bug.category for bug in found}):
        print(row(category, counted(o for bug, here in found.items() if bug.category == category for o in here)))
    print(row("all", counted(outcome for here in found.values() for outcome in here)))
    if options.verbose:
        print(*obstacles(outcome for here in found.values() for outcome in here), sep="\n")
    offered = [here for here in found.values() if any(outcome.offered for outcome in here)]
    gone = sum(all(outcome.gone for outcome in here if outcome.offered) for here in offered)
    confirmed = [here for here in offered if any(o.proof and o.proof.before == "confirmed" for o in here)]
    proved = sum(all(o.proof.gone for o in here if o.proof and o.proof.before == "confirmed") for here in confirmed)
    print(f"\n{len(found)} bugs found, {len(offered)} of them with a fix: the findings go in {gone}")
    print(f"{len(confirmed)} bugs with a fix confirmed before: the race is proved gone in {proved}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=3.0, help="seconds to confirm each finding, and after; 0: not")
    parser.add_argument("--rule", action="append", metavar="CODE", help="this rule alone (repeatable)")
    parser.add_argument("--only", action="append", metavar="ID", help="this bug of RaceBench alone (repeatable)")
    parser.add_argument("--category", help="the bugs of this category")
    parser.add_argument("--no-rules", action="store_true", help="RaceBench alone")
    parser.add_argument("--no-racebench", action="store_true", help="the rules alone")
    parser.add_argument("--verbose", action="store_true", help="say what falls short, and why; count the reasons")
    options = parser.parse_args()
    entries = json.loads((HERE / "racebench" / "manifest.json").read_text())
    bugs = [Bug.from_entry(entry) for entry in entries]
    bugs = [bug for bug in bugs if not options.only or bug.id in options.only]
    bugs = [bug for bug in bugs if not options.category or bug.category == options.category]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        if not options.no_rules:
            rules_table(pool, options)
        if not options.no_racebench:
            bugs_table(pool, bugs, options)


if __name__ == "__main__":
    main()
