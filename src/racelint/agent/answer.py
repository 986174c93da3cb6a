"""Answers as plain data: the fields of `racelint.model.scenario.Answer`."""

from __future__ import annotations

import sys
import sysconfig
from typing import Any

Answer = dict[str, Any]


def answer_of(status: str, **fields: Any) -> Answer:
    """An answer with every other field at its default."""
    answer: Answer = {
        "status": status,
        "effect": None,
        "schedule": None,
        "schedules_run": 0,
        "bound_exhausted": -1,
        "seconds": 0.0,
        "interpreters": {},
        "outcome": None,
        "expected": [],
        "reason": "",
        "witness": None,
        "reached": True,
        "out_of_control": [],
        "leaks": [],
        "probes": [],
        "python": version(),
    }
    answer.update(fields)
    return answer


def version() -> str:
    """`3.11.7`, or `3.13.1t` where the build has no GIL."""
    number = ".".join(map(str, sys.version_info[:3]))
    return number + ("t" if is_free_threaded() else "")


def is_free_threaded() -> bool:
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
