"""Whether an event can raise: what decides if a lock can be left held by an exception."""

from __future__ import annotations

from racelint.knowledge.containers import CONTAINERS
from racelint.knowledge.locks import LOCK_FACTORIES
from racelint.knowledge.raising import NEVER_RAISES, NEVER_RAISING_METHODS
from racelint.model.summary import ELEMENT, Access, Call
from racelint.program.calls import CallGraph
from racelint.program.index import External, FunctionInfo
from racelint.program.types import Member, Types


class Raising:
    """Plain attribute loads and stores and arithmetic do not count; calls and subscripts do."""

    def __init__(self, types: Types, calls: CallGraph) -> None:
        self.types = types
        self.calls = calls

    @staticmethod
    def access(access: Access) -> bool:
        if access.kind == "delete":
            return True
        return access.path[-1] == ELEMENT and access.kind == "read"

    def call(self, call: Call, function: FunctionInfo) -> bool:
        """Whether a call may raise."""
        things = self.types.of_value(call.func, function)
        if not things:
            return True
        return not all(self._never(thing) for thing in things)

    @staticmethod
    def _never(thing: object) -> bool:
        if isinstance(thing, External):
            return thing.dotted in NEVER_RAISES
        if isinstance(thing, Member) and thing.name in NEVER_RAISING_METHODS:
            known = thing.dotted in CONTAINERS or thing.dotted in LOCK_FACTORIES
            return known or thing.dotted in ("threading.Event", "threading.Thread")
        return False
