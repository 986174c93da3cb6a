"""Locks of `multiprocessing` under control, as far as the threads of one process share them."""

from __future__ import annotations

import importlib
from typing import Any

from .fake_thread import Lock, RLock

RECURSIVE = 0
_multiprocessing: Any = importlib.import_module("_multiprocessing")
Real: Any = getattr(_multiprocessing, "SemLock", None)


class SemLock:
    """`_multiprocessing.SemLock` of a lock or recursive lock; a counting semaphore stays the real one."""

    SEM_VALUE_MAX = getattr(Real, "SEM_VALUE_MAX", 1)
    handle = 0
    name = None

    def __new__(cls, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> Any:
        return super().__new__(cls) if maxvalue == value == 1 else Real(kind, value, maxvalue, name, unlink)

    def __init__(self, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> None:
        self.kind = kind
        self.maxvalue = maxvalue
        self._lock: Lock | RLock = RLock() if kind == RECURSIVE else Lock()

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        if not block:
            return self._lock.acquire(False)
        return self._lock.acquire(True, -1 if timeout is None else max(0.0, timeout))

    def release(self) -> None:
        try:
            self._lock.release()
        except RuntimeError:
            if self.kind == RECURSIVE:
                raise AssertionError("attempt to release recursive lock not owned by thread") from None
            raise ValueError("semaphore or lock released too many times") from None

    def _count(self) -> int:
        return self._lock.count if isinstance(self._lock, RLock) else int(self._lock.is_locked)

    def _is_mine(self) -> bool:
        return isinstance(self._lock, RLock) and self._lock._is_owned()

    def _get_value(self) -> int:
        return int(not self._lock.is_locked)

    def _is_zero(self) -> bool:
        return self._lock.is_locked

    def _after_fork(self) -> None:
        self._lock._at_fork_reinit()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *details: object) -> None:
        self.release()


def install() -> None:
    """Let `multiprocessing` make its locks so, where the system has them at all."""
    if Real is not None:
        _multiprocessing.SemLock = SemLock
