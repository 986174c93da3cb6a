"""What the objects of a process are: shared, signals between threads, or plain ones; and their values as text."""

from __future__ import annotations

import types
from typing import Any

from .access_log import CONTAINERS
from .snapshot import CODE, Snapshot, text_of

SHARED_MODULES = ("multiprocessing", "ctypes", "_ctypes", "multiprocessing.sharedctypes")


GONE = "(its manager has ended)"


def token_of(value: Any) -> str:
    """What a manager's proxy stands for, the same text in every process; "" for all else."""
    return str(getattr(getattr(value, "_token", None), "id", ""))


def is_shared(value: Any) -> bool:
    """An object whose contents live in memory or a server that processes share."""
    return any(base.__module__.split(".")[0] in SHARED_MODULES for base in type(value).__mro__)


def is_signal(value: Any) -> bool:
    """A primitive by which threads tell each other something."""
    return any(base.__module__ in ("threading", "queue", "_thread") for base in type(value).__mro__)


def is_plain(value: Any) -> bool:
    return not isinstance(value, (*CODE, type, int, float, complex, str, bytes, bool, type(None)))


def parts_of(value: Any) -> set[int]:
    """The ids of the containers one and two levels inside."""
    found: set[int] = set()
    level = [value]
    for _ in range(2):
        deeper: list[Any] = []
        for item in level:
            fields = getattr(item, "__dict__", None)
            if isinstance(item, CONTAINERS):
                deeper.extend(list(item.values() if isinstance(item, dict) else item)[:200])
            if isinstance(fields, dict) and not isinstance(item, type | types.ModuleType):
                deeper.extend(list(fields.values())[:200])
        found.update(id(item) for item in deeper if is_plain(item))
        level = deeper
    return found


def spoken(value: Any) -> str:
    """The value as text; shared values and arrays by what they hold."""
    if is_shared(value):
        for read in (lambda: value.value, lambda: list(value[:]), lambda: dict(value)):
            try:
                return text_of(Snapshot().tree(read()), 100)
            except Exception:
                continue
        return GONE if token_of(value) else type(value).__name__
    return text_of(Snapshot().tree(value), 100)
