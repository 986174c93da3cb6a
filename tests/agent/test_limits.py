"""What cannot be run, or does not end, is answered with a reason."""

from __future__ import annotations

import pytest

from tests.agent.conftest import AgentRunner

COUNTER = """
class Counter:
    def __init__(self, start):
        self.n = start

    def increment(self):
        self.n += 1
"""


def test_set_up_that_raises_is_unsupported(agent: AgentRunner) -> None:
    answer = agent(COUNTER, ["c.increment()"] * 2, "c = target.Counter()")
    assert answer["status"] == "unsupported"
    assert "TypeError" in answer["reason"]


def test_import_that_fails_is_unsupported(agent: AgentRunner) -> None:
    answer = agent("import no_such_module_here\n", ["target.f()"] * 2)
    assert answer["status"] == "unsupported"
    assert "no_such_module_here" in answer["reason"]


def test_source_that_does_not_compile_is_unsupported(agent: AgentRunner) -> None:
    answer = agent("def f(:\n", ["target.f()"] * 2)
    assert answer["status"] == "unsupported"
    assert "cannot compile" in answer["reason"]


def test_endless_operation_is_inconclusive(agent: AgentRunner) -> None:
    source = """
    def work():
        n = 0
        while True:
            n = n + 1
    """
    answer = agent(source, ["target.work()"] * 2, seconds=3, steps=500)
    assert answer["status"] == "inconclusive"


def test_a_set_up_that_turns_for_ever_cannot_be_had(agent: AgentRunner) -> None:
    source = """
    class Loop:
        def __init__(self):
            self.running = True

        def run(self):
            while self.running:
                pass
    """
    answer = agent(source, ["loop.run()"] * 2, "loop = target.Loop()\nloop.run()", seconds=5)
    assert answer["status"] == "unsupported"
    assert "it turns in a loop for ever" in answer["reason"]


def test_print_and_exit_of_the_target_stay_inside(agent: AgentRunner) -> None:
    source = """
    import os
    import sys

    def noisy():
        print("out")
        print("err", file=sys.stderr)
        os.write(1, b"raw")
        return 1
    """
    answer = agent(source, ["target.noisy()"] * 2)
    assert answer["status"] == "not-reproduced"


def test_real_block_is_seen(agent: AgentRunner) -> None:
    source = """
    import os

    def stall():
        reading, writing = os.pipe()
        return os.read(reading, 1)
    """
    answer = agent(source, ["target.stall()"] * 2, seconds=1)
    assert answer["status"] in ("unsupported", "inconclusive")
    assert answer["reason"]


def test_random_numbers_repeat(agent: AgentRunner) -> None:
    source = """
    import random
    import uuid

    def draw():
        return random.random(), uuid.uuid4().hex
    """
    answer = agent(source, ["target.draw()", "None"])
    assert answer["status"] == "not-reproduced"


def test_virtual_clock_costs_nothing(agent: AgentRunner) -> None:
    source = """
    import time

    def nap():
        before = time.monotonic()
        time.sleep(3600)
        return time.monotonic() - before >= 3600
    """
    answer = agent(source, ["target.nap()"], kind="program", observe=["1"])
    assert answer["status"] == "not-reproduced"
    assert answer["seconds"] < 20


def test_invariant_is_judged(agent: AgentRunner) -> None:
    source = """
    class Pair:
        def __init__(self):
            self.a = self.b = 1

        def swap(self):
            self.a = 0
            self.b = 2
            self.a = self.b - 1

    class Reader:
        pass
    """
    answer = agent(
        source,
        ["p.swap()", "r.seen = p.a + p.b"],
        "p = target.Pair()\nr = target.Reader()\nr.seen = 2",
        invariant="r.seen in (2, 3)",
    )
    assert (answer["status"], answer["effect"]) == ("confirmed", "invariant")


def test_outcome_that_the_flagged_region_does_not_cause_is_left_alone(agent: AgentRunner) -> None:
    # `seen` may lose an update, but the finding is about `total`, which is guarded.
    source = """
    import threading

    class Both:
        def __init__(self):
            self.lock = threading.Lock()
            self.total = 0
            self.seen = 0

        def add(self):
            with self.lock:
                self.total += 1  # FLAG
            self.seen += 1
    """
    answer = agent(source, ["b.add()", "b.add()"], "b = target.Both()")
    assert answer["status"] == "not-reproduced"
    assert "made atomic" in answer["reason"]


@pytest.mark.parametrize("carrier", ["greenlet", "threads"])
def test_finalisers_run_outside_of_switches(agent: AgentRunner, carrier: str) -> None:
    # What an operation returned is dropped when the next execution begins, and its finaliser makes accesses.
    if carrier == "greenlet":
        pytest.importorskip("greenlet")
    source = """
    class Connection:
        def __init__(self, pool):
            self.pool = pool

        def __del__(self):
            self.pool = self.pool.made and None  # FLAG

    class Pool:
        def __init__(self):
            self.made = 0

        def make(self):
            self.made = 1
            self.made = 1
            return Connection(self)
    """
    answer = agent(source, ["p.make()"] * 3, "p = target.Pool()", carrier=carrier, schedules=3000)
    assert answer["status"] == "not-reproduced", answer["reason"]


GEVENT = {
    "gevent/__init__.py": "def spawn(function):\n    return function()\n",
    "gevent/monkey.py": "saved = {}\ndef patch_all():\n    saved['threading'] = {}\n",
}


@pytest.mark.parametrize("patches", [False, True])
def test_other_schedulers_are_named(agent: AgentRunner, patches: bool) -> None:
    # As much of gevent as tells that it is there: the real one is not needed to be refused.
    for name, text in GEVENT.items():
        path = agent.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    source = "from gevent import monkey, spawn\n" + ("monkey.patch_all()\n" if patches else "")
    answer = agent(source + "def act():\n    return spawn(int)\n", ["target.act()"] * 2)
    if patches:
        assert answer["status"] == "unsupported"
        assert "gevent has replaced" in answer["reason"]
    else:
        assert answer["status"] == "not-reproduced"
        assert "gevent switches what it runs itself" in answer["out_of_control"]


BACKGROUND = """
    import threading
    from collections import deque

    class Pool:
        def __init__(self):
            self.waiting = deque()
            self.ready = threading.Condition()
            self.idle = self.threads = self.turns = 0

        def run(self):
            while True:
                with self.ready:
                    while not self.waiting:
                        self.idle += 1
                        self.ready.wait()
                        self.idle -= 1
                    self.waiting.popleft()

        def submit(self, item):
            with self.ready:
                self.waiting.append(item)
                if self.idle:
                    self.ready.notify()
                else:
                    self.threads += 1
                    threading.Thread(target=self.run, daemon=True).start()

        def turn(self):
            while True:
                with self.ready:
                    self.turns = (self.turns + 1) % 2

        def start(self):
            threading.Thread(target=self.turn, daemon=True).start()
    """


def test_threads_in_the_background_come_to_rest_before_the_state_is_looked_at(agent: AgentRunner) -> None:
    answer = agent(BACKGROUND, ["p.submit(1)", "p.submit(2)"], "p = target.Pool()")
    assert answer["status"] == "not-reproduced", answer["outcome"]


def test_threads_that_never_come_to_rest_do_not_hold_the_search_up(agent: AgentRunner) -> None:
    answer = agent(BACKGROUND, ["p.start()"], "p = target.Pool()", schedules=300)
    assert answer["schedules_run"] > 1
    assert answer["status"] != "confirmed", answer["outcome"]


def test_a_long_import_leaves_the_witness_its_steps(agent: AgentRunner) -> None:
    source = """
    class Counter:
        n = 0

        def increment(self):
            self.n += 1  # FLAG

    ENTRIES = {}
    for number in list(range(99)):
        ENTRIES[number] = ENTRIES.get(number - 1, 0) + 1
    """
    answer = agent(source, ["c.increment()"] * 2, "c = target.Counter()", steps=150)
    assert (answer["status"], answer["reached"]) == ("confirmed", True)
    assert answer["witness"]["steps"]
