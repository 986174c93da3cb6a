"""Real processes: changes lost in a process, and forced interleavings of shared memory, forked and spawned."""

from __future__ import annotations

import multiprocessing
import socket
from pathlib import Path
from typing import Any

import pytest

from racelint.agent.process_control import Controller, Pause, Run, Session
from racelint.agent.processes import Interleaving
from tests.agent.conftest import AgentRunner

pytestmark = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")

COUNTER = """
    import multiprocessing

    def count_up(value):
        for _ in range(10000):
            {body}

    def main():
        context = multiprocessing.get_context("{method}")
        value = context.Value("i", 0)
        processes = [context.Process(target=count_up, args=(value,)) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        return value.value
    """

COPY = """
    import multiprocessing

    def show(array):
        print(*array)

    if __name__ == "__main__":
        context = multiprocessing.get_context("{method}")
        array = {array}
        process = context.Process(target=show, args=([array]))
        process.start()
        for i in range(3):
            array[i] = 7  # FLAG
        process.join()
    """


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_unlocked_increment_of_a_shared_value_is_lost(agent: AgentRunner, method: str) -> None:
    source = COUNTER.format(body="value.value += 1  # FLAG", method=method)
    source += '\n    if __name__ == "__main__":\n        main()\n'
    answer = agent(source, ["run_target()"], kind="processes", code="RL602", seconds=90.0)
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-update")
    assert any("wrote value.value" in step["action"] for step in answer["witness"]["steps"])
    replayed = {"schedule": answer["schedule"], "seconds": 90.0}
    again = agent(source, ["run_target()"], kind="processes", code="RL602", **replayed)
    assert (again["status"], again["outcome"]) == ("confirmed", answer["outcome"])


def test_increment_under_the_lock_of_the_value_is_kept(agent: AgentRunner) -> None:
    body = "with value.get_lock():\n                value.value += 1  # FLAG"
    source = COUNTER.format(body=body, method="fork")
    answer = agent(source, ["target.main()"], kind="processes", code="RL602")
    assert answer["status"] == "not-reproduced"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_change_of_a_plain_list_is_lost_in_the_process(agent: AgentRunner, method: str) -> None:
    source = COPY.format(method=method, array="[-1] * 3")
    answer = agent(source, ["run_target()"], kind="processes", code="RL601")
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-in-process")
    assert "[7, 7, 7]" in answer["outcome"] and "[-1, -1, -1]" in answer["outcome"]


def test_change_of_a_shared_array_is_seen(agent: AgentRunner) -> None:
    source = COPY.format(method="fork", array='context.Array("i", [-1] * 3, lock=True)')
    answer = agent(source, ["run_target()"], kind="processes", code="RL601")
    assert answer["status"] == "not-reproduced"


def test_global_changed_in_the_child_stays_there(agent: AgentRunner) -> None:
    source = """
    from multiprocessing import get_context

    seen = []

    def collect():
        seen.append(1)  # FLAG

    def main():
        process = get_context("fork").Process(target=collect)
        process.start()
        process.join()
        return len(seen)
    """
    answer = agent(source, ["target.main()"], kind="processes", code="RL601")
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-in-process")
    assert "global seen" in answer["outcome"]


def test_code_without_processes_is_unsupported(agent: AgentRunner) -> None:
    answer = agent("def main():\n    return 1\n", ["target.main()"], kind="processes")
    assert answer["status"] == "unsupported"


HANDED = """
    import {home} as home
    from multiprocessing import Process

    def work(thing):
        print(thing)

    if __name__ == "__main__":
        process = Process(target=work, args=(home.{thing}(),))  # FLAG
        process.start()
        process.join()
    """


@pytest.mark.parametrize("thing", ["Lock", "Event", "Condition", "Semaphore"])
def test_primitives_of_threads_cannot_be_handed_to_a_spawned_process(agent: AgentRunner, thing: str) -> None:
    bad, good = HANDED.format(home="threading", thing=thing), HANDED.format(home="multiprocessing", thing=thing)
    answer = agent(bad, ["run_target()"], kind="processes", code="RL604")
    assert (answer["status"], answer["effect"]) == ("confirmed", "exception")
    assert "cannot pickle" in answer["outcome"]
    assert agent(good, ["run_target()"], kind="processes", code="RL604")["status"] == "not-reproduced"


SIGNALLED = """
    import {home} as home
    import multiprocessing

    ready = home.Event()  # FLAG

    def work():
        ready.set()

    if __name__ == "__main__":
        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        process.join()
    """


def test_a_signal_of_threads_is_not_seen_by_the_parent(agent: AgentRunner) -> None:
    answer = agent(SIGNALLED.format(home="threading"), ["run_target()"], kind="processes", code="RL604")
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-in-process")
    answer = agent(SIGNALLED.format(home="multiprocessing"), ["run_target()"], kind="processes", code="RL604")
    assert answer["status"] == "not-reproduced"


QUEUE = """
    from multiprocessing import Process, Queue

    def work(results):
        for n in range({count}):
            results.put(n)

    if __name__ == "__main__":
        results = Queue()
        process = Process(target=work, args=(results,))
        process.start()
        {first}
        {then}
    """


def test_a_join_before_the_queue_is_read_never_returns(agent: AgentRunner) -> None:
    join, read = "process.join()  # FLAG", "rows = [results.get() for _ in range({count})]"
    for first, then, count, status in (
        (join, read, 20_000, "confirmed"),
        (read, join, 20_000, "not-reproduced"),
        (join, read, 20, "not-reproduced"),
    ):
        source = QUEUE.format(first=first.format(count=count), then=then.format(count=count), count=count)
        answer = agent(source, ["run_target()"], kind="processes", code="RL607")
        assert (answer["status"], answer["effect"]) == (status, "deadlock" if status == "confirmed" else None), answer


MANAGED = """
    from multiprocessing import Manager, Process

    def work(found):
        rows = found["rows"]
        rows.append(1)  # FLAG
        {then}

    if __name__ == "__main__":
        with Manager() as manager:
            found = manager.dict(rows=[])
            process = Process(target=work, args=(found,))
            process.start()
            process.join()
    """


def test_a_changed_copy_is_lost_unless_it_is_stored_again(agent: AgentRunner) -> None:
    answer = agent(MANAGED.format(then="pass"), ["run_target()"], kind="processes", code="RL608")
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-in-process")
    assert "still has []" in answer["outcome"]
    answer = agent(MANAGED.format(then='found["rows"] = rows'), ["run_target()"], kind="processes", code="RL608")
    assert answer["status"] == "not-reproduced"


PAIR = """
    from multiprocessing import {kind}, Process

    def move(pair):
        for n in range(100):
            {lock}
                pair[0] = n  # FLAG
                pair[1] = n

    if __name__ == "__main__":
        pair = {kind}("i", 2)
        process = Process(target=move, args=(pair,))
        process.start()
        {lock}
            seen = pair[:]  # FLAG
        process.join()
    """


def test_an_array_without_a_lock_is_read_half_written(agent: AgentRunner) -> None:
    source = PAIR.format(kind="RawArray", lock="if True:")
    answer = agent(source, ["run_target()"], kind="processes", code="RL605")
    assert (answer["status"], answer["effect"]) == ("confirmed", "not-serializable"), answer
    again = agent(source, ["run_target()"], kind="processes", code="RL605", schedule=answer["schedule"])
    assert (again["status"], again["outcome"]) == ("confirmed", answer["outcome"])
    source = PAIR.format(kind="Array", lock="with pair.get_lock():")
    answer = agent(source, ["run_target()"], kind="processes", code="RL605")
    assert answer["status"] == "not-reproduced", answer


class Cut(Controller):
    """Whoever is paused does not end in time."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self, order: tuple[int, ...] = (), pause: Pause | None = None, limit: float = 1, **ways: Any) -> Run:
        run = Run()
        run.hung = pause is not None
        if pause is None:
            run.reports[0] = {"value": {"shared": True, "value": "2"}}
        return run


def test_a_replay_that_is_cut_off_shows_nothing() -> None:
    search = object.__new__(Interleaving)
    switch = {"thread": 1, "site": "a.py:work:1", "visit": 1, "to": -1}
    search.job, search.controller = {"schedule": {"first": 0, "switches": [switch]}}, Cut()
    assert search.search()["status"] == "inconclusive"


def test_a_process_may_be_ended_before_it_has_read_what_it_was_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "gate"))
        server.listen(1)
        session = Session(server, (), None, 1.0)
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.connect(str(tmp_path / "gate"))
        session._listen(1.0)
        (connection,) = session.buffers
        connection.sendall(b"go\n")
        client.close()
        session._listen(1.0)
        assert not session.buffers
