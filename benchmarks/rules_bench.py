"""For each rule: how many marked defects of its examples and fixtures it flags, and how many safe ones it leaves alone.

A defect is a line that a marker comment expects a code on (`FN` ones, known to be missed, included). A safe example is
a definition whose name ends in `ok`, and the `Use instead` of a rule's documentation.
"""

from __future__ import annotations

import ast
import sys
import tempfile
from collections import Counter
from pathlib import Path

from packages import REPOSITORY

sys.path.insert(0, str(REPOSITORY))

from tests.markers import Marked, marked

from racelint.config.settings import Settings
from racelint.engine.scan import ScanOptions, scan
from racelint.model.finding import Finding
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

    def add_bad(self, wanted: Marked, found: list[Finding]) -> None:
        places = {(finding.path, finding.line, finding.code) for finding in found}
        for place in wanted.expected | wanted.missed:
            self.bad[place[2]] += 1
            self.flagged[place[2]] += place in places

    def add_good(self, code: str, safe: list[tuple[str, range]], found: list[Finding], wanted: Marked) -> None:
        """A definition inside which nothing of `code` is found, but for what is marked as expected there."""
        for name, lines in safe:
            inside = {(f.path, f.line, f.code) for f in found if f.code == code and f.path == name and f.line in lines}
            self.good[code] += 1
            self.silent[code] += inside <= wanted.expected


def main() -> None:
    score = Score()
    with tempfile.TemporaryDirectory() as scratch:
        for rule in all_rules():
            bad = Path(scratch, f"{rule.code}_bad.py")
            bad.write_text(rule.example("Example"), encoding="utf-8")
            score.add_bad(marked(bad), findings(bad))
            good = Path(scratch, f"{rule.code}_good.py")
            good.write_text(rule.example("Use instead"), encoding="utf-8")
            lines = range(1, len(good.read_text(encoding="utf-8").splitlines()) + 1)
            score.add_good(rule.code, [(good.name, lines)], findings(good), marked(good))
    for folder in sorted(FIXTURES.glob("rl[0-9][0-9][0-9]")):
        for case in sorted(p for p in folder.iterdir() if p.suffix == ".py" or (p.is_dir() and any(p.rglob("*.py")))):
            found, wanted = findings(case), marked(case)
            score.add_bad(wanted, found)
            score.add_good(folder.name.upper(), safe_definitions(case), found, wanted)
    print(f"{'code':6} {'name':30} {'flagged':>9} {'silent':>9}")
    for rule in all_rules():
        code = rule.code
        flagged, silent = f"{score.flagged[code]}/{score.bad[code]}", f"{score.silent[code]}/{score.good[code]}"
        print(f"{code:6} {rule.name:30} {flagged:>9} {silent:>9}")
    flagged, silent = f"{score.flagged.total()}/{score.bad.total()}", f"{score.silent.total()}/{score.good.total()}"
    print(f"{'all':6} {'':30} {flagged:>9} {silent:>9}")
    waiting = sorted(set(score.bad) - {rule.code for rule in all_rules()})
    if waiting:
        print("marked, with no rule yet:", " ".join(waiting))


if __name__ == "__main__":
    main()
