"""The words of the prescan: what makes code concurrent for the analysis has one of them in its name."""

from __future__ import annotations

import pytest

from racelint.engine.prescan import mentions_concurrency
from racelint.knowledge import finalizers, locks, processes, threads

STARTING = {
    *(
        *threads.STARTERS,
        *threads.SAME_OBJECT,
        *threads.NAMED_STARTERS,
        *(owner for owner, _ in threads.METHOD_STARTERS),
    ),
    *(*threads.THREAD_BASES, *threads.HANDLER_BASES, *threads.VIEW_BASES, threads.MIDDLEWARE_PARAMETER),
    *(*threads.ROUTERS, *threads.THREADED_SERVERS, *threads.PROCESS_CONTEXTS),
}
SHARED = {*processes.SHARED_NUMBERS, *processes.PROXIES, *processes.SHARED_MEMORY, *finalizers.REFERENCE_CALLBACKS}
LOCKS = {*locks.LOCK_FACTORIES, *locks.LOCK_DECORATORS}


@pytest.mark.parametrize("name", sorted(STARTING | SHARED | LOCKS))
def test_what_is_known_to_be_concurrent_is_mentioned(name: str) -> None:
    assert mentions_concurrency(name.encode())


def test_plain_code_is_not() -> None:
    assert not mentions_concurrency(b"import os, re\n\n\ndef total(values):\n    return sum(values) / len(values)\n")
