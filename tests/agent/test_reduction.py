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
