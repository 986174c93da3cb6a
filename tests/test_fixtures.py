"""Every fixture and example gives exactly the findings that its comments mark, and no others."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from racelint.cli.main import cli
from tests.markers import Marked, Place, header, marked

FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = Path(__file__).parent.parent / "examples"


def cases(code_folder: Path) -> list[Path]:
    """A Python file is a case by itself, and so is a folder of them."""
    return sorted(p for p in code_folder.iterdir() if p.suffix == ".py" or (p.is_dir() and any(p.rglob("*.py"))))


FIXTURE_CASES = [case for folder in sorted(FIXTURES.glob("rl[0-9][0-9][0-9]")) for case in cases(folder)]
EXAMPLE_CASES = cases(EXAMPLES)


def known_codes() -> frozenset[str]:
    """The codes that this version of racelint has rules for; markers of others wait for theirs."""
    from racelint.rules.registry import all_rules

    return frozenset(rule.code for rule in all_rules())


def scan(case: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """The findings of all rules on one case, paths relative to it."""
    monkeypatch.chdir(case if case.is_dir() else case.parent)
    target = "." if case.is_dir() else case.name
    result = CliRunner().invoke(cli, ["scan", target, "--isolated", "--select", "ALL", "--output-format", "json"])
    assert result.exit_code in (0, 1), result.output
    answer = json.loads(result.stdout)
    assert answer["errors"] == []
    return answer["findings"]


def complaints(found: list[dict], wanted: Marked, own: str | None, known: frozenset[str]) -> list[str]:
    """What differs: missing, unexpected and doubled findings, as lines to read.

    Advice (severity info) of other rules than the folder's own is not compared where it is not marked.
    """
    places: dict[Place, list[dict]] = {}
    for finding in found:
        places.setdefault((finding["path"], finding["line"], finding["code"]), []).append(finding)
    missing = {p for p in wanted.expected if p[2] in known} - places.keys()
    lines = [f"missing     {path}:{line} {code}" for path, line, code in sorted(missing)]
    for place, here in sorted(places.items()):
        if place in wanted.allowed:
            continue
        first = here[0]
        if place not in wanted.expected:
            if first["severity"] != "info" or first["code"] == own:
                lines.append(f"unexpected  {place[0]}:{place[1]} {place[2]} {first['message']}")
        elif len({f["subject"] for f in here}) < len(here):
            lines.append(f"twice       {place[0]}:{place[1]} {place[2]} {first['subject']}")
    return lines


@pytest.mark.parametrize("case", FIXTURE_CASES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_fixture(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = case.parent.name.upper()
    difference = complaints(scan(case, monkeypatch), marked(case), own, known_codes())
    assert not difference, "\n" + "\n".join(difference)


@pytest.mark.parametrize("case", EXAMPLE_CASES, ids=lambda p: p.name)
def test_example(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    difference = complaints(scan(case, monkeypatch), marked(case), None, known_codes())
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
