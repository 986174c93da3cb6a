"""The parts of LibCST's nodes that can hold code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import libcst as cst

_SKIPPED_FIELDS = frozenset(
    {"lpar", "rpar", "comma", "semicolon", "header", "footer", "leading_lines", "lines_after_decorators", "equal"}
    | {
        "operator",
        "colon",
        "dot",
        "asynchronous",
        "encoding",
        "default_indent",
        "default_newline",
        "star",
        "first_colon",
    }
    | {"second_colon", "lbracket", "rbracket", "lbrace", "rbrace", "has_trailing_newline", "start", "end", "arrow"}
)
_FIELDS: dict[type, tuple[str, ...]] = {}


def fields_that_matter(kind: type) -> tuple[str, ...]:
    """The field names of a node type that can hold code, in evaluation-independent source order."""
    found = _FIELDS.get(kind)
    if found is None:
        names = [f.name for f in fields(kind) if f.name not in _SKIPPED_FIELDS and "whitespace" not in f.name]
        found = _FIELDS[kind] = tuple(names)
    return found


def child_nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Children that can hold code; tokens, white space and comments are left out."""
    for name in fields_that_matter(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, (tuple, list)):
            for item in value:
                if isinstance(item, cst.CSTNode):
                    yield item


def nodes_within(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node and all that can hold code inside of it, in source order."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend([*child_nodes(current)][::-1])
