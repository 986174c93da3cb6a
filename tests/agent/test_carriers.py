"""What carries controlled threads: what one leaves behind there is not the next one's, nor the target's concern."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.agent.conftest import AgentRunner

OWN = (
    ("VALUE.set(VALUE.get() + 1)", "VALUE.get()"),
    ("decimal.getcontext().prec += 1", "decimal.getcontext().prec"),
)
SOURCE = """
    import contextvars
    import decimal
    import threading

    VALUE = contextvars.ContextVar("VALUE", default=0)

    class Subject:
        def __init__(self):
            self.lock = threading.Lock()
            self.n = self.total = 0

        def act_ok(self):
            {change}
            with self.lock:
                self.total += {value}

        def act(self):
            self.act_ok()
            self.n += 1
    """


@pytest.mark.parametrize("carrier", ["", "threads"])
@pytest.mark.parametrize(("change", "value"), OWN)
def test_each_thread_begins_with_context_variables_of_its_own(
    agent: AgentRunner, change: str, value: str, carrier: str
) -> None:
    source = SOURCE.format(change=change, value=value)
    safe = agent(source, ["s.act_ok()"] * 2, "s = target.Subject()", schedules=200, carrier=carrier)
    assert safe["status"] == "not-reproduced", safe["reason"]
    racy = agent(source, ["s.act()"] * 2, "s = target.Subject()", schedules=200, carrier=carrier)
    assert (racy["status"], racy["effect"]) == ("confirmed", "lost-update"), racy["reason"]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no threads are bound to processors here")
def test_threads_share_a_processor_and_the_target_sees_all() -> None:
    code = (
        "import os\n"
        "from racelint.agent.carriers import one_processor\n"
        "real = os.sched_getaffinity\n"
        "before = real(0)\n"
        "one_processor()\n"
        "print(len(real(0)), os.sched_getaffinity(0) == os.sched_getaffinity(os.getpid()) == before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1 True\n"
