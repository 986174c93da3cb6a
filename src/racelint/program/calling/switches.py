"""Parameters that switch something on or off, and the ways through functions that a call's choice rules out."""

from __future__ import annotations

from racelint.model.summary import Value
from racelint.program.calling.calls import CallSite
from racelint.program.flow.values import Stores
from racelint.program.flow.ways import Given, Ways, keywords, truth_of
from racelint.program.names.index import FunctionInfo

_SWITCHES: frozenset[Value] = frozenset({(("k:True",),), (("k:False",),)})
"""The defaults that make a parameter one."""


class Switches:
    """Answers for the functions of a program."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._ways: dict[str, Ways] = {}
        self._named: dict[str, tuple[tuple[str, Value], ...]] = {}
        """By function: its switches with their defaults, those that it takes from `**kwargs` included."""

    def set_by(self, site: CallSite, known: Given) -> Given:
        """What a call sets the switches of its callee to, where the caller's own are set to what is `known`."""
        found = set()
        for name, default in self._switches_of(site.callee):
            truth = self._passed(site, name, default, known)
            if truth is not None:
                found.add((name, truth))
        return frozenset(found)

    def has_any(self, function: FunctionInfo) -> bool:
        """Whether a call may set any switch of the function."""
        return bool(self._switches_of(function))

    def _switches_of(self, function: FunctionInfo) -> tuple[tuple[str, Value], ...]:
        named = self._named.get(function.id)
        if named is None:
            all_named = [(param.name, param.default) for param in function.ir.params]
            all_named += [(taken.name, taken.default) for taken in keywords(function, self.stores.facts[function.id])]
            named = self._named[function.id] = tuple(each for each in all_named if each[1] in _SWITCHES)
        return named

    def _passed(self, site: CallSite, name: str, default: Value, known: Given) -> bool | None:
        call = self.stores.facts[site.caller.id].call(site.event)
        value = site.bindings.get(name)
        if value is None and call is not None:
            value = next((argument.value for argument in call.args if argument.name == name), None)
        if value is None:
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
