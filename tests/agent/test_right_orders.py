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
