"""Whole numbers that the linker may be able to work out: parties of a barrier, turns of a loop."""

from __future__ import annotations

import ast

from racelint.model.summary import LENGTH, Number
from racelint.summarize.body import Body

_OPERATORS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//"}
_PASSING = frozenset({"enumerate", "reversed", "list", "tuple", "sorted", "iter"})


def number_of(body: Body, node: ast.expr) -> Number:
    """The expression in postfix order; empty where it is not made of whole numbers and plain names."""
    if isinstance(node, ast.Constant):
        return (str(node.value),) if type(node.value) is int else ()
    if isinstance(node, ast.Name):
        return _named(body, node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in body.params:
        return (f"p:{node.value.id}/{node.attr}",)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = number_of(body, node.left), number_of(body, node.right)
        return (*left, *right, _OPERATORS[type(node.op)]) if left and right else ()
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1:
        return _length(body, node.args[0])
    return ()


def _length(body: Body, node: ast.expr) -> Number:
    """How many elements a parameter has."""
    name = _named(body, node.id) if isinstance(node, ast.Name) else ()
    return (LENGTH + name[0],) if len(name) == 1 and name[0].startswith("p:") else ()


def _named(body: Body, name: str) -> Number:
    owner = body.owner_of(name)
    known = body.environment.get(name) if owner is body.scope else None
    if known is not None:
        if len(known.value) == 1 and known.value[0][0].startswith("k:int:"):
            return (str(int(known.value[0][0][6:], 0)),)
        return ()
    if owner is not None and owner.kind == "module":
        return (f"g:{name}",)
    return (f"p:{name}",) if owner is body.scope and name in body.params else ()


def turns_of(body: Body, node: ast.expr) -> Number:
    """How often a `for` over the expression turns: a range, a display, a parameter, or a known wrapper of them."""
    if isinstance(node, ast.Name):
        return _length(body, node)
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        starred = any(isinstance(element, ast.Starred) for element in node.elts)
        return () if starred else (str(len(node.elts)),)
    if isinstance(node, ast.Dict):
        return () if None in node.keys else (str(len(node.keys)),)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return ()
    if any(isinstance(arg, ast.Starred) for arg in node.args) or any(keyword.arg is None for keyword in node.keywords):
        return ()
    if node.func.id == "range":
        return _range(body, node.args)
    return turns_of(body, node.args[0]) if node.func.id in _PASSING and node.args else ()


def _range(body: Body, arguments: list[ast.expr]) -> Number:
    ends = [number_of(body, argument) for argument in arguments]
    if not all(ends) or not ends:
        return ()
    if len(ends) == 1:
        return ends[0]
    if len(ends) == 2:
        return (*ends[1], *ends[0], "-")
    if all(len(end) == 1 and end[0].isdigit() for end in ends) and ends[2] != ("0",):
        return (str(len(range(*(int(end[0]) for end in ends)))),)
    return ()
