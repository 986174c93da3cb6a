"""Source transformation for RL205: calls that do not return, as of a server that does not answer."""

from __future__ import annotations

import ast


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
