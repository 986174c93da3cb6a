"""Calls of parameters: what they run in one context is what the caller of that very context passed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from racelint.model.summary import Value
from racelint.program.calling.calls import CallGraph, CallSite
from racelint.program.flow.values import Stores
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Bound, Thing
from racelint.program.objects.types import Types

if TYPE_CHECKING:
    from racelint.program.threads.context import Context


class HandedCalls:
    """Answers for the calls of a program."""

    def __init__(self, stores: Stores, calls: CallGraph, types: Types) -> None:
        self.stores = stores
        self.calls = calls
        self.types = types

    def is_one(self, site: CallSite) -> bool:
        """Whether it is a call of a parameter, or of one of the function around it: the others always run."""
        return bool(self._parameter(site))

    def _parameter(self, site: CallSite) -> str:
        """What is called, `p:name` or `f:function:name`; empty where it is no parameter."""
        call = self.stores.facts[site.caller.id].call(site.event)
        if call is None or len(call.func) != 1 or len(call.func[0]) != 1:
            return ""
        return call.func[0][0] if call.func[0][0].startswith(("p:", "f:")) else ""

    def runs(self, context: Context, site: CallSite) -> bool:
        """Of a call that `is_one`: whether it runs what the caller of this very context passed, not another one."""
        parameter = self._parameter(site)
        if parameter.startswith("f:"):
            enclosed = self._enclosed(context, parameter)
            if enclosed:
                return any(isinstance(thing, Bound) and thing.function is site.callee for thing in enclosed)
            return sum(edge.event == site.event for edge in self.calls.outgoing[context.function.id]) <= 2
        if context.parent is None:
            return False
        name = parameter[2:]
        for edge in self.calls.outgoing[context.parent.function.id]:
            if edge.event == context.site and edge.callee is context.function:
                value = edge.bindings.get(name, ())
                if any(len(path) == 1 and path[0].startswith("p:") for path in value):
                    return True
                things = self.types.of_value(value, context.parent.function)
                return any(isinstance(thing, Bound) and thing.function is site.callee for thing in things)
        return False

    def _enclosed(self, context: Context, variable: str) -> tuple[Thing, ...]:
        """What a thread's function has for a parameter of the one around it: what that was called with to make it."""
        root = context.root
        if root is None or root.target is not context.function or root.site_function is None or root.site is None:
            return ()
        starter = root.site_function
        made = {path[0] for argument in root.site.args for path in argument.value if len(path) == 1}
        around, _, name = variable[2:].partition(":")
        found: list[Thing] = []
        for edge in self.calls.outgoing[starter.id]:
            same_module = edge.callee.module is context.function.module
            if f"c:{edge.event}" in made and same_module and edge.callee.qualname == around:
                found.extend(self._passed(edge.bindings.get(name, ()), starter))
        return tuple(found)

    def _passed(self, value: Value, function: FunctionInfo, depth: int = 0) -> Iterator[Thing]:
        """What a value may be; for a parameter, what the function's callers pass."""
        yield from self.types.of_value(value, function)
        for path in value:
            if len(path) == 1 and path[0].startswith("p:") and depth < 3:
                for site in self.calls.incoming.get(function.id, []):
                    yield from self._passed(site.bindings.get(path[0][2:], ()), site.caller, depth + 1)
