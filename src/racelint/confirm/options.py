"""What a parameter may be beside its usual value: flags the other way, small bounds, what a body compares it with."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from racelint.confirm.outline import FunctionOutline, Parameter

BOUND = re.compile(
    r"(?:.*_)?(?:max|min|size|maxsize|limit|capacity|length|maxlen|bound|threshold|quota|slots|entries)(?:_.*)?"
)
"""Names of numbers that say how much fits in: with a small one it is full at once."""

SMALL_BOUND = "1"

MOST_COMPARED = 4
"""Values that a function compares a parameter with and that are tried for it."""

TEXTS = ("""'{"key": 1}'""", "'1'", "'http://localhost/key'")
"""Tried in turn for texts that the code takes apart: a document, a number, an address."""


def other_settings(parameter: Parameter, bodies: list[FunctionOutline]) -> tuple[str, ...]:
    """What a parameter that has a default may be set to instead; empty where nothing tells."""
    default = parameter.default
    if not isinstance(default, ast.Constant):
        return ()
    if isinstance(default.value, bool):
        return (str(not default.value),)
    is_flag = parameter.annotation is not None and "bool" in ast.unparse(parameter.annotation)
    if is_flag and default.value is None:
        return ("False", "True")
    if isinstance(default.value, int) and default.value > 1 and BOUND.fullmatch(parameter.name):
        return (SMALL_BOUND,)
    return tuple(text for text in compared_with(parameter.name, bodies) if text != ast.unparse(default))


def compared_with(name: str, bodies: list[FunctionOutline]) -> tuple[str, ...]:
    """The texts and numbers that the bodies compare a parameter with, as they are written, each once."""
    return tuple(dict.fromkeys(text for body in bodies for text in _compared_in(body).get(name, ())))


@lru_cache(maxsize=1024)
def _compared_in(body: FunctionOutline) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in ast.walk(body.node):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name):
            for operator, side in zip(node.ops, node.comparators, strict=True):
                if isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
                    found.setdefault(node.left.id, []).extend(_constants(side))
    return found


def _constants(side: ast.expr) -> list[str]:
    values = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
    return [ast.unparse(v) for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str | int | bytes)]
