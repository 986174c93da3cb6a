"""RL306, RL401, RL402 and RL502 where numbers and types decide."""

from __future__ import annotations

import pytest

from tests.rules.conftest import Check

BARRIER = """\
from threading import Barrier, Thread
SIZE = {size}
barrier = Barrier({parties})
def work():
    barrier.wait()
def main():
    threads = [Thread(target=work) for _ in range({threads})]
    for t in threads:
        t.start()
    {rest}
"""


@pytest.mark.parametrize(
    ("size", "parties", "threads", "rest", "found"),
    [
        ("3", "SIZE", "SIZE", "pass", False),
        ("3", "SIZE + 1", "SIZE", "pass", True),
        ("3", "SIZE + 1", "SIZE", "barrier.wait()", False),
        ("4", "SIZE // 2", "SIZE", "pass", False),
        ("4", "2 * SIZE", "SIZE - 1", "pass", True),
        ("len('abc')", "SIZE", "2", "pass", False),
        ("3", "SIZE", "2", "barrier.abort()", False),
    ],
)
def test_parties_and_threads_are_worked_out(
    check: Check, size: str, parties: str, threads: str, rest: str, found: bool
) -> None:
    source = BARRIER.format(size=size, parties=parties, threads=threads, rest=rest)
    assert [finding.line for finding in check(source, "RL306")] == ([3] if found else [])


def test_two_barriers_through_one_function_are_counted_apart(check: Check) -> None:
    source = """\
from threading import Barrier, Thread
def meet(barrier):
    barrier.wait()
def two():
    pair = Barrier(2)
    for _ in range(2):
        Thread(target=meet, args=(pair,)).start()
def three():
    few = Barrier(3)
    for _ in range(2):
        Thread(target=meet, args=(few,)).start()
"""
    (finding,) = check(source, "RL306")
    assert finding.line == 9
    assert "2 threads" in finding.message


LOOP = """\
from threading import Lock, Thread
lock = Lock()
total = 0
def count():
    global total
    for _ in range({turns}):
        with lock:
            total += 1
{start}
"""
START = "for _ in range(2):\n    Thread(target=count).start()"


@pytest.mark.parametrize(("turns", "found"), [("100", 0), ("1000", 1), ("10 * 200", 1)])
def test_a_loop_is_hot_from_a_thousand_turns_on(check: Check, turns: str, found: int) -> None:
    assert len(check(LOOP.format(turns=turns, start=START), "RL401")) == found


def test_a_loop_that_no_thread_runs_is_not_hot(check: Check) -> None:
    assert check(LOOP.format(turns="1000000", start="count()"), "RL401") == []


COMPUTE = """\
from threading import Thread
def compute(n):
    total = 0
    for k in range(n):
        total += {step}
    return total
a = Thread(target=compute, args=(10,))
b = Thread(target=compute, args=(20,))
a.start()
b.start()
"""


@pytest.mark.parametrize(("step", "found"), [("k * k", 1), ("abs(k)", 1), ("unknown(k)", 0), ("int(input())", 0)])
def test_only_what_certainly_computes_is_cpu_bound(check: Check, step: str, found: int) -> None:
    assert len(check(COMPUTE.format(step=step), "RL402")) == found


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("t = Thread(target=print).start()", 1),
        ("self.t = Thread(target=print).start()", 1),
        ("self.ready and Thread(target=print).start()", 0),
        ("Thread(target=print).start() if self.ready else None", 0),
        ("_ = Thread(target=print).start()", 0),
        ("[Thread(target=print).start() for _ in range(2)]", 0),
        ("ts = [Thread(target=print).start() for _ in range(2)]; return ts", 1),
    ],
)
def test_start_is_used_where_its_answer_goes_somewhere(check: Check, statement: str, found: int) -> None:
    source = f"from threading import Thread\nclass C:\n    def go(self):\n        {statement}\n"
    assert len(check(source, "RL502")) == found
