"""What the user says must hold: --invariant and --setup of the command line, in another process, as users have them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BANK = """\
import threading


class Account:
    def __init__(self):
        self.balance = 0
        self.lock = threading.Lock()

    def withdraw(self, amount):
        if self.balance >= amount:
            with self.lock:
                self.balance -= amount

    def whole(self, amount):
        with self.lock:
            if self.balance >= amount:
                self.balance -= amount

    def overdraw(self, amount):
        with self.lock:
            self.balance -= amount


def run():
    account = Account()
    account.balance = 1
    threads = [threading.Thread(target=account.withdraw, args=(1,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return account.balance
"""

SCRIPT = """\
import threading

last = []


def note(name):
    last.append(name)


threads = [threading.Thread(target=note, args=(name,)) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""

FULL = ("--setup", "subject.balance = 1")
HELD = ("--invariant", "subject.balance >= 0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bank.py").write_text(BANK)
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "test_bank.py").write_text("def test_nothing():\n    pass\n")
    return tmp_path


def racelint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "VIRTUAL_ENV")}
    return subprocess.run(
        [sys.executable, "-m", "racelint", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def verdict(folder: Path, *arguments: str) -> dict[str, Any]:
    done = racelint(folder, *arguments[:1], "--output-format", "json", *arguments[1:])
    [result] = json.loads(done.stdout)["results"]
    return dict(result["verdict"])


def test_a_broken_invariant_is_confirmed_and_replays(folder: Path) -> None:
    found = verdict(folder, "confirm", "bank.py::Account.withdraw", *FULL, *HELD)
    assert (found["status"], found["effect"]) == ("confirmed", "invariant")
    assert found["reason"].startswith("`subject.balance >= 0` is false then")
    assert "balance=-1" in found["outcome"]
    assert found["expected"] == ["subject = Account(balance=0, lock=unlocked)"]
    again = racelint(folder, "replay", found["schedule"])
    assert again.returncode == 1
    assert "confirmed (invariant)" in again.stdout
    (folder / "bank.py").write_text(BANK.replace("def withdraw", "def other").replace("def whole", "def withdraw"))
    mended = racelint(folder, "replay", found["schedule"])
    assert mended.returncode == 0, mended.stdout


def test_an_invariant_that_holds_is_not_broken(folder: Path) -> None:
    found = verdict(folder, "confirm", "bank.py::Account.whole", *FULL, *HELD)
    assert found["status"] == "not-reproduced"


def test_an_invariant_that_serial_orders_break_confirms_no_race(folder: Path) -> None:
    found = verdict(folder, "confirm", "bank.py::Account.overdraw", *FULL, *HELD)
    assert found["status"] == "unsupported"
    assert "is false after the operations one after the other, too" in found["reason"]


def test_an_invariant_sees_results_and_the_module(folder: Path) -> None:
    found = verdict(folder, "confirm", "bank.py::run", "--invariant", "results[0] >= 0 and Account is target.Account")
    assert (found["status"], found["effect"]) == ("confirmed", "invariant")


def test_an_invariant_that_cannot_be_asked_confirms_nothing(folder: Path) -> None:
    found = verdict(folder, "confirm", "bank.py::Account.withdraw", "--invariant", "acount.balance >= 0")
    assert found["status"] == "unsupported"
    assert "raises NameError: name 'acount' is not defined" in found["reason"]


def test_a_setup_may_be_a_file(folder: Path) -> None:
    (folder / "full.py").write_text("amount = 1\nsubject.balance = amount\n")
    found = verdict(folder, "confirm", "bank.py::Account.withdraw", "--setup", "full.py", *HELD)
    assert found["effect"] == "invariant"


@pytest.mark.parametrize(
    ("invariant", "status", "note"),
    [
        ("len(last) == 2", "not-reproduced", ""),
        ("last == ['a', 'b']", "confirmed", "`last == ['a', 'b']` is false then"),
        ("last == []", "confirmed", "it goes wrong in the plain order of the threads, too"),
        ("lst == []", "unsupported", "raises NameError"),
    ],
)
def test_a_script_keeps_its_invariant(folder: Path, invariant: str, status: str, note: str) -> None:
    found = verdict(folder, "run", "--invariant", invariant, "script.py")
    assert found["status"] == status
    assert note in found["reason"]
    assert found.get("effect") == ("invariant" if status == "confirmed" else None)


def test_a_script_without_arguments_sees_none(folder: Path) -> None:
    (folder / "script.py").write_text(f"import sys\ngiven = sys.argv[1:]\n{SCRIPT}")
    assert verdict(folder, "run", "--invariant", "given == []", "script.py")["status"] == "not-reproduced"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bank.py::Account", "--invariant", "subject.balance >="], "is no Python expression"),
        (["bank.py::Account", "--setup", "subject.balance +"], "neither a file nor Python statements"),
        (["bank.py::Account", "--setup", "gone.py"], "there is no file gone.py"),
        (["test_bank.py::test_nothing", "--invariant", "True"], "a test says itself what must hold"),
    ],
)
def test_what_is_no_python_is_refused(folder: Path, arguments: list[str], said: str) -> None:
    done = racelint(folder, "confirm", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
