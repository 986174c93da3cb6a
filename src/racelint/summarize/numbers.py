"""Whole numbers that the linker may be able to work out: parties of a barrier, turns of a loop."""

from __future__ import annotations

import libcst as cst

from racelint.model.summary import Number
from racelint.summarize.body import Body

_OPERATORS: dict[type, str] = {cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.FloorDivide: "//"}
_PASSING = frozenset({"enumerate", "reversed", "list", "tuple", "sorted", "iter"})


def number_of(body: Body, node: cst.BaseExpression) -> Number:
    """The expression in postfix order; empty where it is not made of whole numbers and plain names."""
    if isinstance(node, cst.Integer):
        return (str(node.evaluated_value),)
    if isinstance(node, cst.Name):
        return _named(body, node)
    if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value in body.params:
        return (f"p:{node.value.value}/{node.attr.value}",)
    if isinstance(node, cst.BinaryOperation) and type(node.operator) in _OPERATORS:
        left, right = number_of(body, node.left), number_of(body, node.right)
        return (*left, *right, _OPERATORS[type(node.operator)]) if left and right else ()
    return ()


def _named(body: Body, node: cst.Name) -> Number:
    owner = body.scope.owner_of(node.value)
    known = body.environment.get(node.value) if owner is body.scope else None
    if known is not None:
        if len(known.value) == 1 and known.value[0][0].startswith("k:int:"):
            return (str(int(known.value[0][0][6:], 0)),)
        return ()
    if owner is not None and owner.kind == "module":
        return (f"g:{node.value}",)
    return (f"p:{node.value}",) if owner is body.scope and node.value in body.params else ()


def turns_of(body: Body, node: cst.BaseExpression) -> Number:
    """How often a `for` over the expression turns: a range, a display, or a known wrapper of them."""
    if isinstance(node, (cst.Tuple, cst.List, cst.Set)):
        starred = any(isinstance(element, cst.StarredElement) for element in node.elements)
        return () if starred else (str(len(node.elements)),)
    if isinstance(node, cst.Dict):
        starred = any(isinstance(element, cst.StarredDictElement) for element in node.elements)
        return () if starred else (str(len(node.elements)),)
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Name) or any(arg.star for arg in node.args):
        return ()
    arguments = [argument.value for argument in node.args if argument.keyword is None]
    if node.func.value == "range":
        return _range(body, arguments)
    return turns_of(body, arguments[0]) if node.func.value in _PASSING and arguments else ()


def _range(body: Body, arguments: list[cst.BaseExpression]) -> Number:
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
