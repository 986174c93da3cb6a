"""`racelint.explore(processes=…)` as users have it: real processes, in a script and in a test of pytest."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from tests.confirm.test_explore import pytest_run, python

pytestmark = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")

SHARED = """\
import multiprocessing
import os
import sys

import racelint


class Shared:
    def __init__(self):
        self.n = multiprocessing.Value("i", 0)
        self.first = multiprocessing.Lock()
        self.second = multiprocessing.Lock()
        self.plain = []


def bump(shared):
    shared.n.value += 1


def held(shared):
    with shared.n.get_lock():
        shared.n.value += 1


def one_way(shared):
    with shared.first:
        with shared.second:
            held(shared)


def other_way(shared):
    with shared.second:
        with shared.first:
            held(shared)


def add(shared):
    shared.plain.append(1)
    return len(shared.plain)


def fail(shared):
    raise KeyError("no")


def die(shared):
    os._exit(3)
"""

SCRIPT = """\
from shared import *

explored = racelint.explore(setup=Shared, processes=[{processes}]{more})
verdict = explored.verdict
print(verdict.status, verdict.effect)
print(verdict.outcome)
if explored.confirmed:
    print(explored.replay().verdict.effect)
    print(racelint.ExploreResult.from_json(explored.to_json()) == explored)
else:
    print(verdict.reason)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "shared.py").write_text(SHARED)
    return tmp_path


def explored(folder: Path, processes: str, more: str = "") -> list[str]:
    (folder / "script.py").write_text(SCRIPT.format(processes=processes, more=more))
    done = python(folder, "script.py")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("processes", "effect", "outcome"),
    [
        ("bump, bump", "lost-update", "state.n = 1"),
        ("held, bump", "lost-update", "state.n = 1"),
        ("one_way, other_way", "deadlock", "one_way, other_way never end"),
        ("fail, bump", "exception", "fail raised KeyError: 'no'"),
        ("die, bump", "exception", "die ended with 3"),
    ],
)
def test_what_goes_wrong_is_confirmed_and_replays(folder: Path, processes: str, effect: str, outcome: str) -> None:
    status, seen, again, same = explored(folder, processes)
    assert status == f"confirmed {effect}"
    assert outcome in seen
    assert (again, same) == (effect, "True")


@pytest.mark.parametrize("processes", ["held, held", "held, held, held", "one_way, one_way", "add, add"])
def test_what_goes_right_is_not(folder: Path, processes: str) -> None:
    status, _, reason = explored(folder, processes)
    assert status == "not-reproduced None"
    assert "accesses while the others ran, one at a time; what takes two switches was not tried" in reason
    assert "files, sockets and signals are the operating system's" in reason


def test_an_invariant_is_asked_of_what_the_processes_share(folder: Path) -> None:
    assert explored(folder, "bump, bump", ", invariant=lambda s: s.n.value == 2")[:1] == ["confirmed invariant"]
    assert explored(folder, "held, held", ", invariant=lambda s: s.n.value == 2")[:1] == ["not-reproduced None"]
    # A plain list is another one in each process: it is empty in every order.
    lost = explored(folder, "add, add", ", invariant=lambda s: len(s.plain) == 2")
    assert lost[:1] == ["confirmed invariant"]


TEST = """\
import multiprocessing

import pytest
import racelint


@pytest.fixture
def step():
    return 5


@pytest.mark.parametrize("held", [False, True])
def test_steps(step, held):
    def add(value):
        if held:
            with value.get_lock():
                value.value += step
        else:
            value.value += step

    setup = lambda: multiprocessing.Value("i", 0)
    racelint.explore(setup=setup, processes=[add, add], invariant=lambda value: value.value == 10).check()
"""


def test_closures_and_fixtures_of_tests(folder: Path) -> None:
    (folder / "test_steps.py").write_text(TEST)
    done = pytest_run(folder)
    assert "FAILED test_steps.py::test_steps[False]" in done.stdout
    assert "PASSED test_steps.py::test_steps[True]" in done.stdout, done.stdout
    assert "wrote value.value = 5" in done.stdout


def test_threads_and_processes_are_not_mixed(folder: Path) -> None:
    (folder / "script.py").write_text("from shared import *\nracelint.explore(processes=[add], threads=[add])\n")
    assert "takes threads or processes, not both" in python(folder, "script.py").stderr


PLAIN = """\
import multiprocessing


def bump(value):
    value.value += 1


def test_bump():
    value = multiprocessing.Value("i", 0)
    workers = [multiprocessing.Process(target=bump, args=(value,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert value.value == 2
"""


def test_a_test_that_starts_processes_is_told_how_to_explore_them(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text(PLAIN)
    done = pytest_run(tmp_path, "--racelint-explore", "-rs")
    assert "1 skipped" in done.stdout, done.stdout
    assert "racelint.explore(processes=" in done.stdout
