"""What the nodes of Python's tree hold, without what can hold no name: `ast.iter_child_nodes` takes thrice the time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

_WITHOUT_NAMES = frozenset({"ctx", "op", "ops", "type_comment", "conversion", "simple", "is_async"})
"""Fields that say how a node is used."""


def node_types(kind: type[ast.AST] = ast.AST) -> Iterator[type[ast.AST]]:
    """All types of nodes that this Python has."""
    for derived in kind.__subclasses__():
        yield derived
        yield from node_types(derived)


_FIELDS = {kind: tuple(name for name in kind._fields if name not in _WITHOUT_NAMES) for kind in node_types()}


def parts_of(node: ast.AST) -> list[Any]:
    """The nodes inside of a node, in the order of its fields, with the strings, numbers and gaps among them."""
    found = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if type(value) is list:
            found += value
        else:
            found.append(value)
    return found
