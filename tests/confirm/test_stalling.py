"""RL205: what is waited for under a lock never comes, and somebody else wants the lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from racelint.confirm import Limits, confirm_finding
from racelint.model.finding import Finding, Step, Verdict

METER = """\
import time
from threading import Lock


class Meter:
    def __init__(self):
        self.lock = Lock()
        self.readings = []
        self.opened = False

    def sample(self, read):
        with self.lock:
            time.sleep(0.5)
            self.readings.append(read())

    def released(self):
        self.lock.acquire()
        self.lock.release()
        time.sleep(0.5)

    def open(self):
        self.opened = True

    def through(self):
        if self.opened:
            with self.lock:
                self._ask()

    def _ask(self):
        time.sleep(0.5)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "meter.py").write_text(METER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verdict(folder: Path, line: int, column: int, *steps: Step) -> Verdict:
    fields = ("RL205", "blocking-under-lock", "", "", "meter.py", line, column, line, column + 1)
    finding = Finding(*fields, "warning", "high", None, "", "", trace=steps)
    return confirm_finding(finding, Limits(budget=10.0), folder)


def test_the_next_to_take_the_lock_waits_as_long(folder: Path) -> None:
    found = verdict(folder, 13, 13)
    assert (found.status, found.effect) == ("confirmed", "hang")
    assert "as long as `time.sleep` does not return" in found.reason
    assert found.outcome is not None
    assert "Meter.sample waits in time.sleep(…)" in found.outcome
    assert "held by Meter.sample" in found.outcome


def test_a_lock_that_is_free_meanwhile_is_no_proof(folder: Path) -> None:
    found = verdict(folder, 19, 9)
    assert found.status == "not-reproduced"
    assert "the lock is free while `time.sleep` does not return" in found.reason


def test_what_waits_deeper_stalls_after_what_makes_it_possible(folder: Path) -> None:
    found = verdict(folder, 27, 17, Step("access", "`time.sleep()` sleeps", "meter.py", 30, 9))
    assert (found.status, found.effect) == ("confirmed", "hang")
    assert "waits in time.sleep(…)" in (found.outcome or "")


CORRECT = """\
import queue
from threading import Lock


class Box:
    def __init__(self):
        self.lock = Lock()
        self.jobs = queue.Queue()
        self.items = []

    def timed(self):
        with self.lock:
            self.jobs.get(timeout=1.0)

    def by_position(self):
        with self.lock:
            self.jobs.get(True, 1.0)

    def at_once(self):
        with self.lock:
            self.jobs.get(False)

    def computes(self):
        with self.lock:
            self.items.append(len(self.items))

    def waits(self):
        with self.lock:
            self.jobs.get()
"""


@pytest.mark.parametrize(
    ("line", "status"),
    [(13, "unsupported"), (17, "unsupported"), (21, "unsupported"), (25, "not-reproduced"), (29, "confirmed")],
)
def test_what_goes_on_by_itself_holds_nobody_up(folder: Path, line: int, status: str) -> None:
    (folder / "meter.py").write_text(CORRECT)
    found = verdict(folder, line, 13)
    assert found.status == status, found
    assert ("when its time is up" in found.reason) == (status == "unsupported")
