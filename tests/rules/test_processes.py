"""RL601 and RL602 across functions, files, pools and closures."""

from __future__ import annotations

import pytest

from tests.rules.conftest import Check


def test_a_change_in_a_helper_of_another_file_is_lost(check: Check) -> None:
    files = {
        "state.py": "rows = []\n\n\ndef note(row):\n    rows.append(row)\n",
        "main.py": "from multiprocessing import Process\nimport state\n\n\ndef work():\n    state.note(1)\n\n\n"
        "def main():\n    p = Process(target=work)\n    p.start()\n    p.join()\n    print(state.rows)\n",
    }
    assert [(finding.path, finding.line) for finding in check(files, "RL601")] == [("state.py", 5)]


def test_what_only_the_child_reads_is_its_own(check: Check) -> None:
    source = """\
from multiprocessing import Process
rows = []
def work():
    rows.append(1)
    print(rows)
def main():
    p = Process(target=work)
    p.start()
    p.join()
"""
    assert check(source, "RL601") == []


def test_a_stop_flag_of_the_parent_never_arrives(check: Check) -> None:
    source = """\
import time
from multiprocessing import Process
class Worker(Process):
    def __init__(self):
        super().__init__()
        self.stopped = False
    def run(self):
        while not self.stopped:
            time.sleep(1)
    def stop(self):
        self.stopped = True
def main():
    w = Worker()
    w.start()
    w.stop()
    w.join()
"""
    assert [finding.line for finding in check(source, "RL601")] == [11]


def test_a_list_that_is_filled_for_the_next_child_is_not_lost(check: Check) -> None:
    source = """\
from multiprocessing import Process
def work(batch):
    for row in batch:
        print(row, batch)
def main(rows):
    batch = []
    for row in rows:
        batch.append(row)
        Process(target=work, args=(batch,)).start()
"""
    assert check(source, "RL601") == []


UPDATE = """\
from multiprocessing import Array, Lock, Process, Value
lock = Lock()
def work(value):
    {update}
def main():
    value = {value}
    for _ in range({children}):
        {start}
"""


@pytest.mark.parametrize(
    ("update", "value", "children", "start", "found"),
    [
        ("value.value += 1", "Value('i', 0)", 2, "Process(target=work, args=(value,)).start()", 1),
        ("value.value = value.value + 1", "Value('i', 0)", 2, "Process(target=work, args=(value,)).start()", 1),
        ("value[0] += 1", "Array('i', 3)", 2, "Process(target=work, args=[value]).start()", 1),
        ("value.value += 1", "Value('i', 0)", 2, "p = Process(target=work, kwargs={'value': value}); p.start()", 1),
        ("value.value = 1", "Value('i', 0)", 2, "Process(target=work, args=(value,)).start()", 0),
        ("with lock: value.value += 1", "Value('i', 0)", 2, "Process(target=work, args=(value,)).start()", 0),
        ("with value: value.value += 1", "Value('i', 0)", 2, "Process(target=work, args=(value,)).start()", 0),
        (
            "value.value += 1",
            "Value('i', 0)",
            2,
            "p = Process(target=work, args=(value,)); p.start(); p.join()",
            0,
        ),
    ],
)
def test_updates_of_shared_values(check: Check, update: str, value: str, children: int, start: str, found: int) -> None:
    source = UPDATE.format(update=update, value=value, children=children, start=start)
    assert len(check(source, "RL602")) == found


def test_two_values_for_two_children_do_not_race(check: Check) -> None:
    source = """\
from multiprocessing import Process, Value
def work(value):
    value.value += 1
def main():
    a, b = Value("i", 0), Value("i", 0)
    Process(target=work, args=(a,)).start()
    Process(target=work, args=(b,)).start()
"""
    assert check(source, "RL602") == []


def test_a_thread_lock_does_not_guard_a_shared_value(check: Check) -> None:
    source = """\
from multiprocessing import Process, Value
from threading import Lock
lock = Lock()
def work(value):
    with lock:
        value.value += 1
def main():
    value = Value("i", 0)
    for _ in range(2):
        Process(target=work, args=(value,)).start()
"""
    assert [finding.line for finding in check(source, "RL602")] == [6]
