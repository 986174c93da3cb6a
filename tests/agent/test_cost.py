"""The rules about cost are measured, and a loop without a lock in it is not."""

from __future__ import annotations

import os

import pytest

from tests.agent.conftest import AgentRunner

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

TURNS = """
    import threading

    LOCK = threading.Lock()
    total = 0

    def add():
        global total
        for _ in range(1_000_000):
            with LOCK:  # FLAG
                total += 1
    """


def test_lock_at_every_turn_costs(agent: AgentRunner) -> None:
    answer = agent(TURNS, ["target.add()"], kind="cost", code="RL401")
    assert (answer["status"], answer["effect"]) == ("confirmed", "cost")
    assert "per-turn locking takes" in answer["outcome"]


def test_acquire_and_release_at_every_turn_cost(agent: AgentRunner) -> None:
    source = TURNS.replace("with LOCK:  # FLAG", "LOCK.acquire()  # FLAG").replace(
        "    total += 1", "total += 1\n            LOCK.release()"
    )
    answer = agent(source, ["target.add()"], kind="cost", code="RL401")
    assert (answer["status"], answer["effect"]) == ("confirmed", "cost")


def test_line_outside_any_loop_is_unsupported(agent: AgentRunner) -> None:
    source = TURNS.replace("  # FLAG", "").replace("total = 0", "total = 0  # FLAG")
    answer = agent(source, ["target.add()"], kind="cost", code="RL401")
    assert answer["status"] == "unsupported"


def test_operation_that_waits_for_ever_is_not_measured(agent: AgentRunner) -> None:
    source = """
    import threading

    LOCK = threading.Lock()
    GATE = threading.Event()

    def work():
        GATE.wait()
        for _ in range(10):
            with LOCK:  # FLAG
                pass
    """
    answer = agent(source, ["target.work()"], kind="cost", code="RL401", seconds=3)
    assert answer["status"] == "inconclusive"


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
def test_threads_for_computation_are_compared_with_processes(agent: AgentRunner) -> None:
    source = """
    from threading import Thread

    def squares(n):
        total = 0
        for k in range(n):
            total += k * k % 7
        return total

    def main():
        threads = [Thread(target=squares, args=(2_000_000,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    """
    answer = agent(source, ["target.main()"], kind="cost", code="RL402")
    assert answer["status"] in ("confirmed", "unsupported")
    if answer["status"] == "confirmed":
        assert "4 threads take" in answer["outcome"]


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
def test_a_pool_is_replaced_by_one_of_processes(agent: AgentRunner) -> None:
    source = """
    from concurrent.futures import ThreadPoolExecutor

    def squares(n):
        return sum(k * k % 7 for k in range(n))

    def main(n):
        with ThreadPoolExecutor() as pool:
            return sum(pool.map(squares, [n, n]))
    """
    answer = agent(source, ["target.main(1)"], kind="cost", code="RL402")
    assert (answer["status"], answer["effect"]) == ("inconclusive", None)
    assert "too little" in answer["reason"]
    answer = agent(source, ["target.main(2_000_000)"], kind="cost", code="RL402")
    assert answer["status"] in ("confirmed", "not-reproduced", "unsupported"), answer
