"""What is taken for the proof of a finding, and what is not although it goes wrong next to it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from racelint.confirm import Limits, confirm_finding
from racelint.model.finding import Finding, Step, Verdict

LIMITS = Limits(python=sys.executable, budget=10.0)

TWO_RACES = """\
import threading

SESSIONS = {}
_client = None

class Client:
    def __init__(self):
        self.calls = 0

def _known(user):
    return user in SESSIONS

def client():
    global _client
    if _client is None:
        _client = Client()
    return _client

def main():
    def handle(user):
        if not _known(user):
            SESSIONS[user] = WHAT
        client().calls += 1

    for _ in range(2):
        threading.Thread(target=handle, args=("ann",)).start()

if __name__ == "__main__":
    main()
"""

GATE = """\
import threading

class Gate:
    def __init__(self):
        self.cv = threading.Condition()
        self.tokens = 0
        self.closed = False

    def put(self):
        with self.cv:
            CHANGE
            self.cv.notify_all()

    def take(self):
        with self.cv:
            if self.tokens == 0 and not self.closed:
                self.cv.wait()
            if self.closed:
                return None
            self.tokens -= 1
"""

TOTALS = """\
from multiprocessing import Manager, Process

def add(totals, lock):
    with lock:
        totals["all"] += 1

def main():
    with Manager() as manager:
        totals = manager.dict({"all": 0})
        lock = LOCK
        workers = [Process(target=add, args=(totals, lock)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

if __name__ == "__main__":
    main()
"""

HUB = """\
import asyncio

class Hub:
    def __init__(self):
        self.listeners = set()

    def add(self, listener):
        self.listeners.add(listener)

    async def publish(self, message):
        for listener in LISTENERS:
            await asyncio.sleep(0)
            str(listener) + str(message)
"""

ONCE = """\
import asyncio

class Once:
    def __init__(self):
        self.results = {}

    async def run(self, key, coro):
        if key not in self.results:
            value = await asyncio.create_task(coro)
            self.results[key] = self.results.get(key, 0) + value
        return self.results[key]
"""


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def confirmed(tmp_path: Path, source: str, code: str, text: str, *, also: str = "") -> Verdict:
    """The verdict on a finding at the line with that text."""
    path = tmp_path / "model.py"
    path.write_text(source)
    lines = source.splitlines()
    line = next(number for number, one in enumerate(lines, 1) if text in one)
    more = next((number for number, one in enumerate(lines, 1) if also and also in one), 0)
    steps = (Step("access", "", path.name, more, 1),) if more else ()
    fields = (code, "name", "message", "", path.name, line, 1, line, 2, "error", "high", None, "", "message")
    return confirm_finding(Finding(*fields, steps), LIMITS, tmp_path)


def test_a_race_next_to_the_finding_is_no_proof_of_it(tmp_path: Path) -> None:
    verdict = confirmed(tmp_path, TWO_RACES.replace("WHAT", "'open'"), "RL104", "if not _known", also="SESSIONS[user]")
    assert verdict.status != "confirmed", verdict.outcome


def test_what_is_checked_in_a_function_of_its_own_is_proved(tmp_path: Path) -> None:
    source = TWO_RACES.replace("WHAT", "[]").replace("client().calls += 1", "SESSIONS[user].append(user)")
    verdict = confirmed(tmp_path, source, "RL104", "if not _known", also="SESSIONS[user] =")
    assert verdict.status == "confirmed", verdict.reason
    assert "SESSIONS" in (verdict.outcome or "")


def test_a_notification_of_all_wakes_one_too_many_in_a_serial_order(tmp_path: Path) -> None:
    verdict = confirmed(tmp_path, GATE.replace("CHANGE", "self.tokens += 1"), "RL301", "self.cv.wait()")
    assert verdict.status == "confirmed", verdict.reason
    assert "tokens=-1" in (verdict.outcome or "")


def test_who_is_woken_for_another_reason_and_tests_for_that_is_right(tmp_path: Path) -> None:
    verdict = confirmed(tmp_path, GATE.replace("CHANGE", "self.closed = True"), "RL301", "self.cv.wait()")
    assert verdict.status != "confirmed", verdict.outcome


@pytest.mark.parametrize(
    ("lock", "status"), [("manager.Semaphore(2)", "confirmed"), ("manager.Lock()", "not-reproduced")]
)
def test_an_update_through_a_managers_proxy_is_lost(tmp_path: Path, lock: str, status: str) -> None:
    verdict = confirmed(tmp_path, TOTALS.replace("LOCK", lock), "RL602", 'totals["all"] += 1')
    assert verdict.status == status, verdict.reason


@pytest.mark.parametrize(
    ("listeners", "status"), [("self.listeners", "confirmed"), ("list(self.listeners)", "not-reproduced")]
)
def test_a_container_is_filled_with_other_objects_before_it_is_iterated(
    tmp_path: Path, listeners: str, status: str
) -> None:
    verdict = confirmed(tmp_path, HUB.replace("LISTENERS", listeners), "RL106", "for listener")
    assert verdict.status == status, verdict.reason


def test_each_call_gets_a_coroutine_of_its_own(tmp_path: Path) -> None:
    verdict = confirmed(tmp_path, ONCE, "RL702", "if key not in", also="self.results[key] =")
    assert verdict.status != "unsupported", verdict.reason
    assert "Once.run returned 2" in (verdict.outcome or ""), verdict


LINK = """\
import threading

class Link:
    def __init__(self):
        self.first = threading.Lock()
        self.second = threading.Lock()
        self.sock = []
        self.sent = 0

    def send(self):
        with self.first:
            if self.sock is not None:
                self.sock.append(1)
                self.sent += 1

    def ping(self):
        with OTHER:
            self.sent += 2

    def close(self):
        self.sock = None
"""


@pytest.mark.parametrize(("other", "status"), [("self.second", "confirmed"), ("self.first", "not-reproduced")])
def test_two_locks_are_shown_by_who_holds_the_one_and_who_holds_the_other(
    tmp_path: Path, other: str, status: str
) -> None:
    source = LINK.replace("OTHER", other)
    verdict = confirmed(tmp_path, source, "RL103", "self.sent += 1", also="self.sent += 2")
    assert verdict.status == status, (verdict.reason, verdict.outcome)
    verdict = confirmed(tmp_path, source, "RL103", "self.sock.append", also="self.sent += 2")
    assert "NoneType" not in (verdict.outcome or ""), verdict.reason
