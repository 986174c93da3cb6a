"""Room for recursion: source that nests or chains thousands deep must not end in a RecursionError or a crash."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

STACK_BYTES = (512 * 1024**2, 64 * 1024**2, 0)
"""Sizes to try; 0 is the platform's own. Pages count only once they are touched."""
RECURSION_LIMIT = 100_000

_process = threading.Lock()
"""Guards what the whole process has one of: the size of new stacks, the recursion limit and who raised it."""


class _Raised:
    """The recursion limit is raised as long as anybody needs it, threads that start each other included."""

    users = 0
    before = 0

    def __enter__(self) -> None:
        with _process:
            if _Raised.users == 0:
                _Raised.before = sys.getrecursionlimit()
                sys.setrecursionlimit(max(_Raised.before, RECURSION_LIMIT))
            _Raised.users += 1

    def __exit__(self, *_: object) -> None:
        with _process:
            _Raised.users -= 1
            if _Raised.users == 0:
                sys.setrecursionlimit(_Raised.before)


def call_with_deep_stack(function: Callable[[], Result]) -> Result:
    """Run `function` on a thread with a large stack and a raised recursion limit; its exception is raised here."""
    results: list[Result] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            failures.append(error)

    with _Raised():
        _started(run).join()
    if failures:
        raise failures[0]
    return results[0]


def _started(run: Callable[[], None]) -> threading.Thread:
    """A running daemon thread with the largest stack that the system grants."""
    with _process:
        before = threading.stack_size()
        try:
            for size in STACK_BYTES:
                try:
                    threading.stack_size(size)
                    thread = threading.Thread(target=run, name="racelint-deep-stack", daemon=True)
                    thread.start()
                    return thread
                except (ValueError, RuntimeError):
                    if size == 0:
                        raise
        finally:
            threading.stack_size(before)
    raise AssertionError("the last size is tried or raises")
