"""Schedules: minimal, repeatable, and of no use once the code is right."""

from __future__ import annotations

from tests.agent.conftest import AgentRunner
from tests.agent.models import RACY


def test_schedule_of_a_counter_is_one_switch(agent: AgentRunner) -> None:
    model = RACY["counter"]
    answer = agent(model.source, list(model.operations), model.setup)
    switches = answer["schedule"]["switches"]
    assert [switch["site"] for switch in switches] == ["model.py:Counter.increment:2"]


def test_carriers_agree_on_a_schedule(agent: AgentRunner) -> None:
    model = RACY["transfer"]
    found = agent(model.source, list(model.operations), model.setup, carrier="greenlet")
    options = {"schedule": found["schedule"], "carrier": "threads"}
    again = agent(model.source, list(model.operations), model.setup, **options)
    assert (again["status"], again["outcome"]) == ("confirmed", found["outcome"])


def test_schedule_does_not_fail_on_the_fixed_code(agent: AgentRunner) -> None:
    model = RACY["check_then_act"]
    found = agent(model.source, list(model.operations), model.setup)
    fixed = model.source.replace("if key not in CACHE:  # FLAG", "CACHE.setdefault(key, Entry())").replace(
        "CACHE[key] = Entry()  # FLAG", ""
    )
    again = agent(fixed, list(model.operations), model.setup, schedule=found["schedule"])
    assert again["status"] == "not-reproduced"


def test_stale_switch_is_skipped_and_named(agent: AgentRunner) -> None:
    model = RACY["counter"]
    schedule = {"first": 0, "switches": [{"thread": 0, "site": "model.py:Counter.gone:1", "visit": 1, "to": 1}]}
    answer = agent(model.source, list(model.operations), model.setup, schedule=schedule)
    assert answer["status"] == "not-reproduced"
    assert "model.py:Counter.gone:1" in answer["reason"]


def test_answer_is_the_same_every_time(agent: AgentRunner) -> None:
    model = RACY["three_threads"]
    job = agent.job(model.source, list(model.operations), model.setup)
    one, other = agent.run(job), agent.run(job)
    one.pop("seconds"), other.pop("seconds")
    assert one == other
