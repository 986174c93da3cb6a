"""Rules whose subject a program does not mention are left out, and would have found nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from racelint.rules.base import Rule
from racelint.rules.registry import all_rules, rules_about
from racelint.rules.subjects import SUBJECTS, Mentions
from tests.rules.conftest import linked
from tests.test_fixtures import EXAMPLE_CASES, FIXTURE_CASES

FILES = {type(rule).__module__.rpartition(".")[2] for rule in all_rules()}


def sources_of(case: Path) -> dict[str, str]:
    files = sorted(case.rglob("*.py")) if case.is_dir() else [case]
    return {str(file.relative_to(case if case.is_dir() else case.parent)): file.read_text("utf-8") for file in files}


def test_subjects_are_of_rules() -> None:
    assert SUBJECTS.keys() <= FILES


@pytest.mark.parametrize("case", [*FIXTURE_CASES, *EXAMPLE_CASES], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_rule_finds_nothing_without_its_subject(case: Path) -> None:
    sources = sources_of(case)
    asked = rules_about(Mentions([text.encode() for text in sources.values()], declared=False))
    program = linked(sources)
    for rule in all_rules():
        assert rule in asked or not list(rule.check(program)), rule.code


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_an_example_mentions_the_subject(rule: Rule) -> None:
    assert rule in rules_about(Mentions([rule.example("Example").encode()], declared=False))


@pytest.mark.parametrize(
    ("source", "about"),
    [(b"", False), (b"a Thread-safe pool", False), (b"Thread-safe: start a Thread", True), (b"class A(QThread)", True)],
)
def test_prose_is_no_subject(source: bytes, about: bool) -> None:
    assert Mentions([b"", source], declared=False).concern("daemon_writer") is about


def test_anything_may_be_where_the_settings_declare_it() -> None:
    assert rules_about(Mentions([], declared=True)) == all_rules()


def test_a_scan_imports_no_rule_without_its_subject(tmp_path: Path) -> None:
    (tmp_path / "bank.py").write_text("from threading import Lock\n\nlock = Lock()\n")
    code = (
        "import sys; from racelint.cli.main import main\n"
        "sys.argv = ['racelint', 'scan', '--no-cache', '--jobs', '1', '.']\n"
        "try: main()\n"
        "finally: print(*sorted(name for name in sys.modules if name.startswith('racelint.rules.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    imported = done.stdout.splitlines()[-1].split()
    assert "racelint.rules.unguarded_mutation" in imported
    assert "racelint.rules.fork_with_threads" not in imported
