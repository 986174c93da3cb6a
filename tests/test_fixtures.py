"""Every fixture and example gives exactly the findings that its comments mark, and no others."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from racelint.config.settings import Settings
from racelint.engine.scan import ScanOptions, scan
from racelint.model.finding import Finding
from racelint.rules.registry import all_rules
from tests.markers import Marked, Place, header, marked

FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = Path(__file__).parent.parent / "examples"


def cases(code_folder: Path) -> list[Path]:
    """A Python file is a case by itself, and so is a folder of them."""
    return sorted(p for p in code_folder.iterdir() if p.suffix == ".py" or (p.is_dir() and any(p.rglob("*.py"))))


FIXTURE_CASES = [case for folder in sorted(FIXTURES.glob("rl[0-9][0-9][0-9]")) for case in cases(folder)]
EXAMPLE_CASES = cases(EXAMPLES)


def found_in(case: Path) -> list[Finding]:
    """The findings of all rules on one case, paths relative to it."""
    folder, target = (case, ".") if case.is_dir() else (case.parent, case.name)
    result = scan([target], ScanOptions(Settings(select=("ALL",)), jobs=1), str(folder))
    assert result.errors == ()
    return list(result.findings)


def complaints(found: list[Finding], wanted: Marked, own: str | None) -> list[str]:
    """What differs: missing, unexpected and doubled findings, as lines to read.

    Advice (severity info) of other rules than the folder's own is not compared where it is not marked. Markers of
    codes that have no rule yet wait for theirs, and such a line may have any finding meanwhile.
    """
    known = {rule.code for rule in all_rules()}
    waiting = {(path, line) for path, line, code in wanted.expected if code not in known}
    places: dict[Place, list[Finding]] = {}
    for finding in found:
        places.setdefault((finding.path, finding.line, finding.code), []).append(finding)
    missing = {p for p in wanted.expected if p[2] in known} - places.keys()
    lines = [f"missing     {path}:{line} {code}" for path, line, code in sorted(missing)]
    for place, here in sorted(places.items()):
        if place in wanted.allowed or place[:2] in waiting:
            continue
        if place not in wanted.expected:
            if here[0].severity != "info" or here[0].code == own:
                lines.append(f"unexpected  {place[0]}:{place[1]} {place[2]} {here[0].message}")
        elif len({(finding.column, finding.subject) for finding in here}) < len(here):
            lines.append(f"twice       {place[0]}:{place[1]} {place[2]} {here[0].subject}")
    return lines


@pytest.mark.parametrize("case", FIXTURE_CASES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_fixture(case: Path) -> None:
    difference = complaints(found_in(case), marked(case), case.parent.name.upper())
    assert not difference, "\n" + "\n".join(difference)


@pytest.mark.parametrize("case", EXAMPLE_CASES, ids=lambda p: p.name)
def test_example(case: Path) -> None:
    difference = complaints(found_in(case), marked(case), None)
    assert not difference, "\n" + "\n".join(difference)


@pytest.mark.parametrize("case", EXAMPLE_CASES, ids=lambda p: p.name)
def test_the_header_of_an_example_agrees_with_its_markers(case: Path) -> None:
    words = " ".join(header(case)["expect"]).split()
    codes = {word for word in words if word.startswith("RL")}
    assert codes == {code for _, _, code in marked(case).expected}
    assert ("silent" in words) == (not codes)


@pytest.mark.parametrize("folder", sorted(FIXTURES.glob("rl[0-9][0-9][0-9]")), ids=lambda p: p.name)
def test_a_rule_has_buggy_and_safe_fixtures(folder: Path) -> None:
    sources = [file.read_text(encoding="utf-8") for file in folder.rglob("*.py")]
    code = folder.name.upper()
    assert any(place[2] == code for case in cases(folder) for place in marked(case).expected)
    names = [
        node.name
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert any(name.lower().endswith("ok") for name in names)
    assert any(name.lower().endswith("bad") for name in names)
