"""Forks that the code under test makes: where they come without end, they end the run, with an answer."""

from __future__ import annotations

# Plain paths: pathlib costs more to import than a small search takes.
# ruff: noqa: PTH112, PTH208
import contextlib
import mmap
import os
import signal
from collections.abc import Callable

from .answer import Answer, answer_of

MARK = "RACELINT_RUN"
"""The variable that all processes of a run have in their environment."""

AT_ONCE = 64
"""Processes that may be left running before it counts as a bomb."""

ROUNDS = 5


class Forks:
    """Stands in for `os.fork`. Each fork takes one token of a pipe, which all copies share; a bomb raises a flag."""

    def __init__(self, write: Callable[[Answer], None]) -> None:
        self._write = write
        self._agent = os.getpid()
        self._fork = os.fork
        self._is_bomb = mmap.mmap(-1, 1)
        self._tokens = os.pipe()
        for end in self._tokens:
            os.set_blocking(end, False)
        self._refill(AT_ONCE)
        os.fork = self._forked

    def _forked(self) -> int:
        if self._is_bomb[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            os.read(self._tokens[0], 1)
        except OSError:
            left = len(_running())
            if left >= AT_ONCE:
                self._end()
            self._refill(AT_ONCE - left)
        return self._fork()

    def _refill(self, count: int) -> None:
        with contextlib.suppress(OSError):
            os.write(self._tokens[1], bytes(count))

    def _end(self) -> None:
        """Say why, and end every process of the run: the agent not before that is said."""
        reason = f"it forks processes without end: {AT_ONCE} were left running"
        self._write(answer_of(status="unsupported", reason=reason))
        own = os.getpid()
        if own != self._agent:
            _kill(self._agent)  # before it sees any of them end, and has another answer
        self._is_bomb[0] = 1
        for _ in range(ROUNDS):
            for other in _running():
                if other != own:
                    _kill(other)
        _kill(own)


def _kill(process: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(process, signal.SIGKILL)


def _running() -> list[int]:
    """The processes of this run that are no zombies, as far as there is a `/proc` to see them in."""
    mark = f"{MARK}={os.environ.get(MARK, '')}".encode()
    found = []
    for name in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else ()):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
            state, _, group = file.read().rpartition(")")[2].split()[:3]
            with open(f"/proc/{name}/environ", "rb") as names:
                is_ours = int(group) == os.getpgrp() or mark in names.read().split(b"\0")
            if is_ours and state != "Z":
                found.append(int(name))
    return found
