"""What differs from run to run in plain Python is the same in every execution, and what is not is never believed."""

from __future__ import annotations

import pytest

from tests.agent.conftest import AgentRunner

MODEL = """
import datetime
import os
import random
import secrets
import tempfile
import time
import uuid
from datetime import date


class Element:
    pass


class Subject:
    def __init__(self):
        self.n = 0
        self.all = {{Element() for _ in range(20)}}
        for number, element in enumerate(self.all):
            element.number = number

    def act(self):
        n = self.n
        self.value = {expression}
        self.n = n + 1
"""

CONTROLLED = (
    "datetime.datetime.now()",
    "datetime.datetime.now(datetime.timezone.utc)",
    "datetime.datetime.utcnow().isoformat()",
    "date.today().toordinal()",
    "(time.time(), time.monotonic_ns(), time.strftime('%S'), time.localtime(), time.ctime())",
    "random.random() + random.Random().random()",
    "random.SystemRandom().random()",
    "secrets.token_hex(8)",
    "os.urandom(4)",
    "(uuid.uuid1(), uuid.uuid4())",
    "tempfile.mktemp()",
    "id(self)",
    "{id(Element()): 1, hash(Element()): 2}",
    "next(iter(self.all)).number",
    "repr(Element())",
    "list({'a', 'b', 'c', 'd'})",
)


@pytest.mark.parametrize("expression", CONTROLLED)
def test_what_usually_differs_is_the_same(agent: AgentRunner, expression: str) -> None:
    job = agent.job(MODEL.format(expression=expression), ["s.act()"] * 2, "s = target.Subject()", schedules=300)
    answer, again = agent.run(job), agent.run(job)
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-update"), answer["reason"]
    assert again["outcome"] == answer["outcome"]


@pytest.mark.parametrize("seed", ["", "random"])
def test_hashes_are_not_random_whatever_the_environment_says(agent: AgentRunner, seed: str) -> None:
    source = """
    import sys

    def act():
        assert not sys.flags.hash_randomization
    """
    job = agent.job(source, ["target.act()"])
    (probe,) = agent.run({**job, "probe": [job["scenario"]]}, seed=seed)["probes"]
    assert not probe["raised"], probe


@pytest.mark.parametrize(
    "draw", ["random.random()", "uniform(0, 1)", "random.choice(range(99))", "secrets.token_hex(4)"]
)
def test_what_a_thread_draws_is_no_matter_of_the_schedule(agent: AgentRunner, draw: str) -> None:
    source = f"""
    import random
    import secrets
    import threading
    from random import uniform

    class Subject:
        def __init__(self):
            self.lock = threading.Lock()
            self.first = self.last = None

        def act(self):
            drawn = {draw}
            with self.lock:
                self.first = self.first or drawn
                self.last = drawn
            return drawn
    """
    answer = agent(source, ["s.act()"] * 2, "s = target.Subject()", schedules=300)
    assert answer["status"] == "not-reproduced", answer["outcome"]


def test_a_seed_of_the_target_holds(agent: AgentRunner) -> None:
    source = """
    import random

    def draw():
        random.seed(7)
        one = random.random(), random.getrandbits(20)
        random.seed(7)
        assert one == (random.random(), random.getrandbits(20))
        random.seed(8)
        assert one != (random.random(), random.getrandbits(20))
    """
    answer = agent(source, ["target.draw()"], schedules=10)
    assert answer["status"] == "not-reproduced", answer["outcome"]


def test_dates_are_those_of_the_library(agent: AgentRunner, interpreter: str) -> None:
    checks = """
    import datetime
    import pickle
    from datetime import date, datetime as moment, timedelta

    def check():
        now = moment.now()
        assert isinstance(now, moment) and isinstance(now, date) and not isinstance(now.date(), moment)
        assert isinstance(moment.strptime("2020", "%Y"), moment) and issubclass(moment, date)
        assert now + timedelta(days=1) > now and (now - now) == timedelta(0)
        assert isinstance(now + timedelta(days=1), moment)
        assert datetime.datetime.fromisoformat("2020-01-01") == moment(2020, 1, 1)
        assert {moment(2020, 1, 1): 1}[moment(2020, 1, 1)] == 1
        assert pickle.loads(pickle.dumps(now)) == now
        return f"{now:%Y-%m-%d}"
    """
    answer = agent(checks, ["result = target.check()\nassert result == '2023-11-14', result"], python=interpreter)
    assert answer["status"] == "not-reproduced", answer
    job = agent.job(checks, ["target.check()"])
    (probe,) = agent.run({**job, "probe": [job["scenario"]]}, interpreter)["probes"]
    assert not probe["raised"], probe


def test_what_is_not_controlled_is_not_believed(agent: AgentRunner) -> None:
    source = """
    import itertools
    import sys

    sys.racelint_test_runs = getattr(sys, "racelint_test_runs", itertools.count())

    class Subject:
        def __init__(self):
            self.n = 0

        def act(self):
            n = self.n
            self.value = next(sys.racelint_test_runs)
            self.n = n + 1
    """
    answer = agent(source, ["s.act()"] * 2, "s = target.Subject()", schedules=300)
    assert answer["status"] == "inconclusive"
    assert "differ in: s" in answer["reason"]
