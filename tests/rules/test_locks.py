"""RL201, RL211 and RL301 where the answer hangs on another function, file or flag."""

from __future__ import annotations

from tests.rules.conftest import Check

LOCK = """\
from threading import Condition, Lock
lock = Lock()
"""


def lines(check: Check, source: str, code: str) -> list[int]:
    return [finding.line for finding in check(source, code)]


def test_a_lock_of_another_file_is_known_by_its_type(check: Check) -> None:
    files = {
        "guards.py": "from threading import Lock\nmutex = Lock()\n",
        "work.py": "from guards import mutex\n\n\ndef load(path):\n"
        "    mutex.acquire()\n    text = open(path).read()\n    mutex.release()\n    return text\n",
    }
    (finding,) = check(files, "RL201")
    assert (finding.path, finding.line, finding.subject) == ("work.py", 5, "guards.mutex")


def test_a_release_in_another_function_is_a_protocol(check: Check) -> None:
    source = LOCK + "def begin():\n    lock.acquire()\n    print('begun')\ndef end():\n    lock.release()\n"
    assert lines(check, source, "RL201") == []
    assert lines(check, source, "RL211") == []


def test_a_release_in_another_function_does_not_excuse_one_that_releases_itself(check: Check) -> None:
    source = (
        LOCK
        + "def begin():\n    lock.acquire()\ndef end():\n    lock.release()\n"
        + "def load(path):\n    lock.acquire()\n    text = open(path).read()\n    lock.release()\n    return text\n"
    )
    assert lines(check, source, "RL201") == [8]


def test_a_helper_that_cannot_raise_is_no_leak(check: Check) -> None:
    source = (
        LOCK
        + "n = 0\ndef up():\n    global n\n    n += 1\ndef work():\n    lock.acquire()\n    up()\n    lock.release()\n"
    )
    assert lines(check, source, "RL201") == []
    assert lines(check, source, "RL211") == [8]


def test_a_flag_says_whether_the_lock_is_held(check: Check) -> None:
    source = LOCK + (
        "def work(path, wanted):\n    locked = False\n    try:\n        if wanted:\n            lock.acquire()\n"
        "            locked = True\n        return open(path).read()\n    finally:\n        if locked:\n"
        "            lock.release()\n"
    )
    assert lines(check, source, "RL201") == []
    assert lines(check, source, "RL211") == []


def test_a_context_manager_without_finally_leaks_at_its_yield(check: Check) -> None:
    source = "from contextlib import contextmanager\n" + LOCK
    source += "@contextmanager\ndef held():\n    lock.acquire()\n    yield\n    lock.release()\n"
    (finding,) = check(source, "RL201")
    assert finding.line == 6
    assert "`yield` on line 7" in finding.why


def test_a_membership_test_does_not_raise(check: Check) -> None:
    source = (
        LOCK
        + "seen = {}\ndef work(key):\n    lock.acquire()\n    new = key not in seen\n"
        + "    lock.release()\n    return new\n"
    )
    assert lines(check, source, "RL201") == []


def test_an_answer_with_a_negation_between_is_still_the_lock_s(check: Check) -> None:
    source = LOCK + (
        "def work(path):\n    got = lock.acquire(timeout=1)\n    if not got:\n        raise TimeoutError\n"
        "    try:\n        return open(path).read()\n    finally:\n        lock.release()\n"
    )
    assert lines(check, source, "RL201") == []


def test_the_trace_leads_from_the_acquire_to_the_exit(check: Check) -> None:
    source = LOCK + "def work(key):\n    lock.acquire()\n    if key:\n        return 1\n    lock.release()\n"
    (finding,) = check(source, "RL201")
    assert [step.line for step in finding.trace] == [4, 6]
    assert finding.symbol == "work"
    assert (finding.column, finding.end_column) == (5, 19)


def test_a_condition_is_known_by_its_type_in_another_file(check: Check) -> None:
    files = {
        "base.py": "from threading import Condition\nclass Base:\n    def __init__(self):\n"
        "        self.changed = Condition()\n        self.rows = []\n",
        "child.py": "from base import Base\nclass Child(Base):\n    def take(self):\n        with self.changed:\n"
        "            if not self.rows:\n                self.changed.wait()\n            return self.rows.pop()\n",
    }
    assert [(finding.path, finding.line) for finding in check(files, "RL301")] == [("child.py", 6)]


def test_a_loop_around_the_critical_section_that_tests_first_is_one(check: Check) -> None:
    source = (
        "from threading import Condition\ncv = Condition()\nrows = []\n"
        "def take():\n    while True:\n        with cv:\n            if rows:\n                return rows.pop()\n"
        "            cv.wait()\n"
    )
    assert lines(check, source, "RL301") == []


def test_a_timed_wait_after_which_nothing_is_done_is_a_sleep(check: Check) -> None:
    source = "from threading import Condition\ncv = Condition()\ndef nap():\n    with cv:\n        cv.wait(1.0)\n"
    assert lines(check, source, "RL301") == []


def test_giving_up_after_one_wait_is_a_warning(check: Check) -> None:
    source = (
        "from threading import Condition\ncv = Condition()\nrows = []\n"
        "def take():\n    with cv:\n        if not rows:\n            cv.wait(1.0)\n"
        "        if not rows:\n            return None\n        return rows.pop()\n"
    )
    (finding,) = check(source, "RL301")
    assert (finding.line, finding.severity, finding.confidence) == (7, "warning", "low")


def test_a_parameter_that_is_only_sometimes_a_condition_is_none(check: Check) -> None:
    source = (
        "from threading import Condition\nfrom unknown import Gate\n"
        "def run(gate):\n    gate.wait()\n    gate.clear()\nrun(Condition())\nrun(make())\nrun(Gate.one())\n"
    )
    assert lines(check, source.replace("run(make())\n", "for g in gates:\n    run(g)\n"), "RL301") == []
    assert lines(check, source.split("run(make())")[0], "RL301") == [4]
