"""The cache as users meet it: the same answers from it, and never anything but a warning because of it."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import race, racelint

FOLDER = ".racelint_cache"
JSON = ("--output-format", "json")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    package = tmp_path / "bank"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "race.py").write_text(race())
    (package / "broken.py").write_text("import threading\nx = (\n")
    (package / "plain.py").write_text("def f():\n    return 1\n")
    (package / "quiet.py").write_text(race().replace("+= 1", "+= 1  # racelint: ignore[RL101] known"))
    return tmp_path


def scanned(project: Path, *words: str) -> str:
    answer = racelint("scan", *JSON, *words, cwd=project)
    assert (answer.returncode, answer.stderr) == (1, "")
    return answer.stdout


def test_the_answer_is_the_same_cold_and_warm_and_without_a_cache(project: Path) -> None:
    without = scanned(project, "--no-cache")
    assert not (project / FOLDER).exists()
    assert scanned(project) == scanned(project) == scanned(project, "-j", "2") == without
    assert scanned(project, "--cache-dir", "elsewhere") == without
    assert sorted(entry.name for entry in project.iterdir()) == [FOLDER, "bank", "elsewhere", "pyproject.toml"]


def test_what_is_told_depends_on_more_than_the_files(project: Path) -> None:
    first = scanned(project)
    assert "RL101" not in scanned(project, "--ignore", "RL101")
    assert "RL101" in scanned(project, "--ignore-noqa")
    below = racelint("scan", *JSON, ".", cwd=project / "bank")
    assert '"path": "race.py"' in below.stdout
    assert scanned(project) == first


def test_a_change_is_seen(project: Path) -> None:
    scanned(project)
    race_file = project / "bank" / "race.py"
    race_file.write_text(race().replace("+= 1", "-= 1"))
    changed = scanned(project)
    assert changed == scanned(project, "-n")
    race_file.write_text("x = 1\n")
    assert "race.py" not in scanned(project)
    race_file.unlink()
    assert scanned(project) == scanned(project, "-n")


def test_a_warm_scan_imports_no_parser_no_rules_and_no_analysis(project: Path) -> None:
    scanned(project)
    script = (
        "import sys\nfrom racelint.cli.main import cli\n"
        "cli.main(['scan'], standalone_mode=False)\n"
        "heavy = ('libcst', 'subprocess', *('racelint.' + name for name in "
        "('program.index', 'summarize', 'rules.race_report')))\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_a_damaged_cache_costs_a_warning(project: Path) -> None:
    expected = scanned(project)
    (project / FOLDER / "cache-1.sqlite").write_bytes(b"garbage" * 1000)
    answer = racelint("scan", *JSON, cwd=project)
    assert answer.returncode == 1
    assert (
        answer.stderr == f"racelint: warning: the cache in {project}/{FOLDER} was damaged and has been started anew\n"
    )
    assert scanned(project) == expected


def test_a_full_disk_costs_a_warning(project: Path) -> None:
    expected = scanned(project, "-n")
    limited = subprocess.run(
        [sys.executable, "-m", "racelint", "scan", "--isolated", "--output-format", "concise"],
        cwd=project,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)),
        check=False,
    )
    assert limited.returncode == 1
    assert limited.stderr.startswith("racelint: warning: the cache in ")
    assert limited.stderr.count("\n") == 1
    assert "RL101" in limited.stdout
    assert scanned(project) == expected


def test_two_scans_at_once_agree(project: Path) -> None:
    command = [sys.executable, "-m", "racelint", "scan", "--isolated", *JSON]
    running = [
        subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = {process.communicate(timeout=60) for process in running}
    assert answers == {(scanned(project, "-n"), "")}


def test_clean_removes_it(project: Path) -> None:
    scanned(project)
    assert racelint("clean", "bank", cwd=project).stdout == f"removed {project}/{FOLDER}\n"
    assert not (project / FOLDER).exists()
    assert racelint("clean", cwd=project).stdout == f"there is no cache in {project}/{FOLDER}\n"
