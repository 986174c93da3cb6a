"""The cache as users meet it: the same answers from it, and never anything but a warning because of it."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from racelint.engine.fingerprint import fingerprint
from racelint.engine.scan import ScanOptions, scan
from racelint.rules.unguarded_mutation import UnguardedMutation
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
    (project / "bank" / "quiet.py").unlink()  # whose comment has to be read
    scanned(project)
    script = (
        "import sys\nfrom racelint.cli.main import cli\n"
        "cli.main(['scan'], standalone_mode=False)\n"
        "heavy = ('libcst', 'pathlib', 'pathspec', 'tomllib', 'subprocess', *('racelint.' + name for name in "
        "('program', 'summarize', 'syntax', 'rules.race_report', 'model.summary', 'config.check')), "
        "*('racelint.engine.' + name for name in "
        "('baseline', 'checking', 'directives', 'imports', 'linked', 'repository', 'worker')))\n"
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


def a_file_for_the_folder(project: Path) -> str:
    (project / FOLDER).write_text("not a folder\n")
    return FOLDER


def a_folder_for_the_database(project: Path) -> str:
    (project / FOLDER / "cache-1.sqlite").mkdir(parents=True)
    return FOLDER


def another_form_of_the_table(project: Path) -> str:
    (project / FOLDER).mkdir()
    with closing(sqlite3.connect(project / FOLDER / "cache-1.sqlite")) as connection:
        connection.execute("CREATE TABLE entry (name TEXT)")
    return FOLDER


def a_read_only_file_system(project: Path) -> str:
    if sys.platform != "linux":
        pytest.skip("needs a file system that takes no file")
    return "/proc/racelint"


def a_read_only_folder(project: Path) -> str:
    scanned(project)
    if os.geteuid() == 0:
        pytest.skip("nothing is read-only to root")
    (project / FOLDER).chmod(0o555)
    (project / FOLDER / "cache-1.sqlite").chmod(0o444)
    (project / "bank" / "race.py").write_text(race() + "\n")
    return FOLDER


@pytest.mark.parametrize(
    "spoil",
    [
        *(a_file_for_the_folder, a_folder_for_the_database, another_form_of_the_table),
        *(a_read_only_file_system, a_read_only_folder),
    ],
)
def test_a_cache_of_no_use_costs_a_warning(project: Path, spoil: Callable[[Path], str]) -> None:
    folder = spoil(project)
    expected = scanned(project, "-n")
    words = ("--cache-dir", folder) if folder != FOLDER else ()
    answer = racelint("scan", *JSON, *words, cwd=project)
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["findings"] == json.loads(expected)["findings"]
    assert answer.stderr.startswith(f"racelint: warning: the cache in {project / folder} cannot be used: ")
    assert answer.stderr.count("\n") == 1


def test_a_scan_killed_in_the_middle_of_writing_leaves_a_good_cache(project: Path) -> None:
    expected = scanned(project, "-n")
    script = (
        "import os, signal\nfrom racelint.engine.cache import Cache\nfrom racelint.cli.main import cli\n"
        "Cache._prune = lambda self, connection: os.kill(os.getpid(), signal.SIGKILL)\n"
        "cli.main(['scan'], standalone_mode=False)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert scanned(project) == scanned(project) == expected


KILLED_OVER_EVERY_FILE = (
    "import sys; sys.path[:0] = [sys.argv[1]]; import os, signal; from racelint.engine import worker;"
    "worker.answer = lambda request: os.kill(os.getpid(), signal.SIGKILL); worker.main()"
)
OUT_OF_MEMORY = (
    "import sys; sys.path[:0] = [sys.argv[1]]; from racelint.engine import worker; import racelint.summarize as made\n"
    "def nothing_left(source, display): raise MemoryError\n"
    "made.summarize_source = nothing_left; worker.main()"
)


@pytest.mark.parametrize("boot", [KILLED_OVER_EVERY_FILE, OUT_OF_MEMORY])
def test_what_is_not_the_fault_of_a_file_is_not_remembered(project: Path, boot: str) -> None:
    expected = scanned(project, "-n")
    script = (
        "from racelint.engine import pool\nfrom racelint.cli.main import cli\n"
        f"pool._BOOT = {boot!r}\n"
        "cli.main(['scan', '-j2', '--output-format', 'concise'], standalone_mode=False)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=False)
    assert "race.py:1:1: error RL900 unreadable-file: " in killed.stdout, killed
    assert scanned(project) == expected


@pytest.mark.parametrize("other", ["0.0.1", "99.0"])
def test_what_another_version_worked_out_does_not_count(
    project: Path, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def codes() -> list[str]:
        fingerprint.cache_clear()
        return [finding.code for finding in scan(["."], ScanOptions(jobs=1, cache=FOLDER), str(project)).findings]

    assert "RL101" in (expected := codes())
    with monkeypatch.context() as patched:
        patched.setattr("racelint.__version__", other)
        patched.setattr(UnguardedMutation, "check", lambda self, program: iter(()))
        assert "RL101" not in codes()
    assert codes() == expected
    fingerprint.cache_clear()
