"""Ways to run real processes that rules ask for: spawned, through small pipes, seeing what managers give out."""

from __future__ import annotations

import contextlib
from typing import Any

from .access_log import CONTAINERS
from .snapshot import Snapshot, text_of

SMALL_PIPE = 4096
"""Bytes: the least that a pipe may hold, as where a user has many of them."""

GIVING = frozenset({"__getitem__", "__getattribute__", "get", "setdefault", "values", "items", "copy"})


class ProxyCopies:
    """The plain containers that proxies of a manager gave out in this process, and whether they were changed since."""

    def __init__(self) -> None:
        self._given: list[tuple[str, Any, str]] = []
        self._stored: set[int] = set()

    def forget(self) -> None:
        """A new process begins."""
        self._given.clear()
        self._stored.clear()

    def watch(self) -> None:
        """From now on."""
        from multiprocessing import managers

        proxy: Any = managers.BaseProxy
        original = proxy._callmethod

        def called(self: Any, name: str, args: Any = (), kwds: Any = None) -> Any:
            answer = original(self, name, args, kwds or {})
            watcher.note(type(self).__name__, name, args, answer)
            return answer

        watcher, proxy._callmethod = self, called

    def note(self, owner: str, name: str, args: Any, answer: Any) -> None:
        """A proxy was asked: its answer is a copy, what it was given is stored."""
        if name not in GIVING:
            self._stored.update(id(value) for value in args)
            return
        values = answer if name in ("values", "items") else [answer]
        for value in values:
            inner = value[1] if name == "items" else value
            if isinstance(inner, CONTAINERS) or hasattr(inner, "__dict__"):
                key = repr(args[0]) if args else name
                self._given.append((f"{owner.removesuffix('Proxy').lower()}[{key}]", inner, _text(inner)))

    def changed(self) -> list[tuple[str, str, str]]:
        """Container and key, what the manager has, and what became of the copy, for those never stored again."""
        left = [given for given in self._given if id(given[1]) not in self._stored]
        now = [(label, before, _text(value)) for label, value, before in left]
        return [(label, before, text) for label, before, text in now if text != before]


def _text(value: Any) -> str:
    return text_of(Snapshot().tree(value), 100)


def spawn_by_default() -> None:
    """Start new interpreters where the program does not say how, as macOS and Windows do."""
    from multiprocessing import context

    module: Any = context
    module._default_context._default_context = module._concrete_contexts["spawn"]


def shrink_pipes() -> None:
    """Give queues the smallest pipes that there are."""
    from multiprocessing import connection

    module: Any = connection
    original = module.Pipe

    def pipe(duplex: bool = True) -> Any:
        ends = original(duplex)
        with contextlib.suppress(ImportError, AttributeError, OSError):
            import fcntl

            fcntl.fcntl(ends[1].fileno(), fcntl.F_SETPIPE_SZ, SMALL_PIPE)
        return ends

    module.Pipe = pipe
