"""Measures what the rules about cost claim: a lock at every turn against one critical section (RL401), and threads
against processes for pure computation (RL402). On the real primitives, each measurement in a process of its own.
"""

from __future__ import annotations

import os
from typing import Any

from .answer import Answer, answer_of
from .cost_of_locks import measure_locks
from .cost_of_threads import measure_threads


def run_cost(job: dict[str, Any]) -> Answer:
    """Answer a job of kind `cost`."""
    if not hasattr(os, "fork"):
        return answer_of(status="unsupported", reason="costs are measured on POSIX systems only")
    code = job["scenario"].get("code") or ""
    try:
        return measure_locks(job) if code != "RL402" else measure_threads(job)
    except (SyntaxError, OSError) as error:
        return answer_of(status="unsupported", reason=f"cannot compile: {error}")
