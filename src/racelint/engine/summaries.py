"""Summaries of files: from the cache, else made here or by worker processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from racelint.engine.cache import Cache, key_of
from racelint.engine.fingerprint import fingerprint
from racelint.engine.stack import call_with_deep_stack
from racelint.engine.worker import Reply, Request, answer
from racelint.engine.workforce import workers_for

LARGE = 1024 * 1024
"""A file of so many bytes is read by another process: what memory it takes does not end the scan."""


class Summaries:
    """Answers requests; `jobs` None means as many processes as pay, a `scheduler` the workers of its cluster."""

    def __init__(self, cache: Cache, jobs: int | None, scheduler: str = "") -> None:
        self._cache = cache
        self._jobs = jobs
        self._scheduler = scheduler

    def of(self, requests: Sequence[Request], answered: Callable[[], None] = lambda: None) -> list[Reply]:
        """One reply for each request, in their order; `answered` is called for each. Raises WorkerError."""
        keys = [self._key(request) for request in requests]
        known = {key: msgspec.msgpack.decode(value, type=Reply) for key, value in self._cache.get(keys).items()}
        missing = [(key, request) for key, request in zip(keys, requests, strict=True) if key not in known]
        for _ in range(len(requests) - len(missing)):
            answered()
        made = self._made([request for _, request in missing], answered)
        fresh = {key: reply for (key, _), reply in zip(missing, made, strict=True)}
        kept = {key: reply for key, reply in fresh.items() if reply.lasting and not reply.failure}
        self._cache.put({key: msgspec.msgpack.encode(reply) for key, reply in kept.items()})
        return [known[key] if key in known else fresh[key] for key in keys]

    @staticmethod
    def _key(request: Request) -> bytes:
        kind = "readable" if request.check else f"summary {request.reported}"
        return key_of(fingerprint(), kind, request.source)

    def _made(self, requests: Sequence[Request], answered: Callable[[], None]) -> list[Reply]:
        if self._scheduler and requests:
            from racelint.engine.cluster import cluster_at

            return cluster_at(self._scheduler).summarize(requests, answered)
        if workers_for(len(requests), self._jobs) > 1 or any(len(request.source) > LARGE for request in requests):
            from racelint.engine.pool import summarize_all

            return summarize_all(requests, self._jobs, answered)
        return call_with_deep_stack(partial(_answers, requests, answered)) if requests else []


def _answers(requests: Sequence[Request], answered: Callable[[], None]) -> list[Reply]:
    replies = []
    for request in requests:
        replies.append(answer(request))
        answered()
    return replies
