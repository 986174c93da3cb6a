"""For each rule: how many marked defects of its examples and fixtures it flags, and how many safe ones it leaves alone.

A defect is a line that a marker comment expects a code on (`FN` ones, known to be missed, included). A safe example is
a definition whose name ends in `ok`, and the `Use instead` of a rule's documentation.

With `--confirm`, of each rule that can be confirmed: whether its bad example is, and what is of its good one (nothing).
"""

from __future__ import annotations

import argparse
import ast
import sys
import tempfile
from collections import Counter
from pathlib import Path

from packages import REPOSITORY
from rules_confirm import alarms, proofs

sys.path.insert(0, str(REPOSITORY))

from tests.markers import Marked, marked

from racelint.config.settings import Settings
from racelint.engine.scan import ScanOptions, scan
from racelint.model.finding import Finding
from racelint.rules.base import Rule
from racelint.rules.registry import all_rules

FIXTURES = REPOSITORY / "tests" / "fixtures"


def findings(case: Path) -> list[Finding]:
    """What all rules say of one fixture, in paths relative to it."""
    folder, target = (case, ".") if case.is_dir() else (case.parent, case.name)
    return list(scan([target], ScanOptions(Settings(select=("ALL",)), jobs=1), str(folder)).findings)


def safe_definitions(case: Path) -> list[tuple[str, range]]:
    """The definitions whose name says that they are safe: file and lines."""
    files = sorted(case.rglob("*.py")) if case.is_dir() else [case]
    found = []
    for file in files:
        name = file.relative_to(case).as_posix() if case.is_dir() else file.name
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            if named and node.name.lower().endswith("ok"):
                found.append((name, range(node.lineno, (node.end_lineno or node.lineno) + 1)))
    return found


class Score:
    """Counts by code."""

    def __init__(self) -> None:
        self.bad: Counter[str] = Counter()
        self.flagged: Counter[str] = Counter()
        self.good: Counter[str] = Counter()
        self.silent: Counter[str] = Counter()
        self.confirmed: dict[str, str] = {}
        self.why: list[str] = []

    def add_bad(self, wanted: Marked, found: list[Finding]) -> None:
        places = {(finding.path, finding.line, finding.code) for finding in found}
        for place in wanted.expected | wanted.missed:
            self.bad[place[2]] += 1
            self.flagged[place[2]] += place in places

    def add_good(self, code: str, safe: list[tuple[str, range]], found: list[Finding], wanted: Marked) -> None:
        """A definition inside which nothing of `code` is found, but for what is marked as expected there.

        Advice that a rule gives only on request (severity info, with the reason why it does no harm) is no finding.
        """
        advises = any(rule.code == code and rule.severity == "info" for rule in all_rules())
        said = [f for f in found if f.code == code and (advises or f.severity != "info")]
        for name, lines in safe:
            inside = {(f.path, f.line, f.code) for f in said if f.path == name and f.line in lines}
            self.good[code] += 1
            self.silent[code] += inside <= wanted.expected

    def confirm(self, rule: Rule, bad: Path, found: list[Finding], good: Path, budget: float) -> None:
        """Confirm the bad example, and try to confirm the good one; what is not as it should be is kept as a line."""
        verdicts = proofs(rule, bad, found, budget)
        confirmed = [verdict for verdict in verdicts if verdict.status == "confirmed"]
        false = alarms(good, budget)
        measured = [f", {verdict.outcome}" for verdict in confirmed if verdict.effect == "cost"]
        self.confirmed[rule.code] = ("".join(["yes", *measured]) if confirmed else "NO") + (
            f", {len(false)} FALSE" if false else ""
        )
        if not confirmed:
            said = verdicts[0] if verdicts else None
            self.why.append(
                f"{rule.code} not confirmed: {said.status + ', ' + said.reason if said else 'not found'}"[:400]
            )
        self.why += [f"{rule.code} confirmed in the good example: {name}: {v.outcome}"[:400] for name, v in false]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--confirm", action="store_true", help="confirm the examples of the documentation as well")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds for each confirmation")
    parser.add_argument("--only", action="append", metavar="CODE", help="this rule's documentation alone (repeatable)")
    options = parser.parse_args()
    rules = [rule for rule in all_rules() if not options.only or rule.code in options.only]
    score = Score()
    with tempfile.TemporaryDirectory() as scratch:
        for rule in rules:
            bad = Path(scratch, f"{rule.code}_bad.py")
            bad.write_text(rule.example("Example"), encoding="utf-8")
            found = findings(bad)
            score.add_bad(marked(bad), found)
            good = Path(scratch, f"{rule.code}_good.py")
            good.write_text(rule.example("Use instead"), encoding="utf-8")
            lines = range(1, len(good.read_text(encoding="utf-8").splitlines()) + 1)
            score.add_good(rule.code, [(good.name, lines)], findings(good), marked(good))
            if options.confirm and rule.confirmable:
                score.confirm(rule, bad, found, good, options.budget)
    for folder in sorted(FIXTURES.glob("rl[0-9][0-9][0-9]")) if not options.only else ():
        for case in sorted(p for p in folder.iterdir() if p.suffix == ".py" or (p.is_dir() and any(p.rglob("*.py")))):
            found, wanted = findings(case), marked(case)
            score.add_bad(wanted, found)
            score.add_good(folder.name.upper(), safe_definitions(case), found, wanted)
    title = "confirmed" if options.confirm else ""
    print(f"{'code':6} {'name':30} {'flagged':>9} {'silent':>9}  {title}".rstrip())
    for rule in rules:
        code = rule.code
        flagged, silent = f"{score.flagged[code]}/{score.bad[code]}", f"{score.silent[code]}/{score.good[code]}"
        print(f"{code:6} {rule.name:30} {flagged:>9} {silent:>9}  {score.confirmed.get(code, '')}".rstrip())
    flagged, silent = f"{score.flagged.total()}/{score.bad.total()}", f"{score.silent.total()}/{score.good.total()}"
    print(f"{'all':6} {'':30} {flagged:>9} {silent:>9}")
    print(*score.why, sep="\n", end="\n" if score.why else "")
    waiting = sorted(set(score.bad) - {rule.code for rule in all_rules()})
    if waiting:
        print("marked, with no rule yet:", " ".join(waiting))


if __name__ == "__main__":
    main()
