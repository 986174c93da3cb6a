"""The command line as a user has it: another process, its exit code and its two streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import racelint as package

SOURCES = str(Path(package.__file__).parent.parent)
"""What is tried in another process is the tree that these tests import, wherever another one is installed."""
INPUTS = Path(__file__).parent / "inputs"
RACE = """\
import threading


class Counter:
    def __init__(self):
        self.n = 0

    def add(self):
        self.n += 1{comment}


counter = Counter()
for _ in range(2):
    threading.Thread(target=counter.add).start()
"""


def racelint(
    *arguments: str | bytes, cwd: Path = INPUTS, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -m racelint` and wait for it."""
    environ = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    given = env or {}
    places = os.pathsep.join(filter(None, (SOURCES, given.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-m", "racelint", *arguments],
        cwd=cwd,
        env={**environ, **given, "PYTHONPATH": places},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def scan_json(*arguments: str | bytes, cwd: Path = INPUTS, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What `racelint scan --output-format json` prints, decoded."""
    answer = racelint("scan", "--isolated", "--output-format", "json", *arguments, cwd=cwd, env=env)
    try:
        decoded = json.loads(answer.stdout)
    except ValueError:
        raise AssertionError(f"no JSON on standard output: {answer}") from None
    assert isinstance(decoded, dict)
    return decoded


def race(comment: str = "") -> str:
    """A module with one RL101, on line 9, with `comment` behind it."""
    return RACE.format(comment=comment)
