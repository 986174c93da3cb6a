"""Defects that show in many places are told in one, and the rest is advice."""

from __future__ import annotations

import pytest

from tests.rules.conftest import Check


def _usage(counters: int) -> str:
    names = [f"n{number}" for number in range(counters)]
    lines = ["import threading", "class Usage:", "    def __init__(self):"]
    lines += [f"        self.{name} = 0" for name in names]
    lines += ["        for _ in range(2):", "            threading.Thread(target=self.count).start()"]
    lines += ["            threading.Thread(target=self.reset).start()", "    def count(self):"]
    lines += [f"        self.{name} += 1" for name in names]
    lines += ["    def reset(self):", *(f"        self.{name} = 0" for name in names)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("counters", "grave"), [(2, 2), (4, 4), (5, 1), (9, 1)])
def test_many_counters_that_one_function_sets_back_are_one_defect(check: Check, counters: int, grave: int) -> None:
    found = check(_usage(counters), "RL101")
    assert len(found) == counters
    assert [finding.severity for finding in found] == ["error"] * grave + ["info"] * (counters - grave)


@pytest.mark.parametrize(("users", "told"), [(2, 2), (4, 4), (5, 1), (8, 1)])
def test_many_uses_of_what_was_looked_at_before_are_one_defect(check: Check, users: int, told: int) -> None:
    lines = ["import threading", "class Client:", "    def __init__(self):", "        self.lock = threading.Lock()"]
    lines += ["        self.sock = object()", "        threading.Thread(target=self.run).start()", "    def run(self):"]
    lines += ["        self.sock = None", "    def look(self):", "        with self.lock:", "            print()"]
    for number in range(users):
        lines += [f"    def send{number}(self):", "        if self.sock:", "            self.sock.send()"]
    assert len(check("\n".join(lines) + "\n", "RL104")) == told
