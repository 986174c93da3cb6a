"""A Dask cluster in the place of processes: the same answers in the same order, through Dask's own executor.

Dask brings what a distribution needs: a batch whose worker dies is run again on another one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
"""Seconds to wait for the scheduler to answer."""


class Cluster:
    """The workers of one scheduler. They need the racelint that this one is; to confirm, the project's folder too."""

    def __init__(self, scheduler: str) -> None:
        try:
            import distributed
        except ImportError:
            raise WorkerError("--executor dask needs: pip install 'racelint[dask]'") from None
        self._scheduler = scheduler
        connect: Any = distributed.Client
        try:
            self._client = connect(scheduler, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise WorkerError(f"cannot reach the scheduler {scheduler}: {error}") from None
        if not self.threads:
            raise WorkerError(f"the scheduler {scheduler} has no workers")
        self._executor: Any = self._client.get_executor(pure=False)

    @property
    def threads(self) -> int:
        """How many tasks the workers run at once."""
        return sum(self._client.nthreads().values())

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
            name, replies = msgspec.msgpack.decode(future.result(), type=tuple[str, list[Reply]])
        except KilledWorker:
            from racelint.engine.pool import summarize_all

            return summarize_all(batch, 1)
        except Exception as error:
            raise WorkerError(f"a worker of {self._scheduler} failed: {type(error).__name__}: {error}") from None
        if name != fingerprint():
            raise WorkerError(f"a worker of {self._scheduler} runs another racelint ({name}; this is {fingerprint()})")
        return replies

    def confirm(self, asked: Finding | str, seconds: float, limits: Limits, root: Path) -> Verdict:
        """The verdict on a finding, or on a target that names code, run on some worker for at most so many seconds.

        Raises CannotRun for a target that names nothing.
        """
        from racelint.confirm import CannotRun, cannot
        from racelint.model.finding import Verdict

        task = (asked, msgspec.structs.replace(limits, budget=seconds), str(root))
        future = self._executor.submit(elsewhere.confirmed, msgspec.msgpack.encode(task), os.getcwd())
        try:
            verdict, problem = msgspec.msgpack.decode(future.result(), type=tuple[Verdict | None, str])
        except Exception as error:
            verdict, problem = None, str(error)
        if verdict is None and isinstance(asked, str):
            raise CannotRun(problem)
        return verdict or cannot("inconclusive", f"no worker of {self._scheduler} could run it: {problem}")


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
