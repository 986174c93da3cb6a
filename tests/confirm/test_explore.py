"""explore, replay, run and the pytest plugin, as users have them: in another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ACCOUNT = """\
import threading


class Account:
    def __init__(self):
        self.balance = 0
        self.lock = threading.Lock()

    def racy(self, amount):
        self.balance += amount

    def held(self, amount):
        with self.lock:
            self.balance += amount
"""

TESTS = """\
import threading

import pytest
import racelint
from account import Account


@pytest.fixture
def amount():
    return 10


@pytest.mark.parametrize("method", ["racy", "held"])
def test_api(amount, method):
    racelint.explore(
        setup=Account,
        threads=[lambda account: getattr(account, method)(amount)] * 2,
        invariant=lambda account: account.balance == 2 * amount,
    ).check()


def test_second_call(amount):
    first = racelint.explore(setup=Account, threads=[lambda a: a.held(amount), lambda a: a.held(amount)])
    assert first.ok
    assert first.check() is first
    second = racelint.explore(setup=Account, threads=[lambda a: a.racy(amount), lambda a: a.held(amount)])
    assert second.confirmed
    assert not second.ok
    assert second.verdict.effect == "lost-update"
    assert "explore@2" in second.target
    assert second.replay().confirmed
    assert racelint.ExploreResult.from_json(second.to_json()) == second


def run_both(first, second):
    threads = [threading.Thread(target=first, args=(10,)), threading.Thread(target=second, args=(10,))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def account():
    yield Account()


def test_own_threads_racy(account):
    run_both(account.racy, account.racy)
    assert account.balance == 20


class TestHeld:
    def test_own_threads(self, account):
        run_both(account.held, account.held)
        assert account.balance == 20
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "account.py").write_text(ACCOUNT)
    (tmp_path / "test_account.py").write_text(TESTS)
    return tmp_path


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    hidden = ("FORCE_COLOR", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def pytest_run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", *arguments)


def test_api_in_tests_with_fixtures_and_parameters(folder: Path) -> None:
    done = pytest_run(folder, "-k", "api or second")
    assert "FAILED test_account.py::test_api[racy]" in done.stdout
    assert "PASSED test_account.py::test_api[held]" in done.stdout
    assert "PASSED test_account.py::test_second_call" in done.stdout, done.stdout
    assert "the invariant is false" in done.stdout
    assert "read balance = 0" in done.stdout
    assert "racelint replay rl1:" in done.stdout


def test_plugin_explores_whole_tests(folder: Path) -> None:
    done = pytest_run(folder, "--racelint-explore", "-k", "own_threads")
    assert "FAILED test_account.py::test_own_threads_racy" in done.stdout
    assert "PASSED test_account.py::TestHeld::test_own_threads" in done.stdout
    assert "expected: test_own_threads_racy returned None" in done.stdout
    assert "Thread-1" in done.stdout


def test_plugin_does_nothing_unasked(folder: Path) -> None:
    done = pytest_run(folder, "-k", "own_threads")
    assert done.returncode == 0, done.stdout


def test_test_is_a_target_of_confirm(folder: Path) -> None:
    target = "test_account.py::test_own_threads_racy"
    done = python(folder, "-m", "racelint", "confirm", target, "--output-format", "json")
    [result] = json.loads(done.stdout)["results"]
    assert result["verdict"]["status"] == "confirmed"
    again = python(folder, "-m", "racelint", "replay", result["verdict"]["schedule"])
    assert again.returncode == 1, again.stdout


SCRIPT = """\
import sys
import threading

total = 0


def add():
    global total
    seen = total
    total = seen + int(sys.argv[1])


if __name__ == "__main__":
    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(total)
"""
MENDED = SCRIPT.replace("total = 0", "total = 0\nlock = threading.Lock()", 1).replace(
    "    seen = total\n    total = seen", "    with lock:\n        total = total"
)


def test_script_runs_with_its_arguments_and_its_test_holds_the_fix(folder: Path) -> None:
    script = folder / "adding.py"
    script.write_text(SCRIPT)
    found = python(folder, "-m", "racelint", "run", "--emit-test", "races", "adding.py", "7")
    assert found.returncode == 1, found.stderr
    assert "expected: __main__.total = 14" in found.stdout
    [emitted] = sorted((folder / "races").iterdir())
    text = emitted.read_text()
    assert "wrote total = 7" in text
    assert {line for line in text.splitlines() if line.startswith(("import", "from"))} == {"import racelint"}
    assert pytest_run(folder, "races").returncode == 1
    script.write_text(MENDED)
    mended = pytest_run(folder, "races")
    assert mended.returncode == 0, mended.stdout


def test_explore_in_a_script(folder: Path) -> None:
    (folder / "exploring.py").write_text(
        "import racelint\nfrom account import Account\n"
        "result = racelint.explore(setup=Account, threads=[lambda a: a.racy(1), lambda a: a.racy(2)])\n"
        "print(result)\n"
    )
    done = python(folder, "exploring.py")
    assert "verdict: confirmed (lost-update)" in done.stdout, done.stderr
    assert "a.racy(1)" in done.stdout


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("racelint.explore(threads=[])", "ValueError: explore() needs at least one thread"),
        ("racelint.explore(threads=[broken]).check()", "Raised in every order"),
    ],
)
def test_wrong_calls_say_why(folder: Path, call: str, said: str) -> None:
    source = f"import racelint\ndef broken():\n    raise KeyError('Raised in every order')\n{call}\n"
    (folder / "wrong.py").write_text(source)
    done = python(folder, "wrong.py")
    assert done.returncode == 1
    assert said in done.stderr


ORDERED = """\
import racelint


class Log:
    last = None


def first(log):
    log.last = "first"


def second(log):
    log.last = "second"


def is_second(log):
    return log.last == "second"


def wait(log):
    import time
    time.sleep(1)
    assert log.last


for threads in ([first, second], [second, first], [wait, first]):
    result = racelint.explore(setup=Log, threads=threads, invariant=is_second if second in threads else None)
    print(result.verdict.status, result.verdict.effect, "plain order" in result.verdict.reason)
"""


def test_an_order_that_the_user_calls_wrong_is_confirmed_unless_it_is_a_matter_of_time(folder: Path) -> None:
    (folder / "ordered.py").write_text(ORDERED)
    done = python(folder, "ordered.py")
    assert done.stdout.splitlines() == [
        "confirmed invariant False",
        "confirmed invariant True",
        "not-reproduced None False",
    ]


def test_explore_without_a_file_says_so(folder: Path) -> None:
    done = python(folder, "-c", "import racelint; racelint.explore(threads=[print, print])")
    assert "explore() works in a script" in done.stderr


TASKS = """\
import asyncio

import pytest
import racelint


class Counter:
    def __init__(self):
        self.n = 0

    async def racy(self):
        n = self.n
        await asyncio.sleep(0)
        self.n = n + 1

    async def whole(self):
        self.n += 1
        await asyncio.sleep(0)


async def made():
    await asyncio.sleep(0)
    return Counter()


async def both_counted(counter):
    await asyncio.sleep(0)
    return counter.n == 2


@pytest.mark.parametrize("method", [Counter.racy, Counter.whole], ids=["racy", "whole"])
def test_tasks(method):
    racelint.explore(setup=made, threads=[method] * 2, invariant=both_counted).check()
"""


def test_coroutines_are_tasks_of_one_loop(folder: Path) -> None:
    (folder / "test_tasks.py").write_text(TASKS)
    done = pytest_run(folder, "test_tasks.py")
    assert "FAILED test_tasks.py::test_tasks[racy]" in done.stdout, done.stdout
    assert "the invariant is false" in done.stdout
    assert "PASSED test_tasks.py::test_tasks[whole]" in done.stdout


PROCESSES = """\
import multiprocessing


def add(value):
    value.value += 1


def add_alone(value):
    with value.get_lock():
        value.value += 1


if __name__ == "__main__":
    value = multiprocessing.Value("i", 0)
    workers = [multiprocessing.Process(target=TARGET, args=(value,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
"""


@pytest.mark.parametrize(("target", "status"), [("add", 1), ("add_alone", 0)])
def test_run_of_a_script_with_processes(folder: Path, target: str, status: int) -> None:
    (folder / "workers.py").write_text(PROCESSES.replace("TARGET", target))
    done = python(folder, "-m", "racelint", "run", "workers.py", "--confirm-budget", "20s")
    assert done.returncode == status, done.stdout + done.stderr
    assert ("lost-update" in done.stdout) == bool(status)
