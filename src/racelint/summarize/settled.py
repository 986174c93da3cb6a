"""Names of a module that are True, or False, once and for all, so that one side of an `if` never runs."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator


def settled(module: ast.Module) -> dict[str, bool]:
    """Private names that the module's own code binds once, and nothing else in the module: nobody means to set them."""
    found: dict[str, bool] = {}
    for statement in module.body:
        target = _target(statement)
        if target.startswith("_") and isinstance(statement, (ast.Assign, ast.AnnAssign)):
            value = statement.value
            if isinstance(value, ast.Constant) and isinstance(value.value, bool):
                found[target] = value.value
    if not found:
        return found
    bound = Counter(_bound(module))
    return {name: value for name, value in found.items() if bound[name] == 1}


def _target(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return ""
    return target.id if isinstance(target, ast.Name) else ""


def _bound(module: ast.Module) -> Iterator[str]:
    """Every name that is bound anywhere, in whatever scope; a name twice where it is declared global."""
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
