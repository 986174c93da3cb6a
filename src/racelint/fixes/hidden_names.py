"""Names of a module that a function has for something of its own."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.expressions import parameter_names
from racelint.syntax.edits import Tree
from racelint.syntax.nodes import nodes_within


def is_hidden(tree: Tree, place: cst.CSTNode, name: str) -> bool:
    """Whether `name` denotes something else at a place than at the module's level: a parameter or a local variable, or
    what the function imports only later."""
    line = tree.span(place)[0]
    functions = [outer for outer in (place, *tree.ancestors(place)) if isinstance(outer, cst.FunctionDef)]
    return any(name in parameter_names(one.params) or any(_binds(tree, one, name, line)) for one in functions)


def _binds(tree: Tree, function: cst.FunctionDef, name: str, line: int) -> Iterator[bool]:
    """Whether each of the function's own nodes binds the name, for an import: behind the line."""
    for node in nodes_within(function.body):
        if isinstance(node, cst.ImportAlias):
            bound = node.asname.name if node.asname is not None else node.name
            yield tree.spelled(bound).partition(".")[0] == name and tree.span(node)[0] > line
        elif isinstance(node, cst.Name) and node.value == name:
            holder = tree.parent(node)
            stored = isinstance(holder, cst.AssignTarget) or getattr(holder, "target", None) is node
            yield stored and tree.scope(node) is function
