"""What is confirmed stands on a counterfactual that was searched to its end; else the verdict is open."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import AgentRunner

TALLY = """
import threading

class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.n = 0
        self.notes = 0

    def note(self):
        with self.lock:
            self.notes += 1

    def add(self):
        for _ in range(4):
            self.note()
        self.n += 1  # FLAG
        for _ in range(4):
            self.note()
"""


def searched(agent: AgentRunner, schedules: int) -> dict[str, Any]:
    operations = ["subject.add()", "subject.add()", "subject.add()"]
    job = agent.job(TALLY, operations, setup="subject = target.Tally()", code="RL101", schedules=schedules)
    return agent.run(job)


def test_an_unfinished_counterfactual_confirms_nothing(agent: AgentRunner) -> None:
    answer = searched(agent, 60)
    assert answer["status"] == "inconclusive", answer
    assert "made atomic" in answer["reason"]
    assert "n=2" in answer["outcome"] or "n=1" in answer["outcome"], answer


def test_a_finished_one_does(agent: AgentRunner) -> None:
    answer = searched(agent, 20_000)
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-update"), answer


TRY = """
import threading

class Till:
    def __init__(self):
        self.lock = threading.Lock()
        self.n = 0

    def add(self):
        {taken}
        try:
            self.n += 1
        finally:
            {given}

    def add_once(self):
        if self.lock.acquire(timeout=1):  # FLAG
            try:
                self.n += 1
            finally:
                self.lock.release()
"""


@pytest.mark.parametrize(
    ("taken", "given", "status"),
    [
        ("if not self.lock.acquire(blocking=False): return", "self.lock.release()", "not-reproduced"),
        ("if not self.lock.acquire(timeout=1): return", "self.lock.release()", "not-reproduced"),
        ("self.lock.acquire(blocking=False)", "self.lock.release()", "confirmed"),
        ("self.lock.acquire(timeout=1)", "self.lock.locked() and self.lock.release()", "confirmed"),
    ],
)
def test_who_is_refused_a_lock_and_leaves_it_at_that_is_right(
    agent: AgentRunner, taken: str, given: str, status: str
) -> None:
    source = TRY.format(taken=taken, given=given)
    operations = ["subject.add()", "subject.add()"]
    answer = agent.run(agent.job(source, operations, setup="subject = target.Till()", code="RL208"))
    assert answer["status"] == status, answer


BARRIER = """
import threading

def work():
    barrier = threading.Barrier(3)  # FLAG
    threads = [threading.Thread(target=barrier.wait) for _ in range(2)]
    for thread in threads:
        thread.start()
    barrier_of_two = threading.Barrier(3)
    barrier_of_two.wait()
"""


def test_a_witness_shows_the_last_wait_too(agent: AgentRunner) -> None:
    answer = agent.run(agent.job(BARRIER, ["target.work()"], kind="program", code="RL306"))
    assert (answer["status"], answer["effect"]) == ("confirmed", "hang"), answer
    waits = [step["action"] for step in answer["witness"]["steps"] if step["action"].startswith("waits")]
    assert "waits in barrier_of_two.wait()" in waits, waits


TRANSFER = """
import threading

class Transfer:
    def __init__(self):
        self.lock = threading.Lock()
        self._status = "queued"
        self.result = None

    @property
    def status(self):
        with self.lock:
            return self._status  # FLAG

    def done(self):
        return self.status in ("cancelled", "success")

    def cancel(self):
        if not self.done():
            with self.lock:
                self._status = "cancelled"  # FLAG

    def finish(self):
        with self.lock:
            self.result = 1
            self._status = "success"

    def report(self):
        before = self.done()
        with self.lock:
            self.result = 2
        return before
"""


@pytest.mark.parametrize(("operation", "status"), [("cancel", "confirmed"), ("report", "not-reproduced")])
def test_a_region_that_begins_in_what_a_function_calls_goes_on_in_it(
    agent: AgentRunner, operation: str, status: str
) -> None:
    job = agent.job(
        TRANSFER, [f"subject.{operation}()", "subject.finish()"], setup="subject = target.Transfer()", code="RL104"
    )
    assert agent.run(job)["status"] == status


WAITED = """
import threading

class Tally:
    def __init__(self):
        self.cond = threading.Condition()
        self.n = self.others = 0

    def add(self):
        with self.cond:
            self.n += 1  # FLAG
            self.cond.wait(1)
        with self.cond:
            others = self.others
        with self.cond:
            self.others = others + 1
"""


def test_a_region_ends_after_a_wait_that_has_expired(agent: AgentRunner) -> None:
    """What a Condition waits by is no lock that the thread holds from then on: another race is not the flagged one."""
    job = agent.job(WAITED, ["subject.add()"] * 2, setup="subject = target.Tally()", code="RL101", schedules=20_000)
    answer = agent.run(job)
    assert answer["status"] != "confirmed", answer
