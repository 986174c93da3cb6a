"""One agent for every supported interpreter: the same verdicts, and schedules that replay across versions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.agent.conftest import AgentRunner
from tests.agent.models import RACY, SAFE

Found = Callable[..., dict[str, Any]]

CHOSEN = (
    "course",
    "abba_deadlock",
    "stolen_wakeup",
    "executor_inside",
    "thread_subclass_logs_and_sleeps",
    "barrier_of_four_for_three",
)


@pytest.fixture(scope="module")
def found_here(tmp_path_factory: pytest.TempPathFactory, copied: Path) -> Found:
    """`found_here(name, carrier)` is the answer on a racy model of the interpreter that the tests run in."""

    @cache
    def found(name: str, carrier: str = "") -> dict[str, Any]:
        model = RACY[name]
        here = AgentRunner(tmp_path_factory.mktemp(name), copied)
        return here(model.source, list(model.operations), model.setup, carrier=carrier, **model.options)

    return found


@pytest.mark.parametrize("name", CHOSEN)
def test_racy_model_is_confirmed_there(agent: AgentRunner, interpreter: str, name: str) -> None:
    model = RACY[name]
    answer = agent(model.source, list(model.operations), model.setup, python=interpreter, **model.options)
    assert answer["status"] == "confirmed", answer["reason"]
    assert answer["effect"] in model.effects


@pytest.mark.parametrize("name", ["locked_counter", "queue_hand_off", "barrier_of_four_for_four"])
def test_safe_model_is_not_confirmed_there(agent: AgentRunner, interpreter: str, name: str) -> None:
    model = SAFE[name]
    options = {**model.options, "schedules": 200}
    answer = agent(model.source, list(model.operations), model.setup, python=interpreter, **options)
    assert answer["status"] in ("not-reproduced", "inconclusive")


@pytest.mark.parametrize("name", ["counter", "check_then_act", "abba_deadlock", "timers"])
def test_schedule_found_here_replays_there(agent: AgentRunner, interpreter: str, found_here: Found, name: str) -> None:
    model = RACY[name]
    found = found_here(name)
    options = {**model.options, "schedule": found["schedule"]}
    again = agent(model.source, list(model.operations), model.setup, python=interpreter, **options)
    assert (again["status"], again["outcome"]) == ("confirmed", found["outcome"])
    assert again["reason"] == ""


@pytest.mark.parametrize("name", ["counter", "three_threads", "stolen_wakeup", "executor_inside", "timers"])
def test_schedule_found_there_is_the_one_found_here(
    agent: AgentRunner, interpreter: str, found_here: Found, name: str
) -> None:
    model = RACY[name]
    there = agent(
        model.source, list(model.operations), model.setup, python=interpreter, carrier="threads", **model.options
    )
    assert there["schedule"] == found_here(name, "threads")["schedule"]
