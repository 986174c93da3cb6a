"""Fixes: for each rule that has one, of the findings in its fixtures and examples how many get a fix, how many fixes
parse and make the finding go, and how many races that were confirmed before are proved gone after.

The same for the bugs of RaceBench that a scan of their file finds. Each rule and each bug is asked about in a process
of its own and its answer kept until the sources change: a run that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
from environments import environment
from fixing import Outcome, outcomes
from kept_answers import KeptAnswers, NoAnswer
from packages import HERE, REPOSITORY
from racebench_bench import base_of, fetched
from scoring import Bug, matches
from tools import Hit, fingerprint, snapshot

from racelint.fixes.registry import all_fixers
from racelint.model.finding import Finding
from racelint.rules.registry import all_rules

FIXTURES = REPOSITORY / "tests" / "fixtures"
BY_HAND = HERE / "racebench" / "fixtures"
"""What a user would write to have a bug confirmed, ten lines at most."""
COLUMNS = ("findings", "fixed", "safe", "parse", "gone", "confirmed", "proved gone")
SOURCES = REPOSITORY / "src" / "racelint"


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
        sum(outcome.gone and outcome.offered for outcome in every),
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
        if outcome.offered and outcome.unproved:
            yield f"{place} {outcome.unproved}"
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


def proved(found: Iterable[Outcome]) -> bool | None:
    """Whether what was confirmed with a fix at hand is gone with it, all of it; None where nothing was confirmed."""
    proofs = [outcome.proof for outcome in found if outcome.proof and outcome.proof.before == "confirmed"]
    return all(proof.gone is True for proof in proofs) if proofs else None


class Asked:
    """The rules and bugs that are asked about, and what came of each so far: its outcomes, or why there are none."""

    def __init__(self, budget: float, limit: float) -> None:
        self.budget = budget
        self.limit = limit
        version = fingerprint(SOURCES, but=frozenset({"report"}))
        self.kept = KeptAnswers.named(f"fixes-{budget:g}s", version, snapshot(SOURCES, version))

    def about_rule(self, code: str) -> list[Outcome] | str:
        return self._answer(code, sorted((FIXTURES / code.lower()).rglob("*.py")))

    def about_bug(self, bug: Bug) -> list[Outcome] | str:
        return self._answer(bug.id, [file for file in [BY_HAND / f"{bug.id}.py"] if file.is_file()])

    def _answer(self, name: str, files: Iterable[Path]) -> list[Outcome] | str:
        command = [sys.executable, str(Path(__file__)), "--budget", str(self.budget), "--answer", name]
        rests_on = [Path(__file__), HERE / "fixing.py", HERE / "scoring.py", *files]
        try:
            return msgspec.json.decode(self.kept.answer(name, rests_on, command, self.limit), type=list[Outcome] | str)
        except NoAnswer as error:
            return str(error)


def write_answer(name: str, path: Path, budget: float) -> None:
    """What one process of `Asked` does. `name` is a rule's code or a bug's id."""
    bug = next((bug for bug in every_bug() if bug.id == name), None)
    path.write_bytes(msgspec.json.encode(of_rule(name, budget) if bug is None else of_bug(bug, budget)))


def every_bug() -> list[Bug]:
    return [Bug.from_entry(entry) for entry in json.loads((HERE / "racebench" / "manifest.json").read_text())]


def rules_table(answers: Iterable[tuple[str, list[Outcome] | str]], *, verbose: bool) -> str:
    """Print it; the figures in one line."""
    print(heading("rule"))
    every: list[Outcome] = []
    silent = 0
    names = {rule.code: rule.name for rule in all_rules()}
    for code, found in answers:
        if isinstance(found, str):
            print(f"{code} {names[code]}: {found}", flush=True)
            silent += 1
            continue
        every += found
        print(row(f"{code} {names[code]}", counted(found)), flush=True)
        if verbose:
            print(*remarks(found), sep="\n", flush=True)
    numbers = counted(every)
    print(row("all", numbers))
    if verbose:
        print(*obstacles(every), sep="\n")
    found, fixed, _, _, gone, confirmed, after = numbers
    return (
        f"rules: {found} findings, {fixed} with a fix, gone with it {gone}; "
        f"confirmed before {confirmed}, proved gone after {after}; without an answer {silent}"
    )


def bugs_table(answers: Iterable[tuple[Bug, list[Outcome] | str]], *, verbose: bool) -> str:
    """Print it; the figures in one line."""
    print(heading("RaceBench"))
    found: dict[Bug, list[Outcome]] = {}
    silent = 0
    for bug, answer in answers:
        if isinstance(answer, str):
            print(f"left out: {bug.id}: {answer}", flush=True)
            silent += 1
        elif answer:
            found[bug] = answer
            if verbose:
                print(row(bug.id[:31], counted(answer)), *remarks(answer), sep="\n", flush=True)
    for category in sorted({bug.category for bug in found}):
        print(row(category, counted(o for bug, here in found.items() if bug.category == category for o in here)))
    print(row("all", counted(outcome for here in found.values() for outcome in here)))
    if verbose:
        print(*obstacles(outcome for here in found.values() for outcome in here), sep="\n")
    return f"RaceBench: {shares(found)}; without an answer {silent}"


def shares(found: Mapping[Bug, Sequence[Outcome]]) -> str:
    """The figures by bug, where a bug counts if all of its findings with a fix do."""
    offered = [here for here in found.values() if any(outcome.offered for outcome in here)]
    gone = sum(all(outcome.gone for outcome in here if outcome.offered) for here in offered)
    proofs = [proof for here in offered if (proof := proved(o for o in here if o.offered)) is not None]
    return (
        f"{len(found)} bugs found, {len(offered)} with a fix, gone with it {gone}; "
        f"confirmed before {len(proofs)}, proved gone after {sum(proofs)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=3.0, help="seconds to confirm each finding, and after; 0: not")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds for all of one rule or bug")
    parser.add_argument("--answer", nargs=2, metavar=("NAME", "FILE"), help="write what comes of one rule or bug")
    parser.add_argument("--rule", action="append", metavar="CODE", help="this rule alone (repeatable)")
    parser.add_argument("--only", action="append", metavar="ID", help="this bug of RaceBench alone (repeatable)")
    parser.add_argument("--category", help="the bugs of this category")
    parser.add_argument("--no-rules", action="store_true", help="RaceBench alone")
    parser.add_argument("--no-racebench", action="store_true", help="the rules alone")
    parser.add_argument("--verbose", action="store_true", help="say what falls short, and why; count the reasons")
    options = parser.parse_args()
    if options.answer:
        write_answer(options.answer[0], Path(options.answer[1]), options.budget)
        return
    bugs = [bug for bug in every_bug() if not options.only or bug.id in options.only]
    bugs = [bug for bug in bugs if not options.category or bug.category == options.category]
    codes = [code for code in all_fixers() if not options.rule or code in options.rule]
    asked = Asked(options.budget, options.limit)
    figures = []
    with ThreadPoolExecutor(2) as pool:
        if not options.no_rules:
            rules = zip(codes, pool.map(asked.about_rule, codes), strict=True)
            figures.append(rules_table(rules, verbose=options.verbose))
        if not options.no_racebench:
            answers = zip(bugs, pool.map(asked.about_bug, bugs), strict=True)
            figures.append(bugs_table(answers, verbose=options.verbose))
    print("\n" + "\n".join(figures))


if __name__ == "__main__":
    main()
