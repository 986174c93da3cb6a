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


def test_a_call_before_the_read_is_none(tmp_path: Path) -> None:
    assert finding(tmp_path, "self.n = int('1') + self.n", "3.13").severity == "info"


@pytest.mark.parametrize(
    ("targets", "expected"), [((), None), (("3.12", "3.13"), "gil"), (("3.12", "3.13t"), None), (("3.9",), None)]
)
def test_only_races_of_the_targets_are_confirmed(targets: tuple[str, ...], expected: str | None) -> None:
    assert Settings(target_version=targets).proving.interpreters == expected  # type: ignore[arg-type]
