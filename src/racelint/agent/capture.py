"""The target's standard streams: bounded, kept apart from the answer, never shown."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from .control import Control

MAX_LINES = 200


class Capture(io.TextIOBase):
    """Stands for `sys.stdout` and `sys.stderr`; keeps what the first thread of a program prints, as its result."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.lines: list[str] = []
        self._open = ""

    def reset(self) -> None:
        self.lines = []
        self._open = ""

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def buffer(self) -> Any:
        return io.BytesIO()

    def write(self, text: str) -> int:
        if self._control.current.index == 0 and len(self.lines) < MAX_LINES:
            *whole, self._open = (self._open + text[:10_000]).split("\n")
            self.lines.extend(whole)
        return len(text)

    def flush(self) -> None:
        return None


def silence(capture: Capture) -> None:
    """Send everything that the target prints to `capture`, and what C code prints to nowhere; no input."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = capture
    sys.stderr = capture
