"""Every command line that the README and the documentation show, given to a shell as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import SOURCES, race

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_TRIED = re.compile(r"pip install|make |dask |--executor dask")
"""These install things, or take a cluster, which `tests/engine/test_cluster.py` has."""

COMMANDS = {"racelint": "-P -m racelint", "pytest": "-m pytest -p no:cacheprovider"}
PROJECT = {
    "pyproject.toml": "[tool.racelint.confirm]\nbudget = 1.0\n",
    "src/bank.py": """\
import threading


class Account:
    def __init__(self, balance=100):
        self.balance = balance
        self.lock = threading.Lock()

    def deposit(self, amount: int):
        with self.lock:
            self.balance += amount

    def refund(self, amount: int):
        with self.lock:
            self.balance += amount

    def charge(self, fee: int):
        self.balance -= fee

    def withdraw(self):
        with self.lock:
            if self.balance > 0:
                self.balance -= 1
""",
    "src/jobs.py": """\
import threading


def run_all():
    seen = []
    threads = [threading.Thread(target=seen.append, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen
""",
    "src/a.py": race(),
    "examples/money_race.py": (ROOT / "examples/money_race.py").read_text(encoding="utf-8"),
    "script.py": """\
import threading

total = 0


def add():
    global total
    total += 1


threads = [threading.Thread(target=add) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
""",
    "tests/test_pool.py": """\
import threading


def test_pool():
    seen = []
    thread = threading.Thread(target=seen.append, args=(1,))
    thread.start()
    thread.join()
    assert seen == [1]
""",
}


def lines_of(page: Path) -> list[str]:
    """The command lines of a page: behind `$` in a console, or indented where they begin with a command of ours."""
    text = page.read_text(encoding="utf-8")
    shown = [line[2:] for block in CONSOLE.findall(text) for line in block.splitlines() if line.startswith("$ ")]
    return shown + re.findall(r"^    ((?:racelint|pytest) .*)$", text, re.MULTILINE)


def project(folder: Path) -> None:
    """A repository as a reader may have one, with a commit that `origin/main` stands at."""
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    subprocess.run(["git", "update-ref", "refs/remotes/origin/main", "HEAD"], cwd=folder, check=True)


def shell(line: str, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    if "--watch" in line:  # it never ends by itself
        line = f"{line.partition('#')[0]} & sleep 4; kill $!; wait"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_work(page: Path, tmp_path: Path) -> None:
    lines = [line for line in lines_of(page) if not NOT_TRIED.match(line.strip()) and "--executor dask" not in line]
    if not lines:
        return
    project(tmp_path)
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, started in COMMANDS.items():
        (commands / name).write_text(f'#!/bin/sh\nexec {sys.executable} {started} "$@"\n')
        (commands / name).chmod(0o755)
    environ = {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": SOURCES,
        "BROWSER": "true",
    }
    if any("replay" in line for line in lines):
        saved = shell("racelint confirm src/a.py::RL101 --save replays.txt", tmp_path, environ)
        assert saved.returncode == 1, saved.stdout + saved.stderr
        replay = (tmp_path / "replays.txt").read_text().split()[0]
        lines = [re.sub(r"rl1:\S+…", replay, line) for line in lines]
    for line in lines:
        answer = shell(line, tmp_path, environ)
        said = f"$ {line}\n{answer.stdout}{answer.stderr}"
        assert answer.returncode in (0, 1) or "--watch" in line, said
        assert "Traceback" not in said and "racelint: error" not in answer.stderr, said
