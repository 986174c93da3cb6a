"""Which files can matter at all, told from their bytes: most of a code base never needs the slow parse."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_NOQA_OF_OURS = rb"#\s*noqa[^\r\n]*RL\d{0,3}\b"
_WORDS = tuple(
    word.encode()
    for word in (
        *("hread", "multiprocessing", "concurrent", "async", "await", "queue", "Queue", "Lock", "lock(", "Condition"),
        *("Semaphore", "Barrier", "Event(", "submit", "xecutor", "Pool", "erver", "signal", "atexit", "done_callback"),
        *("__del__", "weakref", "fork", "acquire", "synchronized", "fasteners", "greenlet", "gevent", "eventlet"),
        *("trio", "curio", "celery", "dramatiq", "twisted", "tornado", "django", "get_response", "rest_framework"),
        *("flask", "quart", "bottle", "fastapi", "starlette", "werkzeug", "watchdog", "chedule", "Timer", "orker"),
        *("aemon", "arallel", "interpreters", "Process", "Manager", "shared_memory", "racelint:"),
    )
)


def mentions_concurrency(source: bytes) -> bool:
    """Whether `source` holds any word without which no rule can speak of it by itself."""
    return any(word in source for word in _WORDS)


def mentions_directive(source: bytes) -> bool:
    """Whether `source` can hold a comment that speaks to racelint."""
    return b"racelint:" in source or re.search(_NOQA_OF_OURS, source, re.IGNORECASE) is not None


def relevant(mentioning: Iterable[str], imports: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The paths that the analysis needs: a closure over `imports` (path to the paths it imports).

    A file matters if it mentions concurrency, if it imports (in any number of steps) one that does, since it may hand
    its own code to threads there, or if one of these imports it, since that code may be what runs on them.
    """
    importers: dict[str, list[str]] = {}
    for path, targets in imports.items():
        for target in targets:
            importers.setdefault(target, []).append(path)
    users = _closure(mentioning, importers)
    return _closure(users, imports)


def _closure(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> frozenset[str]:
    reached = set(start)
    pending = list(reached)
    while pending:
        for target in edges.get(pending.pop(), ()):
            if target not in reached:
                reached.add(target)
                pending.append(target)
    return frozenset(reached)
