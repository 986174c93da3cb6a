"""Real processes: changes lost in a process, and forced interleavings of shared memory, forked and spawned."""

from __future__ import annotations

import multiprocessing

import pytest

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
    answer = agent(source, ["run_target()"], kind="processes", code="RL602")
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-update")
    assert any("wrote value.value" in step["action"] for step in answer["witness"]["steps"])
    again = agent(source, ["run_target()"], kind="processes", code="RL602", schedule=answer["schedule"])
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
