"""RL308: a stop that is not heard is shown by the thread that never ends, and by that alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from racelint.confirm import Limits, confirm_finding, confirm_target
from racelint.model.finding import Finding, Step, Verdict

LIMITS = Limits(python=sys.executable, budget=10.0)

WORKER = """\
import threading
import time

class Worker:
    def __init__(self):
        self.running = BEFORE

    def start(self):
        AT_START
        threading.Thread(target=self._loop, daemon=True).start()

    def _loop(self):
        FIRST
        while self.running:
            time.sleep(1)

    def stop(self):
        self.running = False  # told
"""

SAMPLER = """\
import threading

class Sampler:
    def __init__(self):
        self.stopping = threading.Event()

    def start(self):
        RENEW
        threading.Thread(target=self._run, args=(self.stopping,), daemon=True).start()

    def stop(self):
        self.stopping.set()

    def _run(self, stopping):
        while not stopping.wait(1):
            pass
"""

QUEUE = """\
import queue
import threading

class Consumer:
    def __init__(self):
        self.jobs = queue.Queue()
        self.running = False

    def start(self):
        threading.Thread(target=self._run).start()

    def _run(self):
        self.running = True
        while self.running:
            self.jobs.get()

    def stop(self):
        self.running = False  # told
"""


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def verdict_on(tmp_path: Path, source: str, *texts: str) -> Verdict:
    """The verdict on a finding at the line with the first text, whose trace has those with the others."""
    path = tmp_path / "model.py"
    path.write_text(source)
    lines = source.splitlines()
    first, *others = (next(n for n, line in enumerate(lines, 1) if text in line) for text in texts)
    steps = tuple(Step("conflict", "", path.name, other, 1) for other in others)
    fields = ("RL308", "name", "message", "", path.name, first, 1, first, 2, "warning", "medium", None, "", "message")
    return confirm_finding(Finding(*fields, steps), LIMITS, tmp_path)


@pytest.mark.parametrize(
    ("at_start", "first", "is_lost"),
    [("pass", "self.running = True", True), ("self.running = True", "pass", False)],
)
def test_a_thread_that_says_itself_that_it_runs(tmp_path: Path, at_start: str, first: str, is_lost: bool) -> None:
    source = WORKER.replace("BEFORE", "False").replace("AT_START", at_start).replace("FIRST", first)
    verdict = verdict_on(tmp_path, source, "self.running = True" if is_lost else "while self.running", "# told")
    assert (verdict.status == "confirmed") is is_lost, (verdict.reason, verdict.outcome)
    if is_lost:
        assert verdict.effect == "hang"
        assert "Worker.start; Worker.stop waits in the end of what was told to stop" in (verdict.outcome or "")


@pytest.mark.parametrize(
    ("renew", "is_lost"), [("self.stopping.clear()", True), ("self.stopping = threading.Event()", False)]
)
def test_an_event_that_is_cleared_for_the_next_thread(tmp_path: Path, renew: str, is_lost: bool) -> None:
    verdict = verdict_on(tmp_path, SAMPLER.replace("RENEW", renew), renew, "stopping.wait(1)", "self.stopping.set()")
    assert (verdict.status == "confirmed") is is_lost, (verdict.reason, verdict.outcome)


def test_who_does_not_end_whenever_it_is_told_proves_nothing_of_the_moment(tmp_path: Path) -> None:
    verdict = verdict_on(tmp_path, QUEUE, "self.running = True", "# told", "while self.running")
    assert verdict.status != "confirmed", verdict.outcome


SERVICES = {
    "waits for work": "while self.jobs.get() is not None: pass",
    "looks now and then": "while not self.stopping.wait(1): pass",
    "turns": "while self.running: self.turns += 1",
    "looks, and is waited for": "while not self.stopping.wait(1): pass",
    "joins one that waits": "one = threading.Thread(target=self.jobs.get); one.start(); one.join()",
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_thread_that_was_started_to_serve_does_not_hang(tmp_path: Path, name: str) -> None:
    source = "\n".join(
        [
            "import queue, threading",
            "class Service:",
            "    def __init__(self):",
            "        self.jobs, self.stopping, self.turns = queue.Queue(), threading.Event(), 0",
            "        self.running = True",
            "    def start(self):",
            "        self.thread = threading.Thread(target=self._serve)",
            "        self.thread.start()",
            "        if JOINS: self.thread.join()".replace("JOINS", str("waited for" in name)),
            "    def _serve(self):",
            f"        {SERVICES[name]}",
        ]
    )
    (tmp_path / "model.py").write_text(source)
    (result,) = confirm_target("model.py::Service.start", [], Limits(python=sys.executable, budget=3.0), tmp_path)
    assert result.verdict.status != "confirmed", result.verdict.outcome


def test_threads_in_each_others_way_do_although_nobody_joins_them(tmp_path: Path) -> None:
    source = """\
import threading, time

def main():
    a, b = threading.Lock(), threading.Lock()

    def work(first, second):
        with first:
            time.sleep(1)
            with second:
                pass

    threading.Thread(target=work, args=(a, b)).start()
    threading.Thread(target=work, args=(b, a)).start()
"""
    (tmp_path / "model.py").write_text(source)
    (result,) = confirm_target("model.py::main", [], LIMITS, tmp_path)
    assert (result.verdict.status, result.verdict.effect) == ("confirmed", "deadlock"), result.verdict.reason
