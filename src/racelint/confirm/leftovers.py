"""Ends what a child leaves running: its session, and what escaped from it, known by a mark in the environment."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import time
from pathlib import Path

PROC = Path("/proc")
ROUNDS = 5
"""A process may start another while it is being found; this many sweeps end a chain of them."""

GONE_WITHIN = 2.0
"""Seconds that killed processes have to be gone: until then they may write into folders that are to be deleted."""

PAUSE = 0.01
"""Seconds between two sweeps, once the first has killed what it found."""


def end_session(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and everything in its session's process group."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    else:
        with contextlib.suppress(OSError):
            child.kill()


def end_marked(name: str, value: str) -> None:
    """Kill every process of ours whose environment has `name=value`: descendants that began their own session.

    Returns when they are gone, or after some time. Needs `/proc`; elsewhere only the session is ended.
    """
    deadline = time.monotonic() + GONE_WITHIN
    for sweep in itertools.count(1):
        found = marked(name, value)
        if not found or (sweep > ROUNDS and time.monotonic() > deadline):
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if sweep > 1:
            time.sleep(PAUSE)


def marked(name: str, value: str) -> list[int]:
    """Ids of the live processes whose environment at their start had `name=value`."""
    wanted = f"{name}={value}".encode()
    found = []
    for pid in _pids():
        try:
            environment = (PROC / str(pid) / "environ").read_bytes()
        except OSError:
            continue
        if wanted in environment.split(b"\0"):
            found.append(pid)
    return found


def task_count() -> int:
    """How many tasks (processes and threads) this user has now; 0 where that cannot be told."""
    total = 0
    for pid in _pids():
        with contextlib.suppress(OSError):
            if (PROC / str(pid)).stat().st_uid == os.getuid():
                total += sum(1 for _ in (PROC / str(pid) / "task").iterdir())
    return total


def _pids() -> list[int]:
    try:
        return sorted(int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    except OSError:
        return []
