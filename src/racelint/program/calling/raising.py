"""Whether an event can raise: what decides if a lock can be left held by an exception."""

from __future__ import annotations

from racelint.knowledge.containers import CONTAINERS
from racelint.knowledge.locks import LOCK_FACTORIES
from racelint.knowledge.raising import (
    COMPLETE_CONTAINERS,
    HARMLESS_METHODS,
    LOGGING_METHODS,
    NEVER_RAISES,
    NEVER_RAISING_METHODS,
    SEQUENCES,
)
from racelint.model.summary import ELEMENT, Access, Call, Operation, Raise, Suspend
from racelint.program.calling.calls import CallGraph
from racelint.program.calling.found_keys import found_keys
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.objects.things import Bound, Constant, Member, Object
from racelint.program.objects.types import Types


class Raising:
    """Plain attribute loads and stores and arithmetic do not count; calls and subscripts do."""

    def __init__(self, types: Types, calls: CallGraph) -> None:
        self.types = types
        self.calls = calls
        self._functions: dict[str, bool] = {}
        self._found: dict[str, frozenset[int]] = {}

    def access(self, access: Access, function: FunctionInfo) -> bool:
        """Whether an access may raise: to delete or read what may be missing, or to write an element of a sequence."""
        if access.kind in ("read", "delete") and access.key and access.id in self._found_in(function):
            return False
        if access.kind == "delete":
            return True
        if access.path[-1] != ELEMENT or access.path[0].startswith("v:"):
            return False
        if access.kind == "write":
            things = [t for t in self.types.of(access.path[:-1], function) if not isinstance(t, Constant)]
            return bool(things) and all(isinstance(t, Object) and t.dotted in SEQUENCES for t in things)
        return access.kind == "read" and not self._has_all(access, function)

    def _found_in(self, function: FunctionInfo) -> frozenset[int]:
        known = self._found.get(function.id)
        if known is None:
            known = self._found[function.id] = found_keys(function.ir.body)
        return known

    def _has_all(self, access: Access, function: FunctionInfo) -> bool:
        """Of a container that has a value for every key."""
        things = self.types.of(access.path[:-1], function)
        return bool(things) and all(isinstance(t, Object) and t.dotted in COMPLETE_CONTAINERS for t in things)

    def call(self, call: Call, function: FunctionInfo) -> bool:
        """Whether a call may raise."""
        things = self.types.of_value(call.func, function)
        if not things:
            return not any(len(path) > 1 and path[-1] in HARMLESS_METHODS for path in call.func)
        return not all(self._never(thing, call, function) for thing in things)

    def _never(self, thing: object, call: Call, function: FunctionInfo) -> bool:
        if type(thing) is External:
            logs = thing.dotted.startswith("logging.") and thing.dotted[8:] in LOGGING_METHODS
            return logs or thing.dotted in NEVER_RAISES or (thing.dotted == "time.sleep" and _all_constant(call))
        if type(thing) is Member and thing.dotted == "logging.Logger" and thing.name in LOGGING_METHODS:
            return True
        if type(thing) is Member and thing.name in NEVER_RAISING_METHODS:
            known = thing.dotted in CONTAINERS or thing.dotted in LOCK_FACTORIES
            return known or thing.dotted in ("threading.Event", "threading.Thread")
        if isinstance(thing, (Bound, ClassInfo)):
            sites = [site for site in self.calls.outgoing[function.id] if site.event == call.id]
            if type(thing) is ClassInfo and thing.all_external_bases():
                return False
            return (bool(sites) or type(thing) is ClassInfo) and not any(self.runs(site.callee) for site in sites)
        return False

    def runs(self, function: FunctionInfo) -> bool:
        """Whether a run of the function's body may raise; recursion is taken to."""
        known = self._functions.get(function.id)
        if known is None:
            self._functions[function.id] = True
            known = self._functions[function.id] = (
                function.ir.is_async
                or bool(function.ir.decorators)
                or any(self._raises(node, function) for node in self.calls.stores.facts[function.id].nodes)
            )
        return known

    def _raises(self, node: object, function: FunctionInfo) -> bool:
        if type(node) is Access:
            return self.access(node, function)
        if type(node) is Call:
            return self.call(node, function)
        return isinstance(node, (Raise, Suspend, Operation))


def _all_constant(call: Call) -> bool:
    return all(path[0].startswith("k:") for argument in call.args for path in argument.value or (("l:?",),))
