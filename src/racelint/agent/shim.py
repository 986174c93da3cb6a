"""Private copies of the standard library's `threading`, `queue` and `concurrent.futures`, over a fake `_thread`.

They are the library's own source, so Condition, Barrier, Timer, pools and the rest behave as they do; only the
primitives below them are ours. The target is imported with these in `sys.modules`.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import sys
import time as real_time
import types
from typing import Any

from . import fake_thread
from .control import Control
from .tasks import Abort

PRIVATE = ("threading", "_threading_local", "queue", "concurrent.futures.thread", "concurrent.futures._base")


def install(control: Control) -> None:
    """Put the shim in place for the rest of the process (the agent ends with `os._exit`, so it is never undone)."""
    fake = fake_thread.build(control)
    _forget_threaded_modules()
    sys.modules["_thread"] = fake
    sys.modules["_queue"] = None  # type: ignore[assignment]
    sys.modules["time"] = _virtual_time(control)
    functools.RLock = fake_thread.RLock  # type: ignore[attr-defined]
    threading = importlib.import_module("threading")
    importlib.import_module("queue")
    for name in ("concurrent.futures", "concurrent.futures._base", "concurrent.futures.thread"):
        importlib.import_module(name)
    _offer_choice_at_start(threading, control)
    for owner in (threading.Thread, sys.modules["concurrent.futures"].Future):
        _hash_by_creation(owner, control)
    control.on_reset.append(lambda: _reset_threading(threading))
    control.on_reset.append(_reset_pools)
    control.on_reset.append(lambda: _reset_chance(control))
    _reset_chance(control)


def _forget_threaded_modules() -> None:
    """Drop modules that already hold the real `threading`, so that the target gets copies of them over ours."""
    suspects = {"threading", "_threading_local", "queue", "_queue", "concurrent", "logging", "random", "tempfile"}
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if top in suspects or (top in sys.stdlib_module_names and _uses_threads(module)):
            del sys.modules[name]


def _uses_threads(module: Any) -> bool:
    if not getattr(module, "__file__", None):
        return False
    members = list(vars(module).values())
    return any(isinstance(value, types.ModuleType) and value.__name__ in ("threading", "queue") for value in members)


def _virtual_time(control: Control) -> types.ModuleType:
    module = types.ModuleType("time", real_time.__doc__)
    vars(module).update({name: value for name, value in vars(real_time).items() if not name.startswith("__")})
    epoch = 1_700_000_000.0

    def sleep(seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        control.sleep(seconds)

    def seconds_from(start: float) -> Any:
        return lambda: start + control.clock

    def nanoseconds_from(start: float) -> Any:
        return lambda: int((start + control.clock) * 1e9)

    vars(module).update(sleep=sleep, time=seconds_from(epoch), time_ns=nanoseconds_from(epoch))
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(module, name, seconds_from(1000.0))
        setattr(module, f"{name}_ns", nanoseconds_from(1000.0))
    return module


def _offer_choice_at_start(threading: Any, control: Control) -> None:
    """`Thread.start` waits for the new thread; once that has begun, either may go on."""
    base: Any = threading.Event

    class StartEvent(base):  # type: ignore[misc, valid-type, unused-ignore]
        def set(self) -> None:
            super().set()
            control.started()

    original = threading.Thread.__init__

    @functools.wraps(original)
    def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self._started = StartEvent()

    threading.Thread.__init__ = initialise


def _hash_by_creation(owner: Any, control: Control) -> None:
    """Sets of threads and futures, which the library iterates over, keep one order in every execution."""
    counter = itertools.count(1)
    original = owner.__init__

    @functools.wraps(original)
    def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
        self._rl_serial = next(counter)
        original(self, *args, **kwargs)

    def restart() -> None:
        nonlocal counter
        counter = itertools.count(1)

    owner.__init__ = initialise
    owner.__hash__ = lambda self: getattr(self, "_rl_serial", 0)
    owner.__eq__ = lambda self, other: self is other
    control.on_reset.append(restart)


def _reset_threading(threading: Any) -> None:
    """Forget the threads of the last execution, and count names from the start again."""
    main = threading._main_thread
    threading._counter = itertools.count(1).__next__
    if len(threading._active) == 1 and not threading._limbo and not threading._dangling:
        return  # the last execution made no thread
    threading._active.clear()
    threading._active[1] = main
    threading._limbo.clear()
    threading._dangling.clear()
    threading._threading_atexits[:] = [call for call in threading._threading_atexits if _is_pool_exit(call)]
    for name in ("_shutdown_locks",):
        if hasattr(threading, name):
            getattr(threading, name).clear()
    for name in ("_active_limbo_lock", "_shutdown_locks_lock"):
        lock = getattr(threading, name, None)
        if lock is not None:
            lock._at_fork_reinit()


def _is_pool_exit(call: Any) -> bool:
    function = getattr(call, "func", call)
    return getattr(function, "__module__", "") == "concurrent.futures.thread"


def _reset_pools() -> None:
    pools: Any = sys.modules["concurrent.futures.thread"]
    pools._shutdown = False
    pools._threads_queues.clear()
    pools._global_shutdown_lock._at_fork_reinit()
    pools.ThreadPoolExecutor._counter = itertools.count().__next__


def _reset_chance(control: Control) -> None:
    """The same random numbers in every execution."""
    random = sys.modules.get("random")
    if random is not None:
        random.seed(0)
        _seed_in_order(random.Random)
    counter = itertools.count(1)

    def urandom(size: int) -> bytes:
        return b"".join(next(counter).to_bytes(8, "little") for _ in range(size // 8 + 1))[:size]

    os.urandom = urandom


def _seed_in_order(generator: Any) -> None:
    """Generators that are made without a seed get 1, 2, 3, …, in every execution."""
    seeds = itertools.count(1)
    original = getattr(generator.seed, "__wrapped__", generator.seed)

    @functools.wraps(original)
    def seed(self: Any, a: Any = None, version: int = 2) -> None:
        original(self, next(seeds) if a is None else a, version)

    generator.seed = seed


def run_exit_handlers() -> None:
    """What the interpreter does first when a program ends: tell idle pool workers to stop."""
    threading: Any = sys.modules["threading"]
    for call in reversed(list(threading._threading_atexits)):
        try:
            call()
        except (Exception, Abort):
            continue
