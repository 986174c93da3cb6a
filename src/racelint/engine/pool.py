"""Summaries of many files from worker processes: the same whatever the number of workers, and whatever crashes."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

import racelint
from racelint.engine.worker import Reply, Request, read_message, write_message
from racelint.engine.workforce import WorkerError, workers_for

_BOOT = "import sys; sys.path[:0] = [sys.argv[1]]; from racelint.engine.worker import main; main()"


def summarize_all(
    requests: Sequence[Request], jobs: int | None = None, answered: Callable[[], None] = lambda: None
) -> list[Reply]:
    """One reply for each request, in their order; `answered` is called for each, by any thread. Raises WorkerError."""
    if not requests:
        return []
    replies: list[Reply | None] = [None] * len(requests)
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    largest_first = sorted(range(len(requests)), key=lambda index: -len(requests[index].source))
    for index in largest_first:
        todo.put(index)
    count = workers_for(len(requests), jobs)
    crews = [_Crew(requests, replies, todo, answered) for _ in range(count)]
    # Daemons: after Ctrl-C nobody waits for a parse to end; its process stops at the end of its input.
    threads = [
        threading.Thread(target=crew.work, name=f"racelint-worker-{number}", daemon=True)
        for number, crew in enumerate(crews)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for crew in crews:
        if crew.error is not None:
            raise crew.error
    return [reply for reply in replies if reply is not None]


class _Crew:
    """What one thread does: it asks its own worker process, and replaces it when it dies."""

    def __init__(
        self,
        requests: Sequence[Request],
        replies: list[Reply | None],
        todo: queue.SimpleQueue[int],
        answered: Callable[[], None],
    ) -> None:
        self._requests = requests
        self._replies = replies
        self._todo = todo
        self._answered = answered
        self._worker: _Worker | None = None
        self.error: BaseException | None = None

    def work(self) -> None:
        """Take requests until none is left; each index is taken by one thread, so no reply is written twice."""
        try:
            while True:
                try:
                    index = self._todo.get_nowait()
                except queue.Empty:
                    break
                self._replies[index] = self._reply(self._requests[index])
                self._answered()
        except BaseException as error:
            self.error = error
        finally:
            self._dismiss()

    def _reply(self, request: Request) -> Reply:
        """Ask the worker; one that dies gets a second, fresh one, in case the first was worn out by earlier files."""
        ending = ""
        for _ in range(2):
            if self._worker is None:
                self._worker = _Worker()
            reply = self._worker.ask(request)
            if reply is not None:
                return reply
            ending = self._dismiss()
        killed = ending == signal.SIGKILL.name  # from outside, as where memory ends: no parser does that
        return Reply(unreadable=(f"the parser crashed on this file ({ending})", 1, 1), lasting=not killed)

    def _dismiss(self) -> str:
        worker, self._worker = self._worker, None
        return worker.end() if worker is not None else ""


class _Worker:
    """A running worker process."""

    def __init__(self) -> None:
        package = str(Path(racelint.__file__).parent.parent)
        # -P: the working directory is the user's, and none of its modules may be taken for ours
        command = [sys.executable, "-P", "-c", _BOOT, package]
        with _unnamed_file() as complaints:
            try:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, env=_environment()
                )
            except OSError as error:
                raise WorkerError(f"cannot start {sys.executable}: {error.strerror or error}") from None
            self._decoder = msgspec.msgpack.Decoder(Reply)
            if self._receive() is None:
                ending = self.end()
                complaints.seek(0)
                lines = complaints.read().decode(errors="replace").strip().splitlines()
                raise WorkerError(
                    f"the worker process did not start ({ending}): {lines[-1] if lines else 'no message'}"
                )

    def ask(self, request: Request) -> Reply | None:
        """The reply to `request`; None where the process died over it."""
        try:
            write_message(self._pipe(self._process.stdin), request)
        except OSError:
            return None
        return self._receive()

    def end(self) -> str:
        """Close the pipes, which ends the process; returns how it ended, in words."""
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                self._pipe(stream).close()
        try:
            code = self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return _ending(code)

    def _receive(self) -> Reply | None:
        try:
            body = read_message(self._pipe(self._process.stdout))
        except (OSError, ValueError):
            return None
        return None if body is None else self._decoder.decode(body)

    @staticmethod
    def _pipe(stream: object) -> BinaryIO:
        return stream  # type: ignore[return-value]


def _unnamed_file() -> IO[bytes]:
    """A temporary file; where there is no place for one, the null device."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return open(os.devnull, "r+b")


def _environment() -> dict[str, str]:
    """Our environment, without what would make another interpreter start-up than ours."""
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONSTARTUP", "PYTHONINSPECT")}


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
