"""How grave a finding is, where that hangs on what else says that the code is concurrent."""

from __future__ import annotations

import pytest

from tests.rules.conftest import Check

STORE = """\
import sqlite3
from threading import Lock
class Store:
    def __init__(self, path):
        self._lock = Lock()
        self._connection = None
        self._rows = []
        self.path = path
    def add(self, row):
        with self._lock:
            self._rows.append(row)
    def connection(self):
{words}
        if not self._connection:
            self._connection = sqlite3.connect(self.path)
{rest}
        return self._connection
    def get(self):
        return self.connection()
"""


@pytest.mark.parametrize(
    ("words", "rest", "severities"),
    [
        ("Open it once.", "        with self._lock:\n            self._connection.commit()", ["warning"]),
        ("Not thread-safe.", "        with self._lock:\n            self._connection.commit()", ["info"]),
        ("Open it once.", "        self._connection.commit()", []),
        ("Open it once.", "        self.add(1)", []),
    ],
    ids=["takes the lock", "is for one thread", "takes none", "calls what takes it"],
)
def test_lazy_initialisation_counts_in_a_method_that_takes_the_lock(
    check: Check, words: str, rest: str, severities: list[str]
) -> None:
    found = check(STORE.format(words=f'        """{words}"""', rest=rest), "RL105")
    assert [finding.severity for finding in found] == severities
