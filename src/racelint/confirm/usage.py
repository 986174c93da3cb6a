"""What a body does with a name: the attributes it takes from it, whether it calls, counts by or iterates it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from racelint.confirm.outline import FunctionNode, last_name

_Test = Callable[[ast.AST], bool]
KEPT = 4096
"""Names in bodies that are remembered: the scenarios of one finding ask for the same ones again and again."""

_NUMERIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)


@dataclass
class Usage:
    """Facts about one name inside one or more bodies."""

    attributes: set[str] = field(default_factory=set)
    called: bool = False
    counted: bool = False
    """It bounds a `range`: small is as good as large, and faster."""
    iterated: bool = False
    subscripted: bool = False
    arithmetic: bool = False
    entered: bool = False
    """It stands in a `with`."""
    stored_as: set[str] = field(default_factory=set)
    """Attributes of `self` that it is kept under."""
    types: set[str] = field(default_factory=set)
    """Second arguments of `isinstance` on it."""
    keys: set[str] = field(default_factory=set)
    """Texts that it is asked for as a mapping is."""


@lru_cache(maxsize=KEPT)
def usage_of(name: str, body: FunctionNode) -> Usage:
    """How `body` uses its parameter `name`."""
    usage = Usage()
    for node in ast.walk(body):
        _note(usage, node, lambda value: isinstance(value, ast.Name) and value.id == name)
    return usage


def usage_of_attribute(attribute: str, bodies: Iterable[FunctionNode]) -> Usage:
    """How method bodies use `self.<attribute>`."""
    usage = Usage()
    for body in bodies:
        usage = merged(usage, _of_attribute(attribute, body))
    return usage


@lru_cache(maxsize=KEPT)
def _of_attribute(attribute: str, body: FunctionNode) -> Usage:

    def is_it(value: ast.AST) -> bool:
        return (
            isinstance(value, ast.Attribute)
            and value.attr == attribute
            and isinstance(value.value, ast.Name)
            and value.value.id == "self"
        )

    usage = Usage()
    for node in ast.walk(body):
        _note(usage, node, is_it)
    return usage


def merged(first: Usage, second: Usage) -> Usage:
    """The facts of both."""
    return Usage(
        first.attributes | second.attributes,
        first.called or second.called,
        first.counted or second.counted,
        first.iterated or second.iterated,
        first.subscripted or second.subscripted,
        first.arithmetic or second.arithmetic,
        first.entered or second.entered,
        first.stored_as | second.stored_as,
        first.types | second.types,
        first.keys | second.keys,
    )


def _note(usage: Usage, node: ast.AST, is_it: _Test) -> None:
    if isinstance(node, ast.Attribute) and is_it(node.value):
        usage.attributes.add(node.attr)
    elif isinstance(node, ast.Call):
        _note_call(usage, node, is_it)
    elif isinstance(node, ast.Subscript) and is_it(node.value):
        usage.subscripted = True
        usage.keys |= _texts(node.slice)
    elif isinstance(node, ast.For | ast.comprehension) and is_it(node.iter):
        usage.iterated = True
    elif isinstance(node, ast.BinOp) and isinstance(node.op, _NUMERIC):
        usage.arithmetic |= (is_it(node.left) or is_it(node.right)) and not _textual(node)
    elif isinstance(node, ast.AugAssign):
        usage.arithmetic |= is_it(node.value) and not isinstance(node.value, ast.List)
    elif isinstance(node, ast.Compare):
        _note_comparison(usage, node, is_it)
    elif isinstance(node, ast.withitem) and is_it(node.context_expr):
        usage.entered = True
    elif isinstance(node, ast.Assign) and is_it(node.value):
        for target in node.targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                usage.stored_as.add(target.attr)


def _note_call(usage: Usage, node: ast.Call, is_it: _Test) -> None:
    usage.called |= is_it(node.func)
    name = last_name(node.func)
    if isinstance(node.func, ast.Attribute) and is_it(node.func.value) and node.func.attr in ("get", "pop"):
        usage.keys |= _texts(*node.args[:1])
    if not any(is_it(argument) for argument in node.args):
        return
    if name == "range":
        usage.counted = True
    elif name in ("list", "tuple", "set", "sorted", "sum", "enumerate", "iter", "len", "map", "zip", "max", "min"):
        usage.iterated = True
    elif name == "isinstance" and len(node.args) == 2 and last_name(node.args[1]):
        usage.types.add(last_name(node.args[1]))
    elif name == "sleep":
        usage.arithmetic = True


def _note_comparison(usage: Usage, node: ast.Compare, is_it: _Test) -> None:
    ordered = any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
    sides = [node.left, *node.comparators]
    if ordered and any(is_it(side) for side in sides):
        usage.arithmetic = True
    for op, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.In | ast.NotIn) and is_it(right):
            usage.iterated = True
            usage.keys |= _texts(node.left)


def _texts(*nodes: ast.expr) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _textual(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(s, ast.JoinedStr) or (isinstance(s, ast.Constant) and isinstance(s.value, str)) for s in sides
    )
