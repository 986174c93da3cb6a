"""Rules that say which serial order is the right one."""

from __future__ import annotations

import pytest

from tests.agent.conftest import AgentRunner

LATE = """
from threading import Thread

def squares():
    found, threads = [], []
    for n in (1, 2):
        thread = Thread(target=lambda {given}: found.append(n * n))  # FLAG
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return found

class Reader:
    def __init__(self):
        {first}
        Thread(target=self.run).start()  # FLAG
        {then}

    def run(self):
        self.rows.append(1)
"""


@pytest.mark.parametrize(("given", "status"), [("", "confirmed"), ("n=n", "benign")])
def test_right_is_what_a_thread_does_as_soon_as_it_is_started(agent: AgentRunner, given: str, status: str) -> None:
    source = LATE.format(given=given, first="", then="")
    answer = agent.run(agent.job(source, ["target.squares()"], kind="program", code="RL505"))
    assert answer["status"] == status, answer
    if status == "confirmed":
        job = agent.job(source, ["target.squares()"], kind="program", code="RL505", schedule=answer["schedule"])
        assert agent.run(job)["outcome"] == answer["outcome"]


@pytest.mark.parametrize(("complete", "status"), [(False, "confirmed"), (True, "not-reproduced")])
def test_right_is_what_comes_if_the_creator_goes_first(agent: AgentRunner, complete: bool, status: str) -> None:
    rows = ["self.rows = []", "pass"]
    first, then = rows if complete else rows[::-1]
    source = LATE.format(given="", first=first, then=then)
    answer = agent.run(agent.job(source, ["target.Reader()"], kind="program", code="RL109"))
    assert answer["status"] == status, answer


BOX = """
import threading

class Box:
    def __init__(self):
        self.cond = threading.Condition()
        self.items = []

    def put(self, item):
        with self.cond:
            self.items.append(item)
            self.cond.notify_all()

    def get(self):
        with self.cond:
            {test} not self.items:
                self.cond.wait()  # FLAG
            return {taken}
"""


@pytest.mark.parametrize(
    ("test", "taken", "status"),
    [
        ("if", "self.items.pop()", "confirmed"),
        ("while", "self.items.pop()", "not-reproduced"),
        ("if", "self.items.pop() if self.items else None", "not-reproduced"),
    ],
)
def test_who_is_woken_for_what_another_took_fails_in_no_right_order(
    agent: AgentRunner, test: str, taken: str, status: str
) -> None:
    operations = ["subject.get()", "subject.get()", "subject.put(1)"]
    source = BOX.format(test=test, taken=taken)
    answer = agent.run(agent.job(source, operations, setup="subject = target.Box()", code="RL301"))
    assert (answer["status"], answer["effect"]) == (status, "exception" if status == "confirmed" else None), answer


WORKER = """
import queue, threading

class Worker:
    def __init__(self):
        self.lock = threading.Lock()
        self.done, self.seen = 0, ""
        self.tasks = queue.Queue()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            self.tasks.get({timeout})
            with self.lock:
                self.seen = f"run {{self.done}}"
            {counted}
                self.done += 1

    def put(self):
        self.tasks.put(1)
        {counted}
            self.done += 1
        with self.lock:
            self.seen = f"put {{self.done}}"
"""


@pytest.mark.parametrize("timeout", ["", "timeout=3"])
@pytest.mark.parametrize(("counted", "status"), [("with self.lock:", ""), ("if True:", "confirmed")])
def test_how_far_a_thread_in_the_background_is_makes_no_state_wrong_but_a_lost_update_does(
    agent: AgentRunner, timeout: str, counted: str, status: str
) -> None:
    source = WORKER.format(timeout=timeout, counted=counted)
    answer = agent.run(agent.job(source, ["subject.put()", "subject.put()"], setup="subject = target.Worker()"))
    assert (answer["status"] == "confirmed") is (status == "confirmed"), answer
