"""The children that run now: who is interrupted ends them all, and lets no other begin meanwhile."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from racelint.confirm.leftovers import end_session


class Stopped(Exception):
    """A job was given up, since whoever wanted it was interrupted."""


class Children:
    """The live children of all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._stopping = 0

    @contextmanager
    def running(self, child: subprocess.Popen[bytes]) -> Iterator[None]:
        """Counts `child` among them for as long as the block lasts. Raises Stopped where all are being ended."""
        with self._lock:
            self._alive.add(child)
            stopping = self._stopping > 0
        try:
            if stopping:
                end_session(child)
                raise Stopped
            yield
            if self._stopping:
                raise Stopped
        finally:
            with self._lock:
                self._alive.discard(child)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Ends them, and all that begin before the block is over."""
        with self._lock:
            self._stopping += 1
            alive = list(self._alive)
        for child in alive:
            end_session(child)
        try:
            yield
        finally:
            with self._lock:
                self._stopping -= 1


CHILDREN = Children()
