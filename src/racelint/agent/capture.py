"""The target's standard streams: bounded, kept apart from the answer, never shown."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any

MAX_LINES = 200


class Capture(io.TextIOBase):
    """Stands for `sys.stdout` and `sys.stderr`; keeps what is printed while `keeps` says so."""

    def __init__(self, keeps: Callable[[], bool]) -> None:
        self._keeps = keeps
        self.reset()

    def reset(self) -> None:
        self.lines: list[str] = []
        self._open = ""
        self.used = False

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def buffer(self) -> Any:
        return io.BytesIO()

    def write(self, text: str) -> int:
        if len(self.lines) < MAX_LINES and self._keeps():
            self.used = True
            *whole, self._open = (self._open + text[:10_000]).split("\n")
            self.lines.extend(whole)
        return len(text)

    def flush(self) -> None:
        return None


def nothing() -> bool:
    """For a `Capture` that keeps nothing."""
    return False


def silence(capture: Capture) -> None:
    """Send everything that the target prints to `capture`, and what C code prints to nowhere; no input."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = capture
    sys.stderr = capture
