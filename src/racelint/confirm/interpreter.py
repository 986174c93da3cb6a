"""Which Python runs the code: the one asked for, the active environment, the project's, else our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from racelint.confirm.errors import CannotRun

OLDEST = (3, 10)
PROBE_SECONDS = 20.0
_PROBE = "import sys; print(sys.implementation.name, *sys.version_info[:2])"


@dataclass(frozen=True)
class Interpreter:
    """An interpreter that the agent supports."""

    path: str
    version: tuple[int, int]


def find_interpreter(asked: str, root: Path) -> Interpreter:
    """The interpreter for a project. Raises CannotRun where it is missing, broken, or too old for the agent."""
    for candidate in _candidates(asked, root):
        return _probe(candidate)
    raise CannotRun(f"there is no Python interpreter at `{asked}`")


def _candidates(asked: str, root: Path) -> list[str]:
    if asked:
        path = shutil.which(asked)
        if path is None and Path(asked).is_dir():
            path = _inside(Path(asked))
        return [str(Path(path).absolute())] if path else []
    places = [Path(os.environ["VIRTUAL_ENV"])] if os.environ.get("VIRTUAL_ENV") else []
    places += [root / ".venv", root / "venv"]
    found = [inside for place in places if (inside := _inside(place))]
    return [*found, sys.executable]


def _inside(environment: Path) -> str | None:
    for name in ("bin/python", "bin/python3", "Scripts/python.exe"):
        if (environment / name).is_file():
            return str((environment / name).absolute())
    return None


@lru_cache(maxsize=16)
def _probe(path: str) -> Interpreter:
    try:
        done = subprocess.run(
            [path, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=PROBE_SECONDS, stdin=subprocess.DEVNULL
        )
        name, major, minor = done.stdout.split()
        version = (int(major), int(minor))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise CannotRun(f"`{path}` does not run as a Python interpreter ({type(error).__name__})") from None
    if name != "cpython" or version < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise CannotRun(f"`{path}` is {name} {version[0]}.{version[1]}: the harness needs CPython {wanted} or later")
    return Interpreter(path, version)
