"""What is a lock, by the dotted name of its factory."""

from __future__ import annotations

from typing import Literal

import msgspec

Family = Literal["lock", "rlock", "condition", "semaphore", "reader-writer"]
World = Literal["thread", "process", "async"]


class LockFacts(msgspec.Struct, frozen=True):
    """`reentrant`: the holder may take it again. `world`: between what it excludes. `own`: a class of the program.

    `declared`: a lock by the user's word, of which nothing else is known. `by_key`: a family, of which each call takes
    the lock of the key that it names.
    """

    family: Family
    reentrant: bool
    world: World = "thread"
    own: bool = False
    declared: bool = False
    by_key: bool = False


_LOCK = LockFacts("lock", False)
_RLOCK = LockFacts("rlock", True)
_CONDITION = LockFacts("condition", True)
_SEMAPHORE = LockFacts("semaphore", False)
_PROCESS = LockFacts("lock", False, "process")
_ASYNC = LockFacts("lock", False, "async")

LOCK_FACTORIES: dict[str, LockFacts] = {
    "threading.Lock": _LOCK,
    "threading._allocate_lock": _LOCK,
    "_thread.allocate_lock": _LOCK,
    "_thread.allocate": _LOCK,
    "_thread.LockType": _LOCK,
    "thread.allocate_lock": _LOCK,
    "dummy_threading.Lock": _LOCK,
    "threading.RLock": _RLOCK,
    "threading._RLock": _RLOCK,
    "_thread.RLock": _RLOCK,
    "threading.Condition": _CONDITION,
    "threading._Condition": _CONDITION,
    "threading.Semaphore": _SEMAPHORE,
    "threading.BoundedSemaphore": _SEMAPHORE,
    "multiprocessing.Lock": _PROCESS,
    "multiprocessing.RLock": LockFacts("rlock", True, "process"),
    "multiprocessing.Condition": LockFacts("condition", True, "process"),
    "multiprocessing.Semaphore": LockFacts("semaphore", False, "process"),
    "multiprocessing.BoundedSemaphore": LockFacts("semaphore", False, "process"),
    "multiprocessing.synchronize.Lock": _PROCESS,
    "multiprocessing.synchronize.RLock": LockFacts("rlock", True, "process"),
    "asyncio.Lock": _ASYNC,
    "asyncio.Condition": LockFacts("condition", False, "async"),
    "asyncio.Semaphore": LockFacts("semaphore", False, "async"),
    "asyncio.BoundedSemaphore": LockFacts("semaphore", False, "async"),
    "anyio.Lock": _ASYNC,
    "anyio.Condition": LockFacts("condition", False, "async"),
    "trio.Lock": _ASYNC,
    "trio.Condition": LockFacts("condition", False, "async"),
    "gevent.lock.RLock": _RLOCK,
    "gevent.lock.Semaphore": _SEMAPHORE,
    "gevent.lock.BoundedSemaphore": _SEMAPHORE,
    "gevent.coros.RLock": _RLOCK,
    "eventlet.semaphore.Semaphore": _SEMAPHORE,
    "eventlet.green.threading.Lock": _LOCK,
    "eventlet.green.threading.RLock": _RLOCK,
    "eventlet.green.threading.Condition": _CONDITION,
    "eventlet.green.threading.Semaphore": _SEMAPHORE,
    "filelock.FileLock": LockFacts("rlock", True, "process"),
    "filelock.SoftFileLock": LockFacts("rlock", True, "process"),
    "filelock.UnixFileLock": LockFacts("rlock", True, "process"),
    "fasteners.ReaderWriterLock": LockFacts("reader-writer", True),
    "fasteners.InterProcessLock": _PROCESS,
    "readerwriterlock.rwlock.RWLockFair": LockFacts("reader-writer", False),
    "readerwriterlock.rwlock.RWLockRead": LockFacts("reader-writer", False),
    "readerwriterlock.rwlock.RWLockWrite": LockFacts("reader-writer", False),
    "oslo_concurrency.lockutils.ReaderWriterLock": LockFacts("reader-writer", True),
    "asgiref.local.RLock": _RLOCK,
    "janus.Lock": _LOCK,
    "kombu.utils.compat.Lock": _LOCK,
    "billiard.Lock": _PROCESS,
    "portalocker.Lock": _PROCESS,
    "thread.LockType": _LOCK,
}
LOCK_NAMES = frozenset(dotted.rpartition(".")[2] for dotted in LOCK_FACTORIES)
"""What calls that make one are named in the end."""

LOCK_DECORATORS: frozenset[str] = frozenset(
    {
        "wrapt.synchronized",
        "wrapt.decorators.synchronized",
        "oslo_concurrency.lockutils.synchronized",
        "fasteners.locked",
        "fasteners.read_locked",
        "fasteners.write_locked",
        "fasteners.interprocess_locked",
        "lockutils.synchronized",
        "synchronized",
    }
)
"""Decorators that hold a lock of their own around the call."""

LOCK_FREE_DECORATORS: frozenset[str] = frozenset(
    {"builtins", "functools", "contextlib", "abc", "typing", "typing_extensions", "dataclasses", "enum", "atexit"}
    | {
        "unittest",
        "pytest",
        "warnings",
        "asyncio",
        "types",
        "collections",
        "click",
        "attr",
        "attrs",
        "flask",
        "fastapi",
    }
    | {"starlette", "django", "celery", "tornado", "aiohttp", "six", "numpy", "deprecated", "overrides", "hypothesis"}
    | {"pydantic", "sqlalchemy", "jinja2", "werkzeug", "bottle", "cached_property", "zope", "apscheduler", "tenacity"}
)
"""Packages whose decorators hold no lock (but for those of LOCK_DECORATORS); any other may."""

READERS_AND_WRITERS: dict[str, str] = {
    "reader": "writer",
    "read": "write",
    "read_lock": "write_lock",
    "reader_lock": "writer_lock",
    "rlock": "wlock",
    "gen_rlock": "gen_wlock",
    "r_locked": "w_locked",
    "read_locked": "write_locked",
    "for_reading": "for_writing",
    "shared": "exclusive",
    "reader_acquire": "writer_acquire",
    "reader_enters": "writer_enters",
    "acquire_read": "acquire_write",
    "acquire_read_lock": "acquire_write_lock",
}
"""Methods that take a read-write lock, or give what holds it in a `with`: for reading, and for writing."""

ACQUIRES: frozenset[str] = frozenset(
    {"acquire", "__enter__", "acquire_read", "acquire_write", "acquire_lock", "acquire_read_lock", "acquire_write_lock"}
    | {"reader_acquire", "writer_acquire", "reader_enters", "writer_enters"}
)
RELEASES: frozenset[str] = frozenset(
    {"release", "__exit__", "release_read", "release_write", "release_lock", "release_read_lock", "release_write_lock"}
    | {"reader_release", "writer_release", "reader_leaves", "writer_leaves"}
)
