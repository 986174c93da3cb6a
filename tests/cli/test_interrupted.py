"""Ctrl-C, as a terminal sends it: to all processes of the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import SOURCES, race

ENDLESS = """\
import threading
import pathlib


class Counter:
    def __init__(self):
        self.n = 0

    def add(self):
        pathlib.Path({mark!r}).touch()
        while True:
            self.n += 1


counter = Counter()
"""


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "racelint", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": SOURCES},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_confirmation_ends_at_once_with_the_code_that_it_runs(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "endless.py").write_text(ENDLESS.format(mark=str(mark)))
    process = started(tmp_path, "confirm", "endless.py::Counter.add", "--confirm-budget", "600")
    limit = time.monotonic() + 60
    while not mark.exists() and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.05)
    assert mark.exists(), process.communicate()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)  # far less than the budget
    assert process.returncode == 130
    assert said.strip() == "racelint: interrupted: there is no report, and no file is half written"


def test_that_is_how_watching_ends(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    (tmp_path / "a.py").write_text(race())
    process = started(tmp_path, "scan", "--watch")
    assert process.stderr is not None
    assert process.stderr.readline() == "racelint: watching for changes; Ctrl-C ends\n"
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (1, "racelint: watched no longer\n")
    assert "RL101" in out
