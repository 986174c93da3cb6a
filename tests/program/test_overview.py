"""What a program says of itself for the page: guards, the order of locks, locked lines."""

from __future__ import annotations

from racelint.model.overview import LockedLines
from racelint.program.lock_use.locked_lines import locked_lines
from racelint.program.lock_use.order_map import lock_edges
from racelint.program.races.guard_map import guard_map
from tests.rules.conftest import linked

ACCOUNT = """\
import threading


class Account:
    def __init__(self):
        self._lock = threading.Lock()
        self._balance = 0

    def deposit(self, amount):
        with self._lock:
            self._balance += amount
        print("done")

    def withdraw(self, amount):
        self._lock.acquire()
        if amount > self._balance:
            self._lock.release()
            return
        self._take(amount)
        self._lock.release()

    def _take(self, amount):
        self._balance -= amount

    def charge(self, fee):
        self._balance -= fee
"""


def test_each_location_has_its_guard_and_share() -> None:
    (balance,) = guard_map(linked(ACCOUNT))
    assert (balance.location, balance.guard, balance.guarded) == ("Account._balance", "Account._lock", 3)
    assert [(line.line, line.symbol, line.changes, line.locks) for line in balance.lines] == [
        (11, "Account.deposit", True, ("Account._lock",)),
        (16, "Account.withdraw", False, ("Account._lock",)),
        (23, "Account._take", True, ("Account._lock",)),
        (26, "Account.charge", True, ()),
    ]


def test_a_declared_guard_is_said_to_be_one() -> None:
    source = ACCOUNT.replace("self._balance -= fee", "self._balance -= fee  # racelint: guarded-by(self._lock)")
    assert [location.declared for location in guard_map(linked(source))] == [True]


def test_same_names_in_two_modules_are_told_apart() -> None:
    found = guard_map(linked({"one.py": ACCOUNT, "two.py": ACCOUNT}))
    assert [(location.location, location.guard) for location in found] == [
        ("one.Account._balance", "one.Account._lock"),
        ("two.Account._balance", "two.Account._lock"),
    ]


def locked(*lines: int) -> list[tuple[int, int]]:
    found = locked_lines(linked(ACCOUNT), [("sample.py", line) for line in lines])
    assert all(stretch == LockedLines("sample.py", stretch.first, stretch.last, "Account._lock") for stretch in found)
    return [(stretch.first, stretch.last) for stretch in found]


def test_a_with_block_is_locked() -> None:
    assert locked(11) == [(10, 11)]


def test_what_follows_a_release_is_not_locked() -> None:
    assert locked(16) == [(15, 17), (19, 20)]


def test_a_helper_is_locked_by_its_callers() -> None:
    assert locked(23) == [(22, 23)]


def test_code_without_locks_is_not_locked() -> None:
    assert locked(26) == []
    assert locked(1) == []


ORDER = """\
import threading

accounts, journal, audit = threading.Lock(), threading.Lock(), threading.Lock()


def debit():
    with accounts:
        with journal:
            print("debited")


def credit():
    with journal:
        with accounts:
            print("credited")


def report():
    with audit:
        with journal:
            print("reported")


for job in (debit, credit, report):
    threading.Thread(target=job).start()
"""


def test_edges_name_their_cycle() -> None:
    assert [(edge.first, edge.second, edge.line, edge.symbol, edge.cycle) for edge in lock_edges(linked(ORDER))] == [
        ("accounts", "journal", 8, "debit", 1),
        ("audit", "journal", 20, "report", 0),
        ("journal", "accounts", 14, "credit", 1),
    ]
