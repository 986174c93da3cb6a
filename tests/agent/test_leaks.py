"""What is left after a schedule, and after no serial order: threads, locks held by threads that ended, open files."""

from __future__ import annotations

import pytest

from tests.agent.conftest import AgentRunner

WORKER = """
    import threading

    class Worker:
        def __init__(self):
            self.thread = None
            self.lock = threading.Lock()
            self.wake = threading.Event()

        def run(self):
            while True:
                self.wake.wait()

        def start(self):
            if self.thread is None:
                thread = threading.Thread(target=self.run, daemon=True)
                thread.start()
                self.thread = thread

        def start_once(self):
            with self.lock:
                self.start()

        def start_another(self):
            threading.Thread(target=self.run, daemon=True).start()
    """

LOCKS = """
    import threading

    class Door:
        def __init__(self):
            self.lock = threading.Lock()
            self.guard = threading.Lock()
            self.shut = False

        def {name}(self):
            self.shut = True
            self.lock.acquire()
            if self.shut:
                self.lock.release()
            self.shut = False

        def shut_under_guard(self):
            with self.guard:
                self.{name}()

        def swap(self):
            if self.lock.locked():
                self.lock.release()
            else:
                self.lock.acquire()
    """

FILES = """
    import os
    import threading
    from pathlib import Path

    class Log:
        def __init__(self):
            self.opened = {}
            self.lock = threading.Lock()
            self.closed = False

        def open(self):
            if not self.closed:
                self.opened[threading.get_ident()] = OPEN
                self.opened.popitem()[1].fileno()

        def open_under_lock(self):
            with self.lock:
                self.open()

        def keep(self):
            if not self.closed:
                self.opened[threading.get_ident()] = OPEN

        def keep_under_lock(self):
            with self.lock:
                self.keep()

        def close(self):
            with self.lock:
                self.closed = True
                for file in self.opened.values():
                    file.close()
    """


def test_a_thread_too_many_is_a_leak(agent: AgentRunner) -> None:
    answer = agent(WORKER, ["w.start()", "w.start()"], "w = target.Worker()")
    assert (answer["status"], answer["effect"]) == ("confirmed", "leak")
    assert answer["outcome"].count(" runs on") == 2
    again = agent(WORKER, ["w.start()", "w.start()"], "w = target.Worker()", schedule=answer["schedule"])
    assert (again["status"], again["effect"]) == ("confirmed", "leak")


@pytest.mark.parametrize("method", ["start_once", "start_another"])
def test_threads_that_serial_orders_leave_too_are_none(agent: AgentRunner, method: str) -> None:
    answer = agent(WORKER, [f"w.{method}()"] * 2, "w = target.Worker()")
    assert answer["status"] == "not-reproduced", answer["outcome"]


def test_a_lock_that_its_ended_thread_holds_is_a_leak(agent: AgentRunner) -> None:
    answer = agent(LOCKS.format(name="shut_it"), ["d.shut_it()"] * 2, "d = target.Door()")
    assert (answer["status"], answer["effect"]) == ("confirmed", "leak")
    assert "ends with a lock held" in answer["outcome"]
    assert answer["expected"] == ["d = Door(guard=unlocked, lock=unlocked, shut=False)"]


@pytest.mark.parametrize("method", ["shut_under_guard", "swap"])
def test_locks_that_serial_orders_leave_too_are_none(agent: AgentRunner, method: str) -> None:
    operations = [f"d.{method}()"] if method == "swap" else [f"d.{method}()"] * 2
    answer = agent(LOCKS.format(name="shut_it"), [*operations, "d.guard.locked()"], "d = target.Door()")
    assert answer["effect"] != "leak"


@pytest.mark.parametrize("opened", ["open(os.devnull)", "Path(os.devnull).open()"])
def test_a_file_opened_after_the_others_were_closed_is_a_leak(agent: AgentRunner, opened: str) -> None:
    source = FILES.replace("OPEN", opened)
    answer = agent(source, ["log.keep()", "log.close()"], "log = target.Log()")
    assert (answer["status"], answer["effect"]) == ("confirmed", "leak")
    assert "the file /dev/null stays open" in answer["outcome"]
    kept = agent(source, ["log.keep_under_lock()", "log.close()"], "log = target.Log()")
    assert kept["status"] == "not-reproduced", kept["outcome"]


@pytest.mark.parametrize("method", ["open", "open_under_lock"])
def test_a_file_that_nobody_has_any_more_is_none(agent: AgentRunner, method: str) -> None:
    source = FILES.replace("OPEN", "open(os.devnull)")
    answer = agent(source, [f"log.{method}()", "log.close()"], "log = target.Log()")
    assert answer["effect"] != "leak"


CONSTANTS = """
from collections import namedtuple
from random import randrange

Pair = namedtuple("Pair", "first second")
spare = {spare}
n = 0

def add():
    global n
    n += 1  # FLAG
"""


@pytest.mark.parametrize(("spare", "leaks"), [("None", []), ("open(__file__)", ["TextIOWrapper"])])
def test_what_does_not_change_is_not_handed_on(agent: AgentRunner, spare: str, leaks: list[str]) -> None:
    answer = agent.run(agent.job(CONSTANTS.format(spare=spare), ["target.add()", "target.add()"], code="RL101"))
    assert (answer["status"], answer["leaks"]) == ("confirmed", leaks), answer
