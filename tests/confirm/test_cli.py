"""`racelint confirm` and `racelint replay` as a user has them: another process, its streams and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNTER = """\
import threading


class Counter:
    def __init__(self):
        self.n = 0
        self.lock = threading.Lock()

    def racy(self):
        self.n += 1

    def held(self):
        with self.lock:
            self.n += 1


def run():
    counter = Counter()
    threads = [threading.Thread(target=counter.racy) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return counter.n
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "counter.py").write_text(COUNTER)
    return tmp_path


def racelint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "VIRTUAL_ENV")}
    return subprocess.run(
        [sys.executable, "-m", "racelint", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def test_json_of_a_confirmed_target(folder: Path) -> None:
    done = racelint(folder, "confirm", "counter.py::Counter.racy", "--output-format", "json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert sorted(answer) == ["errors", "results", "version"]
    assert answer["errors"] == []
    [result] = answer["results"]
    assert sorted(result) == ["finding", "target", "verdict"]
    assert (result["target"], result["finding"]) == ("counter.py::Counter.racy", None)
    verdict = result["verdict"]
    assert sorted(verdict) == [
        "effect", "expected", "interpreters", "outcome", "reason", "schedule", "schedules_run", "status",
    ]  # fmt: skip
    assert (verdict["status"], verdict["effect"]) == ("confirmed", "lost-update")
    assert sorted(verdict["interpreters"]) == ["free-threaded", "gil-3.10+", "gil-3.9"]
    assert set(verdict["interpreters"].values()) <= {"observed", "modelled", "impossible"}


def test_json_of_a_rule(folder: Path) -> None:
    done = racelint(folder, "confirm", "counter.py::RL102", "counter.py::RL101", "--output-format", "json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    [result] = [r for r in answer["results"] if r["verdict"]["status"] == "confirmed"]
    finding = result["finding"]
    assert finding["path"] == "counter.py"
    assert finding["line"] == 10
    by_fingerprint = racelint(folder, "confirm", finding["fingerprint"], "--output-format", "json")
    assert json.loads(by_fingerprint.stdout)["results"][0]["finding"] == finding
    by_line = racelint(folder, "confirm", f"counter.py::{finding['code']}@10")
    assert by_line.returncode == 1


def test_nothing_confirmed(folder: Path) -> None:
    done = racelint(folder, "confirm", "counter.py::Counter.held")
    assert done.returncode == 0
    assert "not-reproduced" in done.stdout


def test_a_rule_without_findings_confirms_nothing(folder: Path) -> None:
    done = racelint(folder, "confirm", "counter.py::RL301", "--output-format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["results"] == []
    assert "no such finding" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["counter.py::Nothing"], "no class or function `Nothing`"),
        (["gone.py::Counter"], "no file gone.py"),
        (["nonsense"], "is no target"),
        (["counter.py::Counter", "--python", "no-such-python"], "no Python interpreter"),
        (["counter.py::Counter", "--fixtures", "gone.py"], "gone.py"),
        ([], "TARGET"),
        (["counter.py::Counter", "--confirm-budget", "-1"], "confirm-budget"),
    ],
)
def test_what_cannot_run_is_said_with_exit_code_2(folder: Path, arguments: list[str], said: str) -> None:
    done = racelint(folder, "confirm", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_one_bad_target_does_not_stop_the_others(folder: Path) -> None:
    done = racelint(folder, "confirm", "gone.py::f", "counter.py::run", "--output-format", "json")
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert [result["verdict"]["status"] for result in answer["results"]] == ["confirmed"]
    assert answer["errors"][0]["target"] == "gone.py::f"


def test_text_shows_the_interleaving_and_the_replay_works(folder: Path) -> None:
    done = racelint(folder, "confirm", "counter.py::Counter.racy", "--save", "race.txt")
    assert done.returncode == 1
    for part in (
        "verdict: confirmed (lost-update)",
        "│",
        "read n = 0",
        "wrote n = 1",
        "seen:",
        "expected:",
        "replay rl1:",
    ):
        assert part in done.stdout
    string = (folder / "race.txt").read_text().strip()
    assert string in done.stdout
    for recording in (string, "race.txt"):
        again = racelint(folder, "replay", recording)
        assert again.returncode == 1
        assert "confirmed (lost-update)" in again.stdout
    (folder / "counter.py").write_text(
        COUNTER.replace("def racy(self):\n        self.n += 1", "def racy(self):\n        pass")
    )
    fixed = racelint(folder, "replay", "race.txt")
    assert fixed.returncode == 0
    assert "counter.py has changed" in fixed.stdout


@pytest.mark.parametrize("recording", ["rl1:", "rl1:zzzz", "no-such-file", "counter.py"])
def test_replay_of_nonsense(folder: Path, recording: str) -> None:
    done = racelint(folder, "replay", recording)
    assert done.returncode == 2
    assert done.stderr.startswith("racelint: error: ")
    assert "Traceback" not in done.stderr


def test_help_names_every_form_of_target(folder: Path) -> None:
    done = racelint(folder, "confirm", "--help")
    for form in ("PATH::CODE", "PATH::CODE@LINE", "fingerprint", "PATH::Class", "PATH::function,function"):
        assert form in " ".join(done.stdout.split())
