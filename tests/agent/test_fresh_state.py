"""Every execution begins with what the first one began with, although most of it is made once a search."""

import pytest

from tests.agent.conftest import AgentRunner

COUNTER = """
class Counter:
    def __init__(self):
        self.n = 0

    def increment(self):
        self.n += 1
        type(self).last = self
        global used
        used = True
"""


@pytest.mark.parametrize(
    "setup",
    [
        "assert 'c' not in globals()\nc = target.Counter()",
        "assert not hasattr(target.Counter, 'last')\nc = target.Counter()",
        "assert not hasattr(target, 'used')\nc = target.Counter()",
        # A name that the set-up has from us, for something else.
        "name = stand_in.__name__\nc = stand_in = target.Counter()",
        "del stand_in\nc = target.Counter()",
    ],
)
def test_nothing_is_left_of_the_execution_before(agent: AgentRunner, setup: str) -> None:
    answer = agent(COUNTER, ["c.increment()"] * 2, setup, schedules=300)
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-update"), answer["reason"]


def test_what_a_thread_prints_is_forgotten(agent: AgentRunner) -> None:
    source = """
    def act():
        print("once")
    """
    answer = agent(source, ["target.act()"] * 2, schedules=100)
    assert answer["status"] == "not-reproduced", answer
