"""Calls of objects that nothing is known of which wait by the words that they are written with."""

from __future__ import annotations

from functools import cached_property

from racelint.model.summary import Call, Path
from racelint.program.linked.condition_uses import NOTIFIES
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo

_TEXT = ("k:str:", "k:bytes:")
_ASYNCHRONOUS = "_async"


class UnknownWaits:
    """Answers for calls without arguments."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def has(self, call: Call, path: Path, function: FunctionInfo) -> bool:
        """`thread.join()`, `future.result()`, `self.server.wait()`, `client.get_async(key).get()`."""
        method, receiver = path[-1], path[:-1]
        if call.args:
            return False
        if method == "join":
            return not path[0].startswith(_TEXT)
        if method == "result":
            return "future" in path[-2].lower() and not (path[0].startswith("p:") and len(path) == 2)
        if method == "wait":
            return not call.used and len(receiver) > 1 and not self._may_be_condition(receiver)
        return method == "get" and self._is_started(receiver, function)

    def _may_be_condition(self, path: Path) -> bool:
        """A condition gives back a lock while it waits."""
        return path[-1] in self._notified or "cond" in path[-1].lower()

    @cached_property
    def _notified(self) -> frozenset[str]:
        """Attributes of which some function notifies what they hold."""
        return frozenset(
            path[-2]
            for facts in self.program.stores.facts.values()
            for call in facts.calls
            for path in call.func[:1]
            if len(path) > 2 and path[-1] in NOTIFIES
        )

    def _is_started(self, path: Path, function: FunctionInfo) -> bool:
        """The result of `start_async(…)`: what was started, under a name that says that it goes on by itself."""
        if len(path) != 1:
            return False
        call = self.program.stores.facts[function.id].made_by(path)
        if call is not None:
            return bool(call.func) and call.func[0][-1].endswith(_ASYNCHRONOUS) and len(call.func[0]) > 1
        if not path[0].startswith("p:"):
            return False
        given = self.program.types.arguments.get((function.id, path[0][2:]), [])
        return any(
            value and value[0][0].startswith("c:") and self._is_started(value[0], caller) for value, caller in given
        )
