"""Which function lowers which node type: the table that the files of expressions fill."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeVar

from racelint.summarize.body import Body
from racelint.summarize.environment import NOTHING, Operand, deps_of

_Lowering = TypeVar("_Lowering", bound=Callable[..., Operand])
_TABLE: dict[type[ast.AST], Callable[[Body, Any], Operand]] = {}


def lowers(*types: type[ast.AST]) -> Callable[[_Lowering], _Lowering]:
    """The decorated function lowers nodes of these types."""

    def enter(function: _Lowering) -> _Lowering:
        _TABLE.update(dict.fromkeys(types, function))
        return function

    return enter


def lower(body: Body, node: ast.AST) -> Operand:
    """Append the events of an expression; returns what it denotes."""
    handler = _TABLE.get(type(node))
    if handler is not None:
        return handler(body, node)
    operands = [lower(body, child) for child in ast.iter_child_nodes(node)]
    return Operand((), deps_of(*operands)) if operands else NOTHING
