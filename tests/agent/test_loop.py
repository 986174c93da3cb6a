"""Coroutines on an event loop under control: only awaits are switch points, and the library's own objects work."""

from __future__ import annotations

import pytest

from tests.agent.conftest import AgentRunner

COUNTER = """
import asyncio
import threading

class Counter:
    def __init__(self):
        self.n = 0
        self.lock = asyncio.Lock()
        self.thread_lock = threading.Lock()

    async def add(self):
        n = self.n  # FLAG
        await asyncio.sleep(0)
        self.n = n + 1  # FLAG

    async def add_slowly(self):
        n = self.n  # FLAG
        await asyncio.sleep(5)
        self.n = n + 1  # FLAG

    async def add_safely(self):
        async with self.lock:
            n = self.n  # FLAG
            await asyncio.sleep(1)
            self.n = n + 1  # FLAG

    async def add_at_once(self):
        n = self.n  # FLAG
        self.n = n + 1  # FLAG
        await asyncio.sleep(0)

    async def add_blocking(self):
        with self.thread_lock:  # FLAG
            await asyncio.sleep(0)
            self.n += 1

    async def together(self):
        await asyncio.gather(self.add(), self.add())
        return self.n
"""

SETUP = "counter = target.Counter()"


@pytest.mark.parametrize("method", ["add", "add_slowly"])
def test_an_update_across_an_await_is_lost(agent: AgentRunner, method: str) -> None:
    call = f"run_task(counter.{method}())"
    answer = agent.run(agent.job(COUNTER, [call, call], SETUP, code="RL702"))
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-update"), answer
    again = agent.run(agent.job(COUNTER, [call, call], SETUP, code="RL702", schedule=answer["schedule"]))
    assert (again["status"], again["outcome"]) == ("confirmed", answer["outcome"])


@pytest.mark.parametrize("method", ["add_safely", "add_at_once"])
def test_no_task_comes_in_between(agent: AgentRunner, method: str) -> None:
    call = f"run_task(counter.{method}())"
    answer = agent.run(agent.job(COUNTER, [call, call], SETUP, code="RL702"))
    assert answer["status"] == "not-reproduced", answer


def test_a_function_called_on_the_loop_is_one_step(agent: AgentRunner) -> None:
    operations = ["run_task(lambda: setattr(counter, 'n', counter.n + 5))", "run_task(counter.add_at_once())"]
    answer = agent.run(agent.job(COUNTER, operations, SETUP, code="RL702"))
    assert answer["status"] == "not-reproduced", answer


def test_the_second_acquire_of_a_thread_lock_stops_the_loop(agent: AgentRunner) -> None:
    call = "run_task(counter.add_blocking())"
    answer = agent.run(agent.job(COUNTER, [call, call], SETUP, code="RL701"))
    assert (answer["status"], answer["effect"]) == ("confirmed", "deadlock"), answer


PROGRAMS = """
import asyncio
import sys
import threading
import time

async def sleeper(seconds, name, names):
    await asyncio.sleep(seconds)
    names.append(name)

async def produced(queue):
    for n in range(3):
        await queue.put(n)
    await queue.put(None)

async def consumed(queue):
    found = []
    while (n := await queue.get()) is not None:
        found.append(n)
    return found

def queue():
    async def main():
        queue = asyncio.Queue(1)
        _, found = await asyncio.gather(produced(queue), consumed(queue))
        return found
    return asyncio.run(main())

def timeout():
    async def main():
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 3)
        except asyncio.TimeoutError:
            return "late"
    return asyncio.run(main())

def thread():
    async def main():
        return await asyncio.to_thread(lambda: threading.current_thread() is threading.main_thread())
    return asyncio.run(main())

def woken():
    async def main():
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        threading.Thread(target=lambda: loop.call_soon_threadsafe(done.set)).start()
        await done.wait()
        return "woken"
    return asyncio.run(main())

def unheard():
    async def main():
        done = asyncio.Event()
        threading.Thread(target=done.set).start()  # FLAG
        await done.wait()
        return "woken"
    return asyncio.run(main())

def twice():
    async def main():
        await asyncio.sleep(1)
        return time.monotonic()
    return [asyncio.run(main()) > 0, asyncio.run(main()) > 0]

def cancelled():
    async def main():
        task = asyncio.ensure_future(asyncio.sleep(10))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return asyncio.current_task() is not None
    return asyncio.run(main())

def failed():
    async def main():
        raise KeyError("gone")
    try:
        asyncio.run(main())
    except KeyError as error:
        return error.args[0]

def condition():
    async def main():
        changed, seen = asyncio.Condition(), []
        async def wait():
            async with changed:
                await changed.wait_for(lambda: seen)
                return seen
        async def tell():
            async with changed:
                seen.append(1)
                changed.notify_all()
        return (await asyncio.gather(wait(), tell()))[0]
    return asyncio.run(main())
"""

ENDINGS = {
    "queue": "[0, 1, 2]",
    "timeout": "'late'",
    "thread": "False",
    "woken": "'woken'",
    "twice": "[True, True]",
    "cancelled": "True",
    "failed": "'gone'",
    "condition": "[1]",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_programs_of_the_library_end_as_they_should(agent: AgentRunner, name: str) -> None:
    checked = f"result = target.{name}()\nassert result == {ENDINGS[name]}, result"
    answer = agent.run(agent.job(PROGRAMS, [checked], kind="program", schedules=200))
    assert answer["status"] == "not-reproduced", answer
    job = agent.job(PROGRAMS, [checked], kind="program")
    (probe,) = agent.run({**job, "probe": [job["scenario"]]})["probes"]
    assert not any(probe.get(what) for what in ("failure", "raised", "unfit", "hangs")), probe


def test_a_loop_that_sleeps_does_not_hear_another_thread(agent: AgentRunner) -> None:
    answer = agent.run(agent.job(PROGRAMS, ["target.unheard()"], kind="program", code="RL703"))
    assert (answer["status"], answer["effect"]) == ("confirmed", "hang"), answer
    answer = agent.run(agent.job(PROGRAMS, ["target.woken()"], kind="program", code="RL703"))
    assert answer["status"] == "not-reproduced", answer


def test_tasks_of_one_program_race_at_their_awaits(interpreter: str, agent: AgentRunner) -> None:
    call = "run_task(counter.add())"
    answer = agent.run(agent.job(COUNTER, [call, call], SETUP, code="RL702"), interpreter)
    assert (answer["status"], answer["effect"]) == ("confirmed", "lost-update"), answer
