"""A `_thread` module over the controller, for private copies of the standard library's own `threading` and friends."""

from __future__ import annotations

import _thread as real
import contextlib
import types
from collections.abc import Callable
from typing import Any

from .control import Control
from .execution import TAKEN
from .tasks import BLOCKED, Abort

_control: Control


class Lock:
    """`_thread.lock` under control: blocks the controlled thread, never the OS thread."""

    __slots__ = ("__weakref__", "is_locked", "owner")

    def __init__(self) -> None:
        self.is_locked = False
        self.owner: Any = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if timeout != -1 or not blocking:
            timeout = _checked(blocking, timeout)
        if self.is_locked and (not blocking or timeout == 0 or not _control.block(self, timeout)):
            return _failed(self)
        _taken(self)
        return True

    def release(self) -> None:
        if not self.is_locked:
            if _control.aborting:
                return
            raise RuntimeError("release unlocked lock")
        _dropped(self)

    def locked(self) -> bool:
        return _asked(self.is_locked)

    def _at_fork_reinit(self) -> None:
        self.is_locked = False
        self.owner = None

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_details: object) -> None:
        self.release()


class RLock:
    """`_thread.RLock` under control."""

    __slots__ = ("__weakref__", "count", "is_locked", "owner")

    def __init__(self) -> None:
        self.is_locked = False
        self.owner: Any = None
        self.count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if timeout != -1 or not blocking:
            timeout = _checked(blocking, timeout)
        task = _control.current
        if self.is_locked and self.owner is task:
            self.count += 1
            return True
        if self.is_locked and (not blocking or timeout == 0 or not _control.block(self, timeout)):
            return _failed(self)
        _taken(self)
        self.count = 1
        return True

    def release(self) -> None:
        if self.owner is not _control.current or not self.is_locked:
            if _control.aborting:
                return
            raise RuntimeError("cannot release un-acquired lock")
        self.count -= 1
        if not self.count:
            _dropped(self)

    def locked(self) -> bool:
        return _asked(self.is_locked)

    def _is_owned(self) -> bool:
        return self.is_locked and self.owner is _control.current

    def _release_save(self) -> tuple[int, Any]:
        if not self.is_locked:
            raise RuntimeError("cannot release un-acquired lock")
        state = (self.count, self.owner)
        _dropped(self)
        self.count = 0
        return state

    def _acquire_restore(self, state: tuple[int, Any]) -> None:
        if self.is_locked:
            _control.block(self)
        _taken(self)
        self.count = state[0]

    def _recursion_count(self) -> int:
        return self.count if self._is_owned() else 0

    def _at_fork_reinit(self) -> None:
        self.is_locked = False
        self.owner = None
        self.count = 0

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_details: object) -> None:
        self.release()


def _taken(lock: Lock | RLock) -> None:
    control = _control
    task = control.current
    lock.is_locked = True
    lock.owner = task
    if type(lock) is not Sentinel:
        # Every thread has its own for as long as it runs: that guards nothing.
        task.held.append(lock)
    control.events.append((task.index, TAKEN, lock))
    if control.waiting:
        control.changed()


def _dropped(lock: Lock | RLock) -> None:
    lock.is_locked = False
    owner, lock.owner = lock.owner, None
    if owner is not None and lock in owner.held:
        owner.held.remove(lock)
    if _control.waiting:
        _control.changed()


def _failed(lock: Lock | RLock) -> bool:
    """A try that failed depends on a release that has not come.

    What a thread takes and then waits for itself is a signal, as of a Condition: it guards nothing.
    """
    if lock.owner is _control.current and lock in lock.owner.held:
        lock.owner.held.remove(lock)
    if lock.owner not in (None, _control.current) and type(lock) is not Sentinel:
        _control.refused = True
    _control.depend(_control.current)
    return False


def _asked(state: bool) -> bool:
    _control.depend(_control.current)
    return state


def _checked(blocking: bool, timeout: float | None) -> float:
    if timeout is None:
        raise TypeError("'NoneType' object cannot be interpreted as an integer or float")
    if not blocking and timeout != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0 and timeout != -1:
        raise ValueError("timeout value must be a non-negative number")
    return timeout


class ThreadHandle:
    """`_thread._ThreadHandle` (3.13 and later): joins a thread without a lock of its own."""

    def __init__(self) -> None:
        self.ident = 0
        self._task: Any = None
        self._ended = Lock()
        self._done = False

    def _begin(self, task: Any) -> None:
        self.ident = task.ident
        self._task = task
        self._ended.is_locked = True

    def _set_done(self) -> None:
        self._done = True
        self._ended.is_locked = False
        _control.changed()

    def is_done(self) -> bool:
        return self._done

    def join(self, timeout: float | None = None) -> None:
        if self._task is not None:
            self._task.joiner = _control.current
        if self._ended.is_locked and not self._done:
            _control.block(self._ended, -1 if timeout is None else max(timeout, 0))


def _label(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    name = getattr(owner, "name", None)
    return name if isinstance(name, str) else getattr(function, "__qualname__", "thread")


def _is_daemon(function: Any) -> bool:
    return bool(getattr(getattr(function, "__self__", None), "daemon", False))


def start_new_thread(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any = None) -> int:
    """As `_thread.start_new_thread`; the thread has no `Thread` object and does not keep a program alive."""
    if not callable(function):
        raise TypeError("first arg must be callable")
    if not isinstance(args, tuple):
        raise TypeError("2nd arg must be a tuple")
    threaded = getattr(function, "__name__", "") == "_bootstrap"
    daemon = _is_daemon(function) if threaded else True

    def body() -> None:
        if not threaded:
            _control.started()
        with contextlib.suppress(SystemExit):
            function(*args, **(kwargs or {}))

    task = _control.spawn(body, _label(function), daemon)
    return task.ident


def start_joinable_thread(
    function: Callable[[], Any], handle: ThreadHandle | None = None, daemon: bool = True
) -> ThreadHandle:
    """As `_thread.start_joinable_thread` of 3.13."""
    held = handle if handle is not None else ThreadHandle()
    task = _control.spawn(function, _label(function), daemon)
    held._begin(task)
    task.on_end = (*task.on_end, held._set_done)
    return held


class Sentinel(Lock):
    """Held by a thread for as long as it lives: who does not get it was refused nothing."""

    __slots__ = ("task",)

    def __init__(self) -> None:
        super().__init__()
        self.task = _control.current

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if blocking and self.task is not _control.current:
            self.task.joiner = _control.current
        return super().acquire(blocking, timeout)


def _set_sentinel() -> Lock:
    """A lock that is released when the running thread ends (3.10 to 3.12)."""
    lock = Sentinel()
    task = _control.current

    def ended() -> None:
        if lock.is_locked:
            lock.release()

    task.on_end = (*task.on_end, ended)
    return lock


def running() -> Any:
    """The controlled thread that runs."""
    return _control.current


def get_ident() -> int:
    return _control.current.ident


def _exit() -> None:
    raise SystemExit


def _make_thread_handle(ident: int) -> ThreadHandle:
    handle = ThreadHandle()
    handle.ident = ident
    return handle


def build(control: Control) -> types.ModuleType:
    """The fake `_thread` module; what it does not define is not there, so that Python fall-backs are used."""
    global _control
    from .fake_local import local

    _control = control
    module = types.ModuleType("_thread", "controlled by racelint")
    members: dict[str, Any] = {
        "LockType": Lock,
        "lock": Lock,
        "RLock": RLock,
        "_local": local,
        "allocate_lock": Lock,
        "allocate": Lock,
        "start_new_thread": start_new_thread,
        "start_new": start_new_thread,
        "start_joinable_thread": start_joinable_thread,
        "_ThreadHandle": ThreadHandle,
        "_make_thread_handle": _make_thread_handle,
        "_set_sentinel": _set_sentinel,
        "get_ident": get_ident,
        "get_native_id": get_ident,
        "_get_main_thread_ident": lambda: 1,
        "_is_main_interpreter": lambda: True,
        "daemon_threads_allowed": lambda: True,
        "_shutdown": lambda: None,
        "_count": lambda: sum(task.state != BLOCKED for task in _control.tasks),
        "exit": _exit,
        "exit_thread": _exit,
        "interrupt_main": lambda signum=2: None,
        "stack_size": lambda size=0: 0,
        "set_name": lambda name: None,
        "error": real.error,
        "TIMEOUT_MAX": real.TIMEOUT_MAX,
        "_ExceptHookArgs": real._ExceptHookArgs,
        "_excepthook": _quiet_excepthook,
    }
    for name, value in members.items():
        if hasattr(real, name):
            setattr(module, name, value)
    module._rl_control = control  # type: ignore[attr-defined]
    return module


def _quiet_excepthook(args: Any) -> None:
    """Keep the exception that ended a thread: it is part of the outcome."""
    if args.exc_type is SystemExit or (args.exc_type is not None and issubclass(args.exc_type, Abort)):
        return
    _control.current.error = args.exc_value


__all__ = ["Lock", "RLock", "ThreadHandle", "build"]
