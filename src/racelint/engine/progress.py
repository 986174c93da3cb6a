"""How far long work has come: counted where it is done, shown by whoever waits for it."""

from __future__ import annotations

import threading


class Progress:
    """What is being done, and how much of how much of it. The threads that do it may share one."""

    def __init__(self, doing: str = "") -> None:
        self._lock = threading.Lock()
        self._doing = doing
        self._unit = ""
        self._total = 0
        self._done = 0

    def begin(self, doing: str, total: int = 0, unit: str = "") -> None:
        """From now on this is done, `total` times; 0 where nobody knows."""
        with self._lock:
            self._doing, self._unit, self._total, self._done = doing, unit, total, 0

    def advance(self) -> None:
        """One more is done."""
        with self._lock:
            self._done += 1

    def __str__(self) -> str:
        with self._lock:
            return f"{self._doing}, {self._done} of {self._total} {self._unit}" if self._total else self._doing
