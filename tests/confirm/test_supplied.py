"""What the user supplies: calls recorded while tests run, factories in the configuration, hypothesis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from racelint.confirm.errors import CannotRun
from racelint.confirm.fixtures import read_fixtures
from racelint.confirm.recorded import FILE, Recorded, RecordedCall, read_recorded, write_recorded

BANK = """\
import hashlib
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    PRIVATE = "private"
    COMPANY = "company"


@dataclass
class Money:
    cents: int
    currency: str

    def __post_init__(self):
        assert self.currency == "EUR"


class Account:
    def __init__(self, iban, opening, kind, limits=None):
        assert hashlib.sha256(iban.encode()).hexdigest().startswith("ec1534")
        assert kind is Kind.COMPANY and limits["day"] == 3
        self.balance = opening.cents

    def deposit(self, money, note="none"):
        assert note == "gift"
        held = self.balance
        self.balance = held + money.cents
"""

TESTS = """\
from bank import Account, Kind, Money


def numbers():
    return "DE" + "".join(str(digit) for digit in range(3))


def test_deposit():
    account = Account(numbers(), Money(5, "EUR"), kind=Kind.COMPANY, limits={"day": 3})
    account.deposit(Money(7, "EUR"), note="gift")
    assert account.balance == 12
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}
    )


def confirmed(folder: Path, *words: str) -> dict[str, object]:
    done = run(folder, "racelint", "confirm", *words, "--output-format", "json")
    assert done.stdout, done.stderr
    verdict: dict[str, object] = json.loads(done.stdout)["results"][0]["verdict"]
    return verdict


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "bank.py").write_text(BANK)
    (tmp_path / "test_bank.py").write_text(TESTS)
    return tmp_path


def test_recorded_calls_build_what_the_source_does_not_tell(project: Path) -> None:
    target = "bank.py::Account.deposit"
    assert confirmed(project, target)["status"] == "unsupported"
    done = run(project, "pytest", "-q", "-p", "no:cacheprovider", "--racelint-record")
    assert f"kept in {FILE}" in done.stdout, done.stdout
    calls = read_recorded(project).calls
    assert set(calls) == {"bank:Account", "bank:Account.deposit", "bank:Money"}
    expected = RecordedCall(
        {"iban": "'DE012'", "kind": "bank.Kind.COMPANY", "limits": "{'day': 3}"}, {"opening": "bank:Money"}, ("bank",)
    )
    assert calls["bank:Account"] == (expected,)
    verdict = confirmed(project, target)
    assert (verdict["status"], verdict["effect"]) == ("confirmed", "lost-update")


def test_workers_hand_over_what_they_recorded(project: Path) -> None:
    pytest.importorskip("xdist")
    run(project, "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", "--racelint-record")
    assert "bank:Account.deposit" in read_recorded(project).calls


def test_nothing_is_recorded_unasked(project: Path) -> None:
    assert run(project, "pytest", "-q", "-p", "no:cacheprovider").returncode == 0
    assert not (project / FILE).exists()


def test_broken_record_says_what_to_do(project: Path) -> None:
    (project / FILE).write_text('{"calls": {"bank:Account": 3}}')
    done = run(project, "racelint", "confirm", "bank.py::Account.deposit")
    assert done.returncode == 2
    assert "record it again with `pytest --racelint-record`, or delete it" in done.stderr
    assert "Traceback" not in done.stderr


def test_record_is_the_same_text_for_the_same_calls(tmp_path: Path) -> None:
    one, two = RecordedCall({"b": "1", "a": "2"}), RecordedCall({}, {"c": "m:C"})
    first = write_recorded(Recorded({"m:f": (one,), "m:C": (two,)}), tmp_path).read_bytes()
    again = write_recorded(
        Recorded({"m:C": (two,)}).merged(Recorded({"m:C": (two,), "m:f": (one,)})), tmp_path
    ).read_bytes()
    assert first == again
    assert read_recorded(tmp_path).of("m", "f", 7) == one
    assert read_recorded(tmp_path).of("m", "g", 0) is None


def test_factories_of_the_configuration(project: Path) -> None:
    (project / "factories.py").write_text(
        "import bank\n\ndef account():\n    return bank.Account('DE012', gift(), bank.Kind.COMPANY, {'day': 3})\n\n"
        "def gift():\n    return bank.Money(7, 'EUR')\n"
    )
    (project / "bank.py").write_text(BANK.replace('assert note == "gift"', "pass"))
    table = '[tool.racelint.confirm.factories]\n"bank.Account" = "factories:account"\nmoney = "factories:gift"\n'
    (project / "pyproject.toml").write_text(table)
    verdict = confirmed(project, "bank.py::Account.deposit")
    assert (verdict["status"], verdict["effect"]) == ("confirmed", "lost-update")
    assert "balance=21" in str(verdict["expected"])


@pytest.mark.parametrize("factory", ["factories.account", "factories:", "a b:c", "factories:account()"])
def test_factories_that_name_nothing(factory: str) -> None:
    with pytest.raises(CannotRun, match=r"a factory is written as `package.module:function`"):
        read_fixtures("", {"Account": factory}, Recorded())


NET = """\
import ipaddress


class Counts:
    def __init__(self, home: ipaddress.IPv4Address | None, nets: "list[ipaddress.IPv4Network]"):
        assert home.version == 4 and nets[0].version == 4
        self.total = 0

    def add(self, peer: ipaddress.IPv6Address):
        held = self.total
        self.total = held + peer.version
"""


def test_hypothesis_makes_what_no_table_knows(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    verdict = confirmed(tmp_path, "net.py::Counts.add")
    assert (verdict["status"], verdict["effect"]) == ("confirmed", "lost-update")


def test_without_hypothesis_a_stub_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    venv.create(tmp_path / "bare", with_pip=False)
    verdict = confirmed(tmp_path, "net.py::Counts.add", "--python", str(tmp_path / "bare"))
    assert verdict["status"] == "unsupported"
    assert "def make_home():" in str(verdict["reason"])
