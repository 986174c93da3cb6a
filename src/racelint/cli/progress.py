"""A sign of life on standard error while the work is long and somebody looks at a terminal."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from racelint.engine.progress import Progress

PATIENCE = 1.0
"""Seconds of silence before the sign appears."""
BEAT = 0.5
_CLEAR = "\r\x1b[K"


@contextmanager
def sign_of_life(doing: str) -> Iterator[Progress]:
    """Say what is being done, how much of it is done and for how long, in one line that goes when it is over.

    Whoever does the work keeps what is yielded up to date. Nothing is said but on a terminal.
    """
    progress = Progress(doing)
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield progress
        return
    over = threading.Event()
    shown = threading.Thread(target=_beat, args=(progress, over), name="racelint-progress", daemon=True)
    shown.start()
    try:
        yield progress
    finally:
        over.set()
        shown.join()


def _beat(progress: Progress, over: threading.Event) -> None:
    begin = time.monotonic()
    if over.wait(PATIENCE):
        return
    while True:
        sys.stderr.write(f"{_CLEAR}racelint: {progress}, {time.monotonic() - begin:.0f} s")
        sys.stderr.flush()
        if over.wait(BEAT):
            break
    sys.stderr.write(_CLEAR)
    sys.stderr.flush()
