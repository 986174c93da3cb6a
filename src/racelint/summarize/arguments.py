"""What a call passes."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def arguments_of(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """What a call passes, in source order; the name is a keyword, `*` or `**`, else empty."""
    found = [("*", arg.value) if isinstance(arg, ast.Starred) else ("", arg) for arg in node.args]
    found += [(keyword.arg or "**", keyword.value) for keyword in node.keywords]
    if node.keywords and any(name == "*" for name, _ in found):
        found.sort(key=lambda pair: (pair[1].lineno, pair[1].col_offset))
    return iter(found)


def is_bracketed(keyword: ast.keyword) -> bool:
    """`args=(x)`: the brackets are the argument's, and not those of a tuple or generator."""
    value = keyword.value
    return (keyword.end_lineno, keyword.end_col_offset) > (value.end_lineno, value.end_col_offset)
