"""The conversion of a tree, one function a node type, each registered by its file."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import libcst as cst

from racelint.syntax.concrete.places import Places

Convert = Callable[["Converter", Any], Any]
Function = TypeVar("Function", bound=Convert)
Made = TypeVar("Made", bound=ast.AST)

_NODES: dict[type, Convert] = {}


def converts(*kinds: type) -> Callable[[Function], Function]:
    """Registers a function as the conversion of the node types `kinds`."""

    def register(function: Function) -> Function:
        _NODES.update(dict.fromkeys(kinds, function))
        return function

    return register


class Converter:
    """Converts the nodes of one module; `first` is the line of the file that the module's first line is."""

    def __init__(self, module: cst.Module, text: str, first: int = 1) -> None:
        self._places = Places(module, text, first)

    def one(self, node: cst.CSTNode) -> Any:
        """The node for any node that has exactly one. Raises KeyError for a kind that is not known."""
        return _NODES[type(node)](self, node)

    def maybe(self, node: cst.CSTNode | None) -> Any:
        return None if node is None else self.one(node)

    def many(self, nodes: Iterable[cst.CSTNode]) -> list[Any]:
        return [self.one(node) for node in nodes]

    def block(self, statements: Sequence[cst.CSTNode]) -> list[ast.stmt]:
        """The statements of a suite, several on a line told apart."""
        found: list[ast.stmt] = []
        for statement in statements:
            if isinstance(statement, (cst.SimpleStatementLine, cst.SimpleStatementSuite)):
                found.extend(self.many(statement.body))
            else:
                found.append(self.one(statement))
        return found

    def suite(self, node: cst.BaseSuite | cst.Else | cst.Finally | None) -> list[ast.stmt]:
        """What stands under a colon; nothing where there is no such part."""
        if node is None:
            return []
        if isinstance(node, (cst.Else, cst.Finally)):
            node = node.body
        return self.block([node] if isinstance(node, cst.SimpleStatementSuite) else node.body)

    def placed(self, made: Made, node: cst.CSTNode, last: ast.AST | None = None) -> Made:
        """`made`, standing where `node` does; `last` is its last part where it ends with that."""
        self._places.put(made, node, last)
        return made

    def target(self, node: cst.CSTNode) -> Any:
        """An assignment's target: its names are stored to, not loaded."""
        return _in_context(self.one(node), ast.Store())

    def after(self, made: Made, first: ast.AST, last: ast.AST) -> Made:
        """`made`, standing from where one node begins to where another ends."""
        self._places.span(made, first, last)
        return made


def _in_context(node: ast.AST, context: ast.expr_context) -> ast.AST:
    if isinstance(node, (ast.Tuple, ast.List)):
        for element in node.elts:
            _in_context(element, context)
    elif isinstance(node, ast.Starred):
        _in_context(node.value, context)
    if hasattr(node, "ctx"):
        node.ctx = context
    return node
