"""Which interpreters a confirmed race can happen on, by the measurements of where CPython switches threads."""

from __future__ import annotations

import sys

import pytest

from tests.agent.conftest import AgentRunner

MODEL = """
import heapq

def f():
    return 1

class C:
    def __init__(self):
        self.x = 0
        self.d = {{}}
        self.h = [1, 2]

    def work(self):
{body}
"""

IMPOSSIBLE = {
    "augmented": "self.x += 1",
    "read, then write": "v = self.x\nself.x = v + 1",
    "call before the read": "self.x = f() + self.x",
    "call with the container": "first = self.h[0]\nheapq.heappop(self.h)\nreturn first",
    "item": "self.d['k'] = 0 if 'k' not in self.d else self.d['k'] + 1",
}
POSSIBLE = {
    "python call": "self.x = self.x + f()",
    "c call": "self.x = self.x + abs(1)",
    "cold len": "self.x = self.x + len('a')",
    "method of a dict": "self.d['k'] = self.d.get('k', 0) + 1",
    "loop between": "v = self.x\nfor i in (1, 2):\n    v += 0\nself.x = v + 1",
    "with between": "import threading\nv = self.x\nwith threading.Lock():\n    pass\nself.x = v + 1",
}


def _interpreters(agent: AgentRunner, body: str) -> dict[str, str]:
    indented = "\n".join(f"        {line}" for line in body.splitlines())
    answer = agent(MODEL.format(body=indented), ["c.work()", "c.work()"], "c = target.C()")
    assert answer["status"] == "confirmed", answer["reason"]
    found: dict[str, str] = answer["interpreters"]
    return found


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_window_without_a_switch_point_is_impossible_with_the_gil(agent: AgentRunner, name: str) -> None:
    found = _interpreters(agent, IMPOSSIBLE[name])
    assert found == {"gil-3.9": "modelled", "gil-3.10+": "impossible", "free-threaded": "modelled"}


@pytest.mark.parametrize("name", POSSIBLE)
def test_window_with_a_switch_point_is_observed(agent: AgentRunner, name: str) -> None:
    assert sys.implementation.name == "cpython"
    found = _interpreters(agent, POSSIBLE[name])
    assert found["gil-3.10+"] == "observed"
    assert found["gil-3.9"] == "modelled"


BOTH = """
def f():
    return 1

class C:
    def __init__(self):
        self.x = self.y = 0

    def work(self):
        self.x += 1
        self.y = self.y + f()
"""
ONLY_X = BOTH.replace("self.y = self.y + f()", "f()")


def test_a_schedule_that_the_gil_allows_is_looked_for(agent: AgentRunner) -> None:
    answer = agent(BOTH, ["c.work()", "c.work()"], "c = target.C()")
    assert answer["interpreters"]["gil-3.10+"] == "observed"
    assert "y=1" in answer["outcome"] and "x=2" in answer["outcome"]


@pytest.mark.parametrize("source", [BOTH, ONLY_X])
def test_what_needs_no_gil_is_left_out_on_request(agent: AgentRunner, source: str) -> None:
    answer = agent(source, ["c.work()", "c.work()"], "c = target.C()", interpreters="gil")
    if source is BOTH:
        assert (answer["status"], answer["interpreters"]["gil-3.10+"]) == ("confirmed", "observed")
    else:
        assert answer["status"] == "not-reproduced"
        assert "not with the GIL" in answer["reason"]
