"""The house's own rules: layers, start-up, and what stands in the tree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from racelint.agent.access_log import MUTATORS
from racelint.agent.mark_expressions import CHANGES_ITS_ARGUMENT
from racelint.knowledge.containers import CHANGING_FUNCTIONS, MUTATING_METHODS

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src" / "racelint").rglob("*.py"))


def test_layers_import_only_those_below(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0


def test_version_imports_click_alone() -> None:
    script = (
        "import sys; from racelint.cli.main import cli\n"
        "try:\n    cli.main(['--version'])\nexcept SystemExit: pass\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & "
        "{'libcst', 'msgspec', 'pathspec', 'rich', 'asyncio', 'multiprocessing', 'json', 'greenlet', 'subprocess'}))\n"
        "print(sorted(name for name in sys.modules if name.startswith('racelint')))\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = answer.stdout.splitlines()
    assert lines[0].startswith("racelint, version ")
    assert lines[1] == "[]"
    assert lines[2] == "['racelint', 'racelint.cli', 'racelint.cli.main']"


def test_a_scan_imports_no_libcst_in_the_process_of_the_command() -> None:
    script = "import sys, racelint.cli.scan, racelint.cli.rule; print('libcst' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


def test_the_agent_which_can_import_nothing_knows_the_same_changes() -> None:
    assert MUTATORS == MUTATING_METHODS
    assert {name.rpartition(".")[2] for name in CHANGING_FUNCTIONS} == CHANGES_ITS_ARGUMENT


def test_no_grab_bags() -> None:
    assert not [path for path in SOURCES if re.search(r"util|helper|common|manager|misc", path.stem)]


def test_a_piped_scan_imports_no_library_that_only_some_reports_need() -> None:
    script = (
        "import sys; from racelint.cli.main import cli\n"
        "cli.main(['scan', '--isolated', 'examples/money_race.py'], standalone_mode=False)\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'rich', 'jinja2', 'pygments', 'markdown_it'}))\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"
