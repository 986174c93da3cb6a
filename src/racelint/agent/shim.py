"""Private copies of the standard library's `threading`, `queue` and `concurrent.futures`, over a fake `_thread`.

They are the library's own source, so Condition, Barrier, Timer, pools and the rest behave as they do; only the
primitives below them are ours. The target is imported with these in `sys.modules`.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from . import fake_thread
from .chance import Streams, draw_apart
from .control import Control
from .tasks import Abort
from .virtual_time import install_dates, virtual_time

SYSTEM_SEED = 1

PRIVATE = ("threading", "_threading_local", "queue", "concurrent.futures.thread", "concurrent.futures._base")


def install(control: Control, *, loops: bool = False) -> None:
    """Put the shim in place for the rest of the process (the agent ends with `os._exit`, so it is never undone).

    With `loops`, event loops are under control as well.
    """
    fake = fake_thread.build(control)
    _forget_threaded_modules()
    sys.modules["_thread"] = fake
    sys.modules["_queue"] = None  # type: ignore[assignment]
    time = virtual_time(control)
    with contextlib.suppress(ImportError):  # a build without multiprocessing
        importlib.import_module(f"{__package__}.fake_semaphore").install()
    sys.modules["time"] = time
    install_dates(time)
    functools.RLock = fake_thread.RLock  # type: ignore[attr-defined]
    threading = importlib.import_module("threading")
    importlib.import_module("queue")
    for name in ("concurrent.futures", "concurrent.futures._base", "concurrent.futures.thread"):
        importlib.import_module(name)
    _offer_choice_at_start(threading, control)
    _note_refusals(threading.Semaphore, control)
    _hash_by_creation(threading.Thread, Undo(control, lambda: reset_threading(threading)))
    futures: Any = sys.modules["concurrent.futures"]
    _hash_by_creation(futures.Future, Undo(control, _reset_pools))
    _hash_by_creation(futures.ThreadPoolExecutor, Undo(control, _reset_pools))
    _fix_chance(control)
    if loops:
        _install_loops(control)


def _install_loops(control: Control) -> None:
    sys.modules["_asyncio"] = None  # type: ignore[assignment]  # tasks in C keep the running loop by OS thread
    fake_loop = importlib.import_module(".fake_loop", __package__)
    futures: Any = sys.modules["asyncio.futures"]
    _hash_by_creation(futures.Future, Undo(control, lambda: None))
    fake_loop.install(control)


NODE = 0x0200_0000_0000
"""The address of this machine, as `uuid` sees it."""


class Undo:
    """Something that an execution may do to the process, and how it is undone before the next one."""

    def __init__(self, control: Control, undo: Callable[[], None]) -> None:
        self._control = control
        self._undo = undo
        self.times = 0

    def done(self) -> int:
        """It has been done, and is undone when this execution is over; how many times so far."""
        if not self.times:
            self._control.undo.append(self._reset)
        self.times += 1
        return self.times

    def _reset(self) -> None:
        self.times = 0
        self._undo()


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


def _note_refusals(semaphore: Any, control: Control) -> None:
    """Who does not get a permit in time is refused it, as one who does not get a lock; pools ask on the quiet."""
    original = semaphore.acquire

    @functools.wraps(original)
    def acquire(self: Any, blocking: bool = True, timeout: float | None = None) -> bool:
        got: bool = original(self, blocking, timeout)
        if not got and sys._getframe(1).f_globals.get("__name__") not in PRIVATE:
            control.refused = True
        return got

    semaphore.acquire = semaphore.__enter__ = acquire


def _hash_by_creation(owner: Any, undo: Undo) -> None:
    """Sets of threads and futures, which the library iterates over, keep one order in every execution."""
    original = owner.__init__

    @functools.wraps(original)
    def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
        self._rl_serial = undo.done()
        original(self, *args, **kwargs)

    owner.__init__ = initialise
    owner.__hash__ = lambda self: getattr(self, "_rl_serial", 0)
    owner.__eq__ = lambda self, other: self is other


def reset_threading(threading: Any) -> None:
    """Forget the threads of the last execution, and count names from the start again."""
    main = threading._main_thread
    threading._counter = itertools.count(1).__next__
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


def _fix_chance(control: Control) -> None:
    """The same random numbers in every execution."""
    made = Undo(control, lambda: None)
    system, shared = Streams(control), Streams(control)
    originals: list[Any] = []

    def urandom(size: int) -> bytes:
        return system.own().getrandbits(8 * size).to_bytes(size, "little") if size else b""

    def seed_shared() -> None:
        system.restart(SYSTEM_SEED)
        modules = sys.modules
        if "random" not in modules and "tempfile" not in modules and "uuid" not in modules:
            return
        random: Any = modules.get("random")
        if random is not None:
            _seed_in_order(random.Random, made)
            if not originals:
                originals.append(random._inst)
                draw_apart(random, shared)
            for generator in (*originals, random):
                generator.seed(0)
        _forget_names()

    os.urandom = urandom
    control.on_reset.append(seed_shared)


def _forget_names() -> None:
    """What the library keeps from one execution to the next where it makes up names."""
    tempfile: Any = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile._name_sequence = None
    uuid: Any = sys.modules.get("uuid")
    if uuid is not None:
        uuid._generate_time_safe = uuid._last_timestamp = None
        uuid._node = NODE


def _seed_in_order(generator: Any, made: Undo) -> None:
    """Generators that are made without a seed get 1, 2, 3, …, in every execution."""
    original = generator.seed
    if hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def seed(self: Any, a: Any = None, version: int = 2) -> None:
        original(self, made.done() if a is None else a, version)

    generator.seed = seed


def run_exit_handlers() -> None:
    """What the interpreter does first when a program ends: tell idle pool workers to stop."""
    threading: Any = sys.modules["threading"]
    for call in reversed(list(threading._threading_atexits)):
        try:
            call()
        except (Exception, Abort):
            continue
