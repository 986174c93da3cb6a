"""A sign of life on standard error while the work is long and somebody looks at a terminal."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Seconds of silence before the sign appears."""
BEAT = 0.5
_CLEAR = "\r\x1b[K"


@contextmanager
def sign_of_life(doing: str) -> Iterator[None]:
    """Say what is being done and for how long, in one line that goes when it is over; nothing but on a terminal."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    over = threading.Event()
    shown = threading.Thread(target=_beat, args=(doing, over), name="racelint-progress", daemon=True)
    shown.start()
    try:
        yield
    finally:
        over.set()
        shown.join()


def _beat(doing: str, over: threading.Event) -> None:
    begin = time.monotonic()
    if over.wait(PATIENCE):
        return
    while True:
        sys.stderr.write(f"{_CLEAR}racelint: {doing}, {time.monotonic() - begin:.0f} s")
        sys.stderr.flush()
        if over.wait(BEAT):
            break
    sys.stderr.write(_CLEAR)
    sys.stderr.flush()
