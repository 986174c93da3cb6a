"""Threads that the initialisation of an object waits for: they are over before others are given the object."""

from __future__ import annotations

from racelint.program.calling.calls import is_own
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.sharing.ownership import makes_self

_INITIALISING = frozenset({"setup", "set_up", "init", "initialize", "initialise"})
_MAX_CALLS = 3


class InitialThreads:
    """`async def init(self): await asyncio.to_thread(self.table.fill)`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[str, bool] = {}

    def precede_users(self, root: ThreadRoot) -> bool:
        """Whether the thread works on an object, or a part of it, whose initialisation starts it and waits for it."""
        if root.id not in self._known:
            starter, receiver = root.site_function, root.receiver
            of_object = starter is not None and receiver is not None and is_own(receiver[:1], starter)
            self._known[root.id] = (
                starter is not None and of_object and _is_awaited(root, starter) and self._initialises(starter)
            )
        return self._known[root.id]

    def _initialises(self, function: FunctionInfo, depth: int = 0) -> bool:
        """The constructor, a method named as a part of it, or one that nothing but these calls on its object."""
        if function.cls is None or depth > _MAX_CALLS:
            return False
        if makes_self(function) or function.ir.name.strip("_") in _INITIALISING:
            return True
        sites = [site for site in self.program.calls.incoming.get(function.id, ()) if not site.weak]
        return bool(sites) and all(
            site.receiver is not None
            and is_own(site.receiver, site.caller)
            and self._initialises(site.caller, depth + 1)
            for site in sites
        )


def _is_awaited(root: ThreadRoot, starter: FunctionInfo) -> bool:
    """Where it is started it is waited for."""
    awaited = root.site is not None and root.site.awaited and root.kind == "pool"
    return awaited or any(function is starter for function, _ in root.joins)
