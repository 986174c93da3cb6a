"""A finding that cannot happen on any of the target interpreters is advice, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from racelint.config.settings import Settings
from racelint.engine.scan import ScanOptions, scan
from racelint.model.finding import Finding

CLASS = """\
import threading

class Counter:
    def __init__(self):
        self.n = 0

    def work(self):
        for _ in range(100):
            {update}

counter = Counter()
threads = [threading.Thread(target=counter.work) for _ in range(2)]
for thread in threads:
    thread.start()
"""


def finding(folder: Path, update: str, *targets: str) -> Finding:
    (folder / "counter.py").write_text(CLASS.format(update=update))
    settings = Settings(target_version=targets, select=("RL101",))  # type: ignore[arg-type]
    [found] = scan([str(folder)], ScanOptions(settings, jobs=1)).findings
    return found


@pytest.mark.parametrize("update", ["self.n += 1", "self.n = self.n + 1"])
@pytest.mark.parametrize("targets", [("3.13",), ("3.10", "3.14")])
def test_no_switch_between_read_and_write_with_a_gil(tmp_path: Path, update: str, targets: tuple[str, ...]) -> None:
    found = finding(tmp_path, update, *targets)
    assert found.severity == "info"
    assert "nothing switches threads" in found.why


@pytest.mark.parametrize("targets", [(), ("3.13t",), ("3.13", "3.13t"), ("3.9", "3.13")])
def test_one_target_that_can_switch_is_enough(tmp_path: Path, targets: tuple[str, ...]) -> None:
    assert finding(tmp_path, "self.n += 1", *targets).severity == "error"


@pytest.mark.parametrize("update", ["self.n = self.n + int('1')", "self.n += sum(x for x in range(3))"])
def test_a_call_in_between_is_a_switch_point(tmp_path: Path, update: str) -> None:
    assert finding(tmp_path, update, "3.13").severity == "error"


OPERATOR = """\
class Amount:
    def {method}(self, other):
        return other + 1

"""


@pytest.mark.parametrize(
    ("method", "update", "severity"),
    [
        ("__radd__", "self.n += Amount.ONE", "error"),
        ("__radd__", "self.n = self.n + Amount.ONE", "error"),
        ("__add__", "self.n = Amount.ONE + self.n", "error"),
        ("__eq__", "self.n += Amount.ONE", "info"),
        ("__radd__", "self.n += 1", "info"),
    ],
)
def test_an_operator_of_a_class_is_a_switch_point(tmp_path: Path, method: str, update: str, severity: str) -> None:
    (tmp_path / "amounts.py").write_text(OPERATOR.format(method=method) + "\nAmount.ONE = Amount()\n")
    (tmp_path / "counter.py").write_text("from amounts import Amount\n" + CLASS.format(update=update))
    settings = Settings(target_version=("3.13",), select=("RL101",))
    [found] = scan([str(tmp_path)], ScanOptions(settings, jobs=1), str(tmp_path)).findings
    assert found.severity == severity


def test_a_call_before_the_read_is_none(tmp_path: Path) -> None:
    assert finding(tmp_path, "self.n = int('1') + self.n", "3.13").severity == "info"


SHARED = """\
import threading
from collections import deque

SOURCE = iter([1, 2, 3])
CALLS = map(print, [1, 2, 3])

class Entry:
    pass

class Shared:
    def __init__(self):
        self.lock = threading.Lock()
        self.other_lock = threading.Lock()
        self.n = 0
        self.made = None
        self.table = {{}}
        self.items = []
        self.queue = deque()

    def work(self, key: str, thing):
        for _ in range(100):
            {work}

    def rest(self):
        {rest}

shared = Shared()
threads = [threading.Thread(target=shared.work, args=("a", object())) for _ in range(2)]
threads.append(threading.Thread(target=shared.rest))
for thread in threads:
    thread.start()
"""
LOCKED = """\
with self.lock:
                {first}
            with self.lock:
                self.n -= 1"""

RUNS_THROUGH = {
    "RL104": [
        ("if self.n >= 0: self.n = self.n + 1", "pass"),
        ("if self.items: self.items.pop()", "pass"),
        ("if self.queue: self.queue.popleft()", "pass"),
        ("if key not in self.table: self.table[key] = []", "pass"),
        ("if key in self.table: print(self.table[key])", "self.table.pop('a')"),
    ],
    "RL105": [("if self.made is None: self.made = {}", "pass")],
    "RL102": [
        (LOCKED.format(first="self.n += 1"), "self.n += 2"),
        (LOCKED.format(first="if self.n > 0: self.n -= 1"), "self.n += 2"),
    ],
    "RL103": [(LOCKED.format(first="self.n += 1"), "with self.other_lock: self.n += 1")],
    "RL111": [("next(SOURCE)", "pass")],
}
CAN_BE_INTERRUPTED = {
    "RL101": [
        ("self.n += 1; self.n = self.n + int('1')", "pass"),
        ("self.table[key] = self.table.get(key, 0) + 1", "pass"),
    ],
    "RL104": [
        ("if self.n >= 0: print(1); self.n = self.n + 1", "pass"),
        ("if len(self.queue) > 0: self.queue.popleft()", "pass"),
        ("if key not in self.table: self.table[key] = Entry()", "pass"),
        ("if thing not in self.table: self.table[thing] = []", "pass"),
    ],
    "RL105": [("if self.made is None: self.made = Entry()", "pass")],
    "RL102": [
        (LOCKED.format(first="self.n = self.n + int('1')"), "self.n += 2"),
        (LOCKED.format(first="if self.n > 0: print(1); self.n -= 1"), "self.n += 2"),
        (LOCKED.format(first="self.n += 1; self.items.append(1)"), "self.n += 2"),
    ],
    "RL103": [(LOCKED.format(first="self.n += 1"), "with self.other_lock: self.n = self.n - int('1')")],
    "RL107": [("with self.lock: n = self.n\n            with self.lock: self.n = n + 1", "pass")],
    "RL111": [("next(CALLS)", "pass")],
}


def severities(folder: Path, code: str, work: str, rest: str, *targets: str) -> list[str]:
    (folder / "shared.py").write_text(SHARED.format(work=work, rest=rest))
    settings = Settings(target_version=targets, select=(code,))  # type: ignore[arg-type]
    return [found.severity for found in scan([str(folder)], ScanOptions(settings, jobs=1)).findings]


@pytest.mark.parametrize(("code", "case"), [(code, case) for code in RUNS_THROUGH for case in RUNS_THROUGH[code]])
def test_steps_that_run_through_are_advice_with_a_gil_alone(tmp_path: Path, code: str, case: tuple[str, str]) -> None:
    assert severities(tmp_path, code, *case, "3.10", "3.13") == ["info"]
    (usual,) = severities(tmp_path, code, *case)
    assert usual in ("error", "warning")
    for targets in (("3.13", "3.13t"), ("3.13t",), ("3.9",)):
        assert severities(tmp_path, code, *case, *targets) == [usual]


@pytest.mark.parametrize(
    ("code", "case"), [(code, case) for code in CAN_BE_INTERRUPTED for case in CAN_BE_INTERRUPTED[code]]
)
def test_a_switch_point_between_the_steps_counts_on_all_targets(
    tmp_path: Path, code: str, case: tuple[str, str]
) -> None:
    found = severities(tmp_path, code, *case, "3.13")
    assert found == severities(tmp_path, code, *case)
    assert len(found) == 1 and found[0] != "info"


@pytest.mark.parametrize(
    ("targets", "expected"), [((), None), (("3.12", "3.13"), "gil"), (("3.12", "3.13t"), None), (("3.9",), None)]
)
def test_only_races_of_the_targets_are_confirmed(targets: tuple[str, ...], expected: str | None) -> None:
    assert Settings(target_version=targets).proving.interpreters == expected  # type: ignore[arg-type]
