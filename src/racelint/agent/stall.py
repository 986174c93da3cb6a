"""Source transformation for RL205: calls that do not return, as of a server that does not answer."""

from __future__ import annotations

import ast
import builtins
import types
from collections import OrderedDict, deque
from typing import Any

COMPUTING = (list, dict, set, frozenset, tuple, str, bytes, bytearray, int, float, deque, OrderedDict)
WAITING = ("input", "open", "exec", "eval", "next", "breakpoint", "__import__")
"""Functions of the language that run other code, or ask what is outside."""


def stall(tree: ast.Module, function: str, call: str) -> None:
    """Make every call in `function` (a qualified name) whose callee is written `call` wait for ever, in place."""
    for node in _bodies(tree.body, function.split(".")):
        _Stalling(call).visit(node)


def _bodies(body: list[ast.stmt], names: list[str]) -> list[ast.stmt]:
    """The definitions that a qualified name means; there may be several under `if`."""
    found: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if statement.name == names[0]:
                inner = [name for name in names[1:] if name != "<locals>"]
                found += _bodies(statement.body, inner) if inner else [statement]
            continue
        for part in ("body", "orelse", "finalbody"):
            found += _bodies(getattr(statement, part, []), names)
    return found


class _Stalling(ast.NodeTransformer):
    def __init__(self, call: str) -> None:
        self._call = call

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if ast.unparse(node.func) != self._call:
            self.generic_visit(node)
            return node
        waits = ast.Call(ast.Name("_rl_h", ast.Load()), [node.func, ast.Constant(f"{self._call}(…)")], [])
        return ast.fix_missing_locations(ast.copy_location(waits, node))


def never_waits(callee: Any) -> bool:
    """Whether it is a built-in that only computes: a method of a list, a dict or a text, `len`, `int`."""
    if isinstance(callee, type):
        return callee.__module__ == "builtins"
    owner = getattr(callee, "__self__", None)
    if owner is builtins:
        return callee.__name__ not in WAITING
    return isinstance(callee, types.BuiltinMethodType) and isinstance(owner, COMPUTING)
