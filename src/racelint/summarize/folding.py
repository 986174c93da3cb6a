"""Calls that walk what they are given and run Python code for each element: threads may switch in between.

`list(items)` and `sum(numbers)` walk a container in one step; `max(items, key=...)` and
`any(map(check, items))` do not.
"""

from __future__ import annotations

import ast
import builtins

_WALKERS = frozenset({"all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple"})
_COPYING_FIRST = frozenset({"sorted"})
"""These have all elements before they ask for the first key."""


def folded(call: ast.Call) -> ast.expr | None:
    """What the call walks with Python code for each element; None where it does no such thing."""
    func, args = call.func, call.args
    name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
    if any(isinstance(argument, ast.Starred) for argument in args):
        return None
    if name == "reduce":
        return args[1] if len(args) > 1 and _is_of_python(args[0]) else None
    if len(args) != 1 or (name not in _WALKERS if isinstance(func, ast.Name) else name != "join"):
        return None
    keys = [keyword.value for keyword in call.keywords if keyword.arg == "key"]
    if name not in _COPYING_FIRST and any(map(_is_of_python, keys)):
        return args[0]
    inner = args[0]
    lazy = isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in ("map", "filter")
    if lazy and isinstance(inner, ast.Call) and len(inner.args) == 2 and _is_of_python(inner.args[0]):
        return inner.args[1]
    return None


def _is_of_python(function: ast.expr) -> bool:
    """Not a builtin, nor what makes one: a lambda, or a name that may be a Python function."""
    if isinstance(function, ast.Lambda):
        return True
    return isinstance(function, ast.Name) and not hasattr(builtins, function.id)
