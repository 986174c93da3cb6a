"""How many processes are worth their start."""

from __future__ import annotations

import os

FILES_PER_WORKER = 50
"""Fewer than this for each worker, and starting another costs more than it saves."""

WORKERS_PER_CORE = 4
"""More than this only take memory from each other, however many were asked for."""


class WorkerError(Exception):
    """No worker process could be started; the text says why."""


def workers_for(files: int, jobs: int | None) -> int:
    """How many processes to use: as many as `jobs`, if given, in reason; else as there are cores and work for them."""
    if jobs is not None:
        return max(1, min(jobs, files, WORKERS_PER_CORE * cores()))
    return max(1, min(cores(), files // FILES_PER_WORKER))


def cores() -> int:
    """How many processes can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
