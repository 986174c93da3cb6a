"""The hooks as the real pre-commit runs them on a scratch repository, taken from the manifest that users point at.

The manifest's `language: python` would build an environment from the network; here the same hook runs with the racelint
that is being tested, so that everything but that build is real: which files it is given, its arguments, its exit code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import INPUTS, race

MANIFEST = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
CALLER = "import threading\n\nfrom counter import Counter\n\nc = Counter()\n" + (
    "threading.Thread(target=c.add).start()\n" * 2
)
COUNTER = "class Counter:\n    n = 0\n\n    def add(self):\n        self.n += 1\n"


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    identity = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environ = {**identity, "PATH": path, "HOME": str(home), "PRE_COMMIT_HOME": str(home / "cache"), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    pytest.importorskip("pre_commit")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path / "repository"
    folder.mkdir()
    hooks = MANIFEST.read_text().replace("language: python", "language: system")
    indented = "".join(f"      {line}\n" for line in hooks.splitlines())
    (folder / ".pre-commit-config.yaml").write_text(f"repos:\n  - repo: local\n    hooks:\n{indented}")
    (folder / "pyproject.toml").write_text("[tool.racelint]\nexclude = ['vendor/']\n")
    assert run(folder, "git", "init", "-q").returncode == 0
    assert run(folder, "pre-commit", "install").returncode == 0
    return folder


def commit(folder: Path, **files: str) -> subprocess.CompletedProcess[str]:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert run(folder, "git", "add", ".").returncode == 0
    return run(folder, "git", "commit", "-m", "try the hook")


def test_the_manifest_is_valid() -> None:
    pytest.importorskip("pre_commit")
    answer = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(MANIFEST)], capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_commit_with_a_race_is_stopped_and_a_clean_one_passes(repository: Path) -> None:
    stopped = commit(repository, race_py=race())
    assert stopped.returncode != 0
    assert "race.py:9:" in stopped.stderr
    assert "RL101 unguarded-mutation" in stopped.stderr
    (repository / "race.py").unlink()
    passed = commit(repository, clean_py=(INPUTS / "clean.py").read_text())
    assert passed.returncode == 0, passed.stderr
    assert "Passed" in passed.stderr


def test_a_thread_in_a_file_outside_the_commit_counts(repository: Path) -> None:
    assert commit(repository, caller_py=CALLER).returncode == 0
    stopped = commit(repository, counter_py=COUNTER)
    assert stopped.returncode != 0
    assert "counter.py:5:" in stopped.stderr


def test_excluded_files_stay_excluded_when_pre_commit_names_them(repository: Path) -> None:
    assert commit(repository, vendor__race_py=race()).returncode == 0


def test_the_whole_project_hook_runs_on_demand(repository: Path) -> None:
    commit(repository, clean_py=(INPUTS / "clean.py").read_text())
    (repository / "race.py").write_text(race())
    answer = run(repository, "pre-commit", "run", "racelint-all", "--hook-stage", "manual", "--all-files")
    assert answer.returncode == 1
    assert "race.py:9:" in answer.stdout


def test_the_confirming_hook_shows_the_interleaving(repository: Path) -> None:
    (repository / "race.py").write_text(race())
    run(repository, "git", "add", ".")
    answer = run(repository, "pre-commit", "run", "racelint-confirm", "--hook-stage", "pre-push", "--all-files")
    assert answer.returncode == 1, answer
    assert "verdict: confirmed (lost-update)" in answer.stdout


def test_two_thousand_files_are_judged_in_the_light_of_all_of_them(repository: Path) -> None:
    """pre-commit hands them over in several calls; each analyses the project, and what each reports adds up."""
    folder = repository / "a_rather_long_name_for_a_package_so_that_one_call_cannot_take_all_names"
    folder.mkdir()
    (repository / "pyproject.toml").write_text("")
    for number in range(2000):
        (folder / f"module_{number:04}.py").write_text("x = 1\n")
    (folder / "module_0000.py").write_text(CALLER.replace("counter", "module_1999"))
    (folder / "module_1999.py").write_text(COUNTER)
    run(repository, "git", "add", ".")
    answer = run(repository, "pre-commit", "run", "racelint", "--all-files")
    assert answer.returncode == 1, answer
    assert answer.stdout.count("RL101") == 1
    assert "module_1999.py:5:" in answer.stdout
    assert answer.stdout.count(" in ") >= 2, "more than one call"
