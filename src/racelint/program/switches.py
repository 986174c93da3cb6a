"""Parameters that switch something on or off, and the ways through functions that a call's choice rules out."""

from __future__ import annotations

from racelint.model.summary import Parameter, Value
from racelint.program.calls import CallSite
from racelint.program.index import FunctionInfo
from racelint.program.values import Stores
from racelint.program.ways import Given, Ways, truth_of

_SWITCHES: frozenset[Value] = frozenset({(("k:True",),), (("k:False",),)})
"""The defaults that make a parameter one."""


class Switches:
    """Answers for the functions of a program."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._ways: dict[str, Ways] = {}
        self._named: dict[str, tuple[Parameter, ...]] = {}
        """By function: its parameters that are switches."""

    def set_by(self, site: CallSite, known: Given) -> Given:
        """What a call sets the switches of its callee to, where the caller's own are set to what is `known`."""
        callee = site.callee
        named = self._named.get(callee.id)
        if named is None:
            named = self._named[callee.id] = tuple(param for param in callee.ir.params if param.default in _SWITCHES)
        found = set()
        for param in named:
            truth = self._passed(site, param.name, param.default, known)
            if truth is not None:
                found.add((param.name, truth))
        return frozenset(found)

    def _passed(self, site: CallSite, name: str, default: Value, known: Given) -> bool | None:
        value = site.bindings.get(name)
        if value is None:
            call = self.stores.facts[site.caller.id].call(site.event)
            spread = call is None or any(argument.name.startswith("*") for argument in call.args)
            return None if spread or site.weak else truth_of(default)
        if len(value) == 1 and len(value[0]) == 1 and value[0][0].startswith("p:"):
            return next((truth for own, truth in known if own == value[0][0][2:]), None)
        return truth_of(value)

    def rule_out(self, function: FunctionInfo, event: int, known: Given) -> bool:
        """Whether the event runs only where a switch is set otherwise."""
        if not known:
            return False
        if function.id not in self._ways:
            self._ways[function.id] = Ways(function, self.stores.facts[function.id])
        return any((name, not truth) in known for name, truth in self._ways[function.id].of(event).given)
