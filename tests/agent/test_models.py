"""Racy models are confirmed, with a schedule that replays; safe ones never are."""

from __future__ import annotations

import pytest

from tests.agent.conftest import AgentRunner
from tests.agent.models import RACY, SAFE

CARRIERS = ["greenlet", "threads"]


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("name", RACY)
def test_racy_model_is_confirmed(agent: AgentRunner, name: str, carrier: str) -> None:
    if carrier == "greenlet":
        pytest.importorskip("greenlet")
    model = RACY[name]
    answer = agent(model.source, list(model.operations), model.setup, carrier=carrier, **model.options)
    assert answer["status"] == "confirmed", answer["reason"]
    assert answer["effect"] in model.effects
    assert answer["outcome"] and answer["expected"]
    assert answer["outcome"] not in answer["expected"]
    assert set(answer["interpreters"]) == {"gil-3.9", "gil-3.10+", "free-threaded"}
    assert answer["witness"]["steps"]


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("name", SAFE)
def test_safe_model_is_not_confirmed(agent: AgentRunner, name: str, carrier: str) -> None:
    if carrier == "greenlet":
        pytest.importorskip("greenlet")
    model = SAFE[name]
    options = {"schedules": 600, **model.options}
    answer = agent(model.source, list(model.operations), model.setup, carrier=carrier, **options)
    assert answer["status"] in ("not-reproduced", "benign", "inconclusive"), answer["outcome"]


def test_harmless_order_is_benign(agent: AgentRunner) -> None:
    model = SAFE["queue_order"]
    answer = agent(model.source, list(model.operations), schedules=800, **model.options)
    assert (answer["status"], answer["effect"]) == ("benign", "order")


def test_small_safe_model_is_searched_to_the_end(agent: AgentRunner) -> None:
    model = SAFE["locked_counter"]
    answer = agent(model.source, list(model.operations), model.setup)
    assert answer["status"] == "not-reproduced"
    assert answer["bound_exhausted"] == 4
    assert "every schedule" in answer["reason"]


def test_four_preemptions_are_needed(agent: AgentRunner) -> None:
    model = RACY["four_preemptions"]
    answer = agent(model.source, list(model.operations), model.setup, **model.options)
    preemptions = [s for s in answer["schedule"]["switches"] if not s["site"].startswith("~")]
    assert len(preemptions) >= 4


def test_shortened_loops_are_named(agent: AgentRunner) -> None:
    model = RACY["course"]
    answer = agent(model.source, list(model.operations), model.setup)
    assert any("1000000 turns" in spoken for spoken in answer["out_of_control"])


def test_witness_shows_values_by_thread(agent: AgentRunner) -> None:
    model = RACY["counter"]
    answer = agent(model.source, list(model.operations), model.setup)
    steps = answer["witness"]["steps"]
    actions = sorted((step["thread"], step["action"]) for step in steps)
    assert actions == [(0, "read n = 0"), (0, "wrote n = 1"), (1, "read n = 0"), (1, "wrote n = 1")]
    assert {step["source"] for step in steps} == {"self.n += 1  # FLAG"}
    assert answer["outcome"] == "c = Counter(n=1)"
    assert answer["expected"] == ["c = Counter(n=2)"]


def test_deadlock_names_who_holds_what(agent: AgentRunner) -> None:
    model = RACY["abba_deadlock"]
    answer = agent(model.source, list(model.operations), model.setup)
    assert "t.one() waits in with self.b, held by t.other()" in answer["outcome"]
