"""Whole outputs as users see them. After an intended change: `pytest tests/cli --snapshot-update`; read the diff."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cli.command import racelint

PATHS = ("bank", "clean.py", "advice.py", "broken")


@pytest.mark.parametrize("output_format", ["full", "concise", "json"])
def test_scan(output_format: str, snapshot: SnapshotAssertion) -> None:
    answer = racelint("scan", "--isolated", *PATHS, "nowhere", "--output-format", output_format)
    assert answer.returncode == 2
    assert answer.stderr == snapshot(name="stderr")
    assert answer.stdout == snapshot(name="stdout")


def test_scan_with_advice(snapshot: SnapshotAssertion) -> None:
    assert racelint("scan", "--isolated", "advice.py", "--min-severity", "info").stdout == snapshot
