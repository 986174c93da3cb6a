"""What calls return: instances of classes, what functions of the program return, what is known of those outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from racelint.knowledge.locks import LOCK_FACTORIES
from racelint.knowledge.returns import RETURNS, TAKING_METHODS
from racelint.knowledge.threads import SAME_OBJECT
from racelint.model.summary import ELEMENT, Call
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.objects.things import Bound, Instance, Member, Object, Thing

if TYPE_CHECKING:
    from racelint.program.objects.types import Types

MULTIPROCESSING = "multiprocessing."
_SELF_RETURNING = frozenset({"__enter__", "__aenter__", "copy"})


class Results:
    """Answers for calls, with what `types` says of paths."""

    def __init__(self, types: Types) -> None:
        self._types = types

    def of(self, call: Call, function: FunctionInfo) -> list[Thing]:
        """What a call may return."""
        found: list[Thing] = []
        for callee in self._types.of_value(call.func, function):
            found.extend(self._made_by(callee, call, function))
        return found

    def _made_by(self, callee: Thing, call: Call, function: FunctionInfo) -> list[Thing]:
        if type(callee) is ClassInfo:
            return [Instance(callee)]
        if type(callee) is Bound:
            return self._types.returned(callee.function)
        if type(callee) is External:
            return self._made_outside(callee.dotted, call, function)
        if type(callee) is Member:
            return self._made_by_member(callee, call, function)
        if type(callee) is Instance:
            method = callee.cls.method("__call__")
            return self._types.returned(method) if method is not None else []
        return []

    def _made_outside(self, dotted: str, call: Call, function: FunctionInfo) -> list[Thing]:
        if dotted in ("functools.partial", "functools.partialmethod") and call.args:
            skipped = sum(not argument.name for argument in call.args) - 1
            things = self._types.of_value(call.args[0].value, function)
            return [Bound(t.function, t.bound, t.skipped + skipped) if isinstance(t, Bound) else t for t in things]
        if dotted in ("dataclasses.field", "attr.ib", "attrs.field", "attr.attrib", "pydantic.Field", "field"):
            return self._made_by_factory(call, function)
        if dotted == "builtins.type" and len(call.args) == 1:
            things = self._types.of_value(call.args[0].value, function)
            return [thing.cls for thing in things if isinstance(thing, Instance)]
        if dotted == "builtins.super":
            return self._super(function)
        if dotted in ("copy.copy", "copy.deepcopy", "typing.cast", "weakref.proxy") and call.args:
            return list(self._types.of_value(call.args[-1].value, function))
        if dotted in ("builtins.sorted", "builtins.list") and call.args:
            return [Object("builtins.list")]
        if dotted in RETURNS:
            return [Object(RETURNS[dotted])]
        return [Object(SAME_OBJECT.get(dotted, dotted))]

    def _made_by_factory(self, call: Call, function: FunctionInfo) -> list[Thing]:
        found: list[Thing] = []
        for argument in call.args:
            if argument.name in ("default_factory", "factory"):
                for thing in self._types.of_value(argument.value, function):
                    found.extend(self._made_by(thing, call, function))
            elif argument.name == "default":
                found.extend(self._types.of_value(argument.value, function))
        return found

    def _super(self, function: FunctionInfo) -> list[Thing]:
        owner = function
        while owner.cls is None and owner.ir.parent in owner.module.functions:
            owner = owner.module.functions[owner.ir.parent]
        if owner.cls is None:
            return []
        return [Instance(base) for base in owner.cls.mro[1:2]]

    def _made_by_member(self, callee: Member, call: Call, function: FunctionInfo) -> list[Thing]:
        dotted = f"{callee.dotted}.{callee.name}"
        if dotted in RETURNS:
            return [Object(RETURNS[dotted])]
        if callee.dotted.startswith("multiprocessing.managers.") and f"threading.{callee.name}" in LOCK_FACTORIES:
            return [Object(MULTIPROCESSING + callee.name)]
        if callee.name in _SELF_RETURNING:
            return [Object(callee.dotted)]
        if callee.name in TAKING_METHODS:
            return self._taken(call, function)
        return []

    def _taken(self, call: Call, function: FunctionInfo) -> list[Thing]:
        found: list[Thing] = []
        for path in call.func[:2]:
            found.extend(self._types.of((*path[:-1], ELEMENT), function))
        for argument in call.args[1:2]:
            found.extend(self._types.of_value(argument.value, function))
        return found
