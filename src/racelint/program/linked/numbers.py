"""Whole numbers worked out over the program: what a name can only be."""

from __future__ import annotations

import operator

from racelint.model.summary import LENGTH, Number, Value
from racelint.program.flow.values import Stored, class_behind
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo, Variable

_MAX_DEPTH = 4


class Assumption:
    """Takes a number that only a caller or user knows to be `value`; whether it is but one, `unknown` tells."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.unknown: set[tuple[str, str]] = set()
        """The parameters asked about: function id and name."""

    def of(self, function: FunctionInfo, name: str) -> int:
        self.unknown.add((function.id, name))
        return self.value


_OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv}


def number(
    program: Program, postfix: Number, function: FunctionInfo, depth: int = 0, assumed: Assumption | None = None
) -> int | None:
    """The value of `postfix` in `function`; None where it is not certain."""
    stack: list[int] = []
    for token in postfix:
        if token.isdigit():
            stack.append(int(token))
        elif token in _OPERATIONS:
            right, left = stack.pop(), stack.pop()
            if token == "//" and right == 0:
                return None
            stack.append(_OPERATIONS[token](left, right))
        else:
            known = _named(program, token, function, depth, assumed)
            if known is None:
                return None
            stack.append(known)
    return stack[0] if len(stack) == 1 else None


def number_of_value(
    program: Program, value: Value, function: FunctionInfo, depth: int = 0, assumed: Assumption | None = None
) -> int | None:
    """The whole number that a value is: a literal, or a name that can only be one."""
    if len(value) != 1:
        return None
    root, *fields = value[0]
    if not fields and root.startswith("k:int:"):
        return int(root[6:], 0)
    if len(fields) <= 1 and root.startswith(("g:", "p:")):
        return _named(program, "/".join(value[0]), function, depth, assumed)
    return None


def _named(program: Program, token: str, function: FunctionInfo, depth: int, assumed: Assumption | None) -> int | None:
    if depth >= _MAX_DEPTH:
        return None
    if token.startswith(LENGTH):
        return assumed.of(function, token) if assumed is not None else None
    root, _, field = token.partition("/")
    entries: list[Stored] = []
    if root.startswith("g:") and not field:
        entity = program.index.name(function.module, root[2:])
        if isinstance(entity, Variable):
            entries = program.stores.variables.get((entity.module.name, entity.name), [])
    elif field:
        cls = class_behind(program.index, function, root)
        if cls is not None:
            owner = program.locations.owner_of(cls, field)
            entries = program.stores.attributes.get((owner, field), [])
    elif root.startswith("p:"):
        passed = program.types.arguments.get((function.id, root[2:]), [])
        entries = [Stored(value, caller, None) for value, caller in passed]
    values = {number_of_value(program, entry.value, entry.function, depth + 1, assumed) for entry in entries}
    if len(values) == 1 and None not in values:
        return values.pop()
    plain = root.startswith("p:") and not field and root[2:] != function.self_name
    return assumed.of(function, root[2:]) if assumed is not None and plain else None
