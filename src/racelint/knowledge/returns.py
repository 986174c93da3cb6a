"""What calls of the standard library return, where that is no instance of what is called."""

from __future__ import annotations

RETURNS: dict[str, str] = {
    "threading.current_thread": "threading.Thread",
    "multiprocessing.Manager": "multiprocessing.managers.SyncManager",
    "multiprocessing.managers.SyncManager.dict": "multiprocessing.managers.DictProxy",
    "multiprocessing.managers.SyncManager.list": "multiprocessing.managers.ListProxy",
    "multiprocessing.managers.SyncManager.Namespace": "multiprocessing.managers.NamespaceProxy",
    "logging.getLogger": "logging.Logger",
    "concurrent.futures.ThreadPoolExecutor.submit": "concurrent.futures.Future",
    "concurrent.futures.ProcessPoolExecutor.submit": "concurrent.futures.Future",
    "asyncio.run_coroutine_threadsafe": "concurrent.futures.Future",
    "asyncio.create_task": "asyncio.Task",
    "asyncio.ensure_future": "asyncio.Task",
    "asyncio.AbstractEventLoop.create_task": "asyncio.Task",
    "asyncio.AbstractEventLoop.create_future": "asyncio.Future",
    "multiprocessing.Pool.apply_async": "multiprocessing.pool.AsyncResult",
    "multiprocessing.Pool.map_async": "multiprocessing.pool.AsyncResult",
    "collections.namedtuple": "builtins.type",
}

HANDING_METHODS = frozenset({"values", "copy", "itervalues", "keys", "items", "popitem"})
"""Methods that hand on the elements of their container, one or all."""
TAKING_METHODS = frozenset({"get", "pop", "setdefault", "popleft", "__getitem__"})
"""Methods that hand out an element of their container."""
HANDING_FUNCTIONS = frozenset({"list", "tuple", "sorted", "set", "frozenset", "reversed", "iter", "enumerate"})
"""Builtins that hand on the elements of their argument."""
