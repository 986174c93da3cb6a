"""Only what a change touches or causes, on real repositories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from racelint.engine.repository import Repository
from tests.cli.command import race, racelint

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

COUNTER = "class Counter:\n    n = 0\n\n    def add(self):\n        self.n += 1\n"
CALLER = "import threading\n\nfrom counter import Counter\n\nc = Counter()\n"
THREADS = "threading.Thread(target=c.add).start()\n" * 2


def git(folder: Path, *arguments: str) -> None:
    identity = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environ = {**identity, "PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], cwd=folder, env=environ, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "old").mkdir(parents=True)
    (folder / "old/race.py").write_text(race())
    (folder / "old/hushed.py").write_text(race("  # racelint: ignore[RL101] old"))
    (folder / "counter.py").write_text(COUNTER)
    (folder / "app.py").write_text(CALLER)
    git(folder, "init", "-q")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "a change")


def found(folder: Path, *arguments: str, rev: str = "HEAD", cwd: str = ".") -> list[str]:
    answer = racelint("scan", "--new-from-rev", rev, "--output-format", "json", *arguments, cwd=folder / cwd)
    assert answer.returncode in (0, 1), answer.stderr
    return [f"{f['code']} {f['path']}:{f['line']}" for f in json.loads(answer.stdout)["findings"]]


def test_old_findings_are_not_shown_but_counted(repository: Path) -> None:
    assert found(repository) == []
    (repository / "old/race.py").write_text("# above\n" + race() + "# below\n")
    answer = racelint("scan", "--new-from-rev", "HEAD", "--output-format", "concise", cwd=repository)
    assert answer.stdout == "no findings in 4 files (1 suppressed, 1 older than HEAD)\n"


def test_new_code_is_shown_committed_staged_or_not_yet_known_to_git(repository: Path) -> None:
    (repository / "untracked.py").write_text(race())
    assert found(repository) == ["RL101 untracked.py:9"]
    git(repository, "add", ".")
    assert found(repository) == ["RL101 untracked.py:9"]
    commit(repository)
    assert found(repository) == []
    assert found(repository, rev="HEAD~1") == ["RL101 untracked.py:9"]


def test_a_new_thread_makes_old_code_elsewhere_race_and_that_is_said(repository: Path) -> None:
    (repository / "app.py").write_text(CALLER + THREADS)
    assert found(repository) == ["RL101 counter.py:5"]
    assert found(repository, "counter.py") == ["RL101 counter.py:5"], "the analysis sees the project all the same"
    answer = racelint("scan", "--new-from-rev", "HEAD", cwd=repository)
    assert answer.returncode == 1
    assert "new since HEAD: the change at app.py:6 causes it" in answer.stdout


def test_a_lock_that_is_taken_away_is_a_cause_though_it_leaves_no_line(repository: Path) -> None:
    guarded = race().replace(
        "        self.n += 1", "        LOCK.acquire()\n        self.n += 1\n        LOCK.release()"
    )
    guarded = guarded.replace("class Counter", "LOCK = threading.Lock()\n\n\nclass Counter")
    (repository / "guarded.py").write_text(guarded)
    commit(repository)
    assert found(repository) == []
    (repository / "guarded.py").write_text(
        guarded.replace("        LOCK.acquire()\n", "").replace("        LOCK.release()\n", "")
    )
    assert found(repository) == ["RL101 guarded.py:12"]
    answer = racelint("scan", "--new-from-rev", "HEAD", cwd=repository)
    assert "new since HEAD, although the change does not touch this line" in answer.stdout


def test_a_touched_line_is_shown_though_its_finding_is_old(repository: Path) -> None:
    (repository / "old/race.py").write_text(race().replace("+= 1", "+= 2"))
    assert found(repository) == ["RL101 old/race.py:9"]
    assert found(repository, "race.py", cwd="old") == ["RL101 race.py:9"]


def test_a_renamed_file_is_not_new(repository: Path) -> None:
    git(repository, "mv", "old", "renamed")
    assert found(repository) == []
    assert found(repository, cwd="renamed") == []


def test_the_repository_is_left_as_it_was(repository: Path) -> None:
    (repository / "untracked.py").write_text(race())
    before = subprocess.run(["git", "status", "--porcelain"], cwd=repository, capture_output=True, check=True).stdout
    index = (repository / ".git/index").read_bytes()
    found(repository)
    assert (repository / ".git/index").read_bytes() == index
    after = subprocess.run(["git", "status", "--porcelain"], cwd=repository, capture_output=True, check=True).stdout
    assert after == before


def test_names_that_git_quotes(repository: Path) -> None:
    name = 'größe "quoted"\tx.py'
    (repository / name).write_text(race())
    commit(repository)
    (repository / name).write_text("# new\n" + race())
    assert Repository(str(repository)).changed_since("HEAD") == {name: [range(1, 2)]}


def test_lines_that_look_like_a_header_are_none(repository: Path) -> None:
    (repository / "app.py").write_text(CALLER + "x = '''\n++ b/zzz.py\n@@ -1 +1 @@\n-- a\n'''\n")
    assert Repository(str(repository)).changed_since("HEAD") == {"app.py": [range(6, 11)]}


@pytest.mark.parametrize("revision", ["nowhere", "HEAD~99", "--help", ""])
def test_a_revision_that_is_none_is_refused(revision: str, repository: Path) -> None:
    answer = racelint("scan", "--new-from-rev", revision, cwd=repository)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == f"racelint: error: git knows no revision {revision!r}\n"


def test_a_folder_that_is_no_repository_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    answer = racelint(
        "scan", "--new-from-rev", "HEAD", cwd=tmp_path, env={"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    )
    assert answer.returncode == 2
    assert "not a git repository" in answer.stderr
