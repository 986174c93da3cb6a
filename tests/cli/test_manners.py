"""How the command behaves towards terminals, pipes and tired people."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from racelint.engine.progress import Progress
from racelint.engine.scan import ScanOptions, scan
from tests.cli.command import INPUTS, race, racelint


@pytest.mark.parametrize(
    ("arguments", "complaint", "help_"),
    [
        (["scna"], "No such command 'scna'", "racelint --help"),
        (["scan", "--selct", "RL1"], "No such option", "racelint scan --help"),
        (["scan", "-j", "many"], "'many' is neither `auto` nor a positive number", "racelint scan --help"),
        (["scan", "--output-format", "xml"], "'xml' is not one of", "racelint scan --help"),
        (["scan", "--min-severity", "fatal"], "'fatal' is not one of", "racelint scan --help"),
        (["rule"], "give a CODE, or --all", "racelint rule --help"),
    ],
)
def test_a_mistake_is_told_in_a_line_with_where_to_look(arguments: list[str], complaint: str, help_: str) -> None:
    answer = racelint(*arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    first, second = answer.stderr.splitlines()
    assert first.startswith("racelint: error: ")
    assert complaint.lower() in first.lower()
    assert second == f"racelint: `{help_}` lists what there is"


def on_a_terminal(script: str) -> bytes:
    """What a Python script writes to standard error where that is a terminal."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", script], stderr=theirs, env=environ, timeout=60, check=True)
    os.close(theirs)
    written = b""
    while True:
        try:
            chunk = os.read(ours, 10_000)
        except OSError:
            break
        if not chunk:
            break
        written += chunk
    os.close(ours)
    return written


SLOW = """\
import time
from racelint.cli import progress

progress.PATIENCE = {patience}
with progress.sign_of_life("waiting") as seen:
    seen.begin("scanning", 3, "files")
    seen.advance()
    time.sleep(0.2)
"""


def test_long_work_shows_a_sign_of_life_on_a_terminal_and_takes_it_away() -> None:
    written = on_a_terminal(SLOW.format(patience=0.01))
    assert b"racelint: scanning, 1 of 3 files, 0 s" in written
    assert written.endswith(b"\r\x1b[K")


def test_short_work_shows_none() -> None:
    assert on_a_terminal(SLOW.format(patience=60)) == b""


def test_there_is_none_in_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race())
    assert racelint("scan", cwd=tmp_path).stderr == ""


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_file_counts_towards_the_progress(jobs: int, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"m{number}.py").write_text(race())
    seen = Progress()
    options = ScanOptions(jobs=jobs, cache="cache", progress=seen)
    scan([str(tmp_path)], options)
    assert str(seen) == "scanning, 20 of 20 files"
    scan([str(tmp_path)], options)
    assert str(seen) == "scanning", "all is known"


def test_an_output_file_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("old")
    (tmp_path / "out.json").chmod(0o640)
    (tmp_path / "link.json").symlink_to("out.json")
    assert racelint("scan", str(INPUTS / "bank"), "--output-format", "json:link.json", cwd=tmp_path).returncode == 1
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "out.json").read_text().startswith("{")
    assert (tmp_path / "out.json").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "out.json"], "nothing is left behind"


def test_devices_can_be_written_to(tmp_path: Path) -> None:
    assert racelint("scan", str(INPUTS / "bank"), "-o", "/dev/null", cwd=tmp_path).returncode == 1


def test_the_version_costs_little_more_than_an_interpreter() -> None:
    """CPU time, the least of several: 60 ms are allowed on a quiet machine, three times that on a busy one."""

    def cost(*arguments: str) -> float:
        before = os.times()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    bare = min(cost("-I", "-c", "pass") for _ in range(5))
    ours = min(cost("-P", "-m", "racelint", "--version") for _ in range(5))
    assert ours - bare < 0.18, f"{(ours - bare) * 1000:.0f} ms"
