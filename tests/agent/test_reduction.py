"""Partial-order reduction loses no outcome: what all schedules up to a bound give, the reduced search gives, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.conftest import AgentRunner
from tests.agent.models import RACY, SAFE

BOUND = 2


@pytest.mark.parametrize("name", [*RACY, *SAFE])
def test_reduced_search_finds_every_outcome(agent: AgentRunner, name: str) -> None:
    model = {**RACY, **SAFE}[name]
    job = agent.job(model.source, list(model.operations), model.setup, **model.options)
    asked = agent.folder / "job.json"
    asked.write_text(json.dumps(job), encoding="utf-8")
    script = Path(__file__).with_name("outcomes.py")
    done = subprocess.run(
        [sys.executable, str(script), str(agent.agent), str(asked), str(BOUND)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        timeout=120,
    )
    (every, complete), (reduced, reduced_complete) = json.loads(done.stdout)
    if not (complete and reduced_complete):
        pytest.skip("too many schedules to run them all")
    assert reduced == every


CHANGED_BY_CALLS = """
import heapq
import json

class Own(dict):
    def load(self, key):
        if not super().__contains__(key):
            super().__setitem__(key, 0)
        held = super().__getitem__(key)
        super().__setitem__(key, held + 1)

class Store:
    def __init__(self):
        self.items = []
        self.seen = ""

    def add(self):
        heapq.heappush(self.items, 1)

    def write(self):
        if json.dumps(self.items) == "[]":
            self.seen = json.dumps(self.items)

    def join(self):
        if not [].extend(self.items):
            self.seen = len(self.items) or ",".join(self.items)
"""


@pytest.mark.parametrize(
    ("setup", "operations"),
    [
        ("c = target.Own()", ["c.load(1)", "c.load(1)"]),
        ("c = target.Store()", ["c.add()", "c.write()"]),
        ("c = target.Store()", ["c.add()", "c.join()"]),
    ],
    ids=["methods of the base", "arguments of a module's function", "arguments of methods"],
)
def test_what_calls_do_with_a_container_is_an_access(agent: AgentRunner, setup: str, operations: list[str]) -> None:
    answer = agent(CHANGED_BY_CALLS, operations, setup)
    assert answer["status"] == "confirmed", answer
