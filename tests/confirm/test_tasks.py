"""Findings about tasks of an event loop: scenarios of coroutines, and of programs that start tasks themselves."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from racelint.config.settings import Settings
from racelint.confirm import Limits, confirm_finding, confirm_target
from racelint.engine.scan import ScanOptions, scan
from racelint.model.finding import Verdict

LIMITS = Limits(python=sys.executable, budget=6.0)

BOOKING = """\
import asyncio


async def main():
    seats = {"free": 1}
    sold = []

    async def book(name):
        if seats["free"] > 0:
            await asyncio.sleep(0.1)
            seats["free"] -= 1
            sold.append(name)

    await asyncio.gather(book("a"), book("b"))
    return sold
"""

CLIENT = """\
class Client:
    def __init__(self, pool):
        self.pool = pool
        self.connection = None

    async def get(self):
        if self.connection is None:
            self.connection = await self.pool.connect()
        return self.connection

    def forget(self):
        self.connection = None
"""


def verdicts(folder: Path, source: str, code: str) -> list[Verdict]:
    """What comes of the findings of one rule in one file."""
    (folder / "sample.py").write_text(source)
    found = scan(["sample.py"], ScanOptions(Settings(select=(code,)), jobs=1), str(folder)).findings
    return [confirm_finding(finding, LIMITS, folder) for finding in found]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_coroutine_is_run_by_two_tasks(tmp_path: Path) -> None:
    (verdict,) = verdicts(tmp_path, CLIENT, "RL702")
    assert (verdict.status, verdict.effect) == ("confirmed", "lost-update")
    assert "Client.get ‖ Client.get" in verdict.reason


def test_a_program_that_starts_its_own_tasks_is_run_as_it_is(tmp_path: Path) -> None:
    (verdict,) = verdicts(tmp_path, BOOKING, "RL702")
    assert verdict.status == "confirmed"
    assert verdict.outcome == "main returned ['a', 'b']"
    assert "shown by main" in verdict.reason and "‖" not in verdict.reason


def test_coroutines_can_be_named_as_targets(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(CLIENT + "\n\n" + BOOKING)
    for target, status in (("Client.get", "confirmed"), ("main", "confirmed"), ("Client", "not-reproduced")):
        (result,) = confirm_target(f"sample.py::{target}", [], LIMITS)
        assert result.verdict.status == status, (target, result.verdict)


def test_a_fixture_says_how_a_coroutine_is_called(tmp_path: Path) -> None:
    fixtures = tmp_path / "fixtures.py"
    fixtures.write_text("async def call_get(subject):\n    return await subject.get()\n")
    (tmp_path / "sample.py").write_text(CLIENT)
    limits = Limits(python=sys.executable, budget=6.0, fixtures=str(fixtures))
    (result,) = confirm_target("sample.py::Client.get", [], limits)
    assert (result.verdict.status, result.verdict.effect) == ("confirmed", "lost-update")


POOL = """\
import asyncio


class Pool:
    def __init__(self):
        self.taken = 0

    async def take(self):
        self.taken += 1
        await asyncio.sleep(0)


async def both():
    pool = Pool()
    await asyncio.gather(pool.take(), pool.take())
    return pool.taken
"""


def test_a_class_of_the_file_starts_no_processes_for_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(POOL)
    (result,) = confirm_target("model.py::both", [], LIMITS, tmp_path)
    assert result.verdict.status == "not-reproduced", result.verdict.reason
