"""A Dask cluster in the place of processes: the same answers in the same order, through Dask's own executor.

Dask brings what a distribution needs: a batch whose worker dies is run again on another one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from functools import cache, partial
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from racelint.engine import elsewhere
from racelint.engine.fingerprint import fingerprint
from racelint.engine.worker import Reply, Request
from racelint.engine.workforce import WorkerError

if TYPE_CHECKING:
    from racelint.confirm import Limits
    from racelint.model.finding import Finding, Verdict

BATCH_BYTES = 256 * 1024
BATCH_FILES = 200
"""What one message holds at most, unless a single file is larger: small files do not cost a round trip each."""
PATIENCE = 20
"""Seconds to wait for the scheduler to answer, and for a worker where there is none left."""
_INSTALL = "pip install 'racelint[dask]' there"

Answer = TypeVar("Answer")


class Deserted(Exception):
    """There are no workers any more."""


class Cluster:
    """The workers of one scheduler. They need the racelint that this one is; to confirm, the project's folder too."""

    def __init__(self, scheduler: str) -> None:
        try:
            import distributed
        except ImportError:
            raise WorkerError("--executor dask needs: pip install 'racelint[dask]'") from None
        self._scheduler = scheduler
        self._deserted = threading.Event()
        connect: Any = distributed.Client
        try:
            self._client = within(PATIENCE + 2, partial(connect, scheduler, timeout=PATIENCE, set_as_default=False))
        except (OSError, ValueError, TypeError) as error:  # TypeError: tls:// without a certificate
            reason = str(error) or f"no answer within {PATIENCE} seconds"
            raise WorkerError(f"cannot reach the scheduler {scheduler}: {reason}") from None
        if not self.threads:
            raise WorkerError(f"the scheduler {scheduler} has no workers")
        self._look_for_racelint()
        self._executor: Any = self._client.get_executor(pure=False)

    @property
    def threads(self) -> int:
        """How many tasks the workers run at once. Raises WorkerError."""
        return sum(self._asked(self._client.nthreads).values())

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        try:
            return within(PATIENCE, ask)
        except OSError as error:
            reason = str(error) or f"no answer within {PATIENCE} seconds"
            raise WorkerError(f"the scheduler {self._scheduler} is gone: {reason}") from None

    def _look_for_racelint(self) -> None:
        """Raises WorkerError for a process without racelint: a task that it cannot read would end it, not fail."""
        ours = "racelint:__version__"
        there = partial(self._client.run, resolve_name, ours, on_error="return")
        for address, version in self._asked(there).items():
            if isinstance(version, ImportError):
                raise WorkerError(f"the worker {address} has no racelint: {_INSTALL}")
        try:
            self._asked(partial(self._client.run_on_scheduler, resolve_name, ours))
        except ImportError:
            raise WorkerError(f"the scheduler {self._scheduler} has no racelint: {_INSTALL}") from None

    def summarize(self, requests: Sequence[Request], answered: Callable[[], None]) -> list[Reply]:
        """One reply for each request, in their order; `answered` is called for each. Raises WorkerError."""
        sent = [
            (batch, self._executor.submit(elsewhere.summarized, msgspec.msgpack.encode(batch)))
            for batch in batches(requests)
        ]
        replies: list[Reply] = []
        for batch, future in sent:
            for reply in self._replies(batch, future):
                replies.append(reply)
                answered()
        return replies

    def _replies(self, batch: Sequence[Request], future: Any) -> list[Reply]:
        """What came of a batch. One that no worker survives is looked at here, where a crash costs only its file."""
        from distributed import KilledWorker

        try:
            name, replies = msgspec.msgpack.decode(self._result(future), type=tuple[str, list[Reply]])
        except (KilledWorker, Deserted):
            from racelint.engine.pool import summarize_all

            return summarize_all(batch, 1)
        except WorkerError:
            raise
        except CancelledError:
            raise WorkerError(f"the scheduler {self._scheduler} is gone") from None
        except Exception as error:
            raise WorkerError(f"a worker of {self._scheduler} failed: {type(error).__name__}: {error}") from None
        if name != fingerprint():
            raise WorkerError(f"a worker of {self._scheduler} runs another racelint ({name}; this is {fingerprint()})")
        return replies

    def _result(self, future: Any) -> bytes:
        """What a task gives. Raises what it raises, WorkerError, and Deserted where for long there was no worker."""
        left = PATIENCE
        while not self._deserted.is_set():
            try:
                return bytes(future.result(timeout=1))
            except TimeoutError:
                left = PATIENCE if self.threads else left - 1
                if left <= 0:
                    self._deserted.set()
        if future.done():
            return bytes(future.result())
        future.cancel()
        raise Deserted("its workers are gone")

    def confirm(self, asked: Finding | str, seconds: float, limits: Limits, root: Path) -> Verdict:
        """The verdict on a finding, or on a target that names code, run on some worker for at most so many seconds.

        Raises CannotRun for a target that names nothing.
        """
        from racelint.confirm import CannotRun, cannot
        from racelint.model.finding import Verdict

        task = (asked, msgspec.structs.replace(limits, budget=seconds), str(root))
        future = self._executor.submit(elsewhere.confirmed, msgspec.msgpack.encode(task), os.getcwd())
        try:
            verdict, problem = msgspec.msgpack.decode(self._result(future), type=tuple[Verdict | None, str])
        except Exception as error:
            verdict, problem = None, str(error)
        if verdict is None and isinstance(asked, str):
            raise CannotRun(problem)
        return verdict or cannot("inconclusive", f"no worker of {self._scheduler} could run it: {problem}")


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns. Raises what it raises, and TimeoutError where it takes longer: Dask has questions that do."""
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, name="racelint-dask", daemon=True).start()
    return answer.result(timeout=seconds)


@cache
def cluster_at(scheduler: str) -> Cluster:
    """The cluster of a scheduler, connected once. Raises WorkerError."""
    return Cluster(scheduler)


def batches(requests: Sequence[Request]) -> Iterator[list[Request]]:
    """The requests in their order, cut into messages."""
    batch: list[Request] = []
    size = 0
    for request in requests:
        if batch and (size + len(request.source) > BATCH_BYTES or len(batch) == BATCH_FILES):
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += len(request.source)
    if batch:
        yield batch
