"""A syntax tree that can be edited: nodes found by their spans, statements replaced or wrapped, the rest untouched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import libcst as cst

from racelint.model.summary import Span
from racelint.syntax.nodes import child_nodes
from racelint.syntax.parse import parse
from racelint.syntax.positions import Positions
from racelint.syntax.source import UnreadableSource

Node = TypeVar("Node", bound=cst.CSTNode)
Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
Block = cst.IndentedBlock | cst.Module
Scope = cst.FunctionDef | cst.Lambda | cst.ClassDef | cst.Module
Rebuild = Callable[[list[Statement]], Sequence[Statement]]


class Tree:
    """One file, parsed. Raises UnreadableSource, also where LibCST would not give back the very text it was given."""

    def __init__(self, source: bytes) -> None:
        self.module, text = parse(source)
        self.text = text.removeprefix("\ufeff")
        if self.module.code != self.text:
            raise UnreadableSource("cannot be rewritten: the parser does not keep every character")
        self._positions = Positions(self.module)
        self._parents: dict[int, cst.CSTNode] = {}
        self._by_span: dict[Span, list[cst.CSTNode]] = {}
        self._spans: dict[int, Span] = {}
        self._note(self.module)

    def _note(self, root: cst.CSTNode) -> None:
        pending = [root]
        while pending:
            node = pending.pop()
            span = self._positions.span(node)
            if span != (1, 1, 1, 1):
                self._by_span.setdefault(span, []).append(node)
            for child in child_nodes(node):
                self._parents[id(child)] = node
                pending.append(child)

    def node_at(self, span: Span) -> cst.CSTNode | None:
        """The outermost node that covers exactly `span`."""
        return next(iter(self._by_span.get(span, ())), None)

    def block_statement_from(self, span: Span) -> cst.BaseCompoundStatement | None:
        """The `try`, `with` or the like that begins where `span` does: the two readers differ on where it ends."""
        found = (node for own in self._by_span if own[:2] == span[:2] for node in self._by_span[own])
        return next((node for node in found if isinstance(node, cst.BaseCompoundStatement)), None)

    def expression_at(self, span: Span) -> cst.BaseExpression | None:
        """The outermost expression that covers exactly `span`."""
        found = (node for node in self._by_span.get(span, ()) if isinstance(node, cst.BaseExpression))
        return next(found, None)

    def at(self, span: Span, kind: type[Node]) -> Node | None:
        """The outermost node of a type that covers exactly `span`."""
        return next((node for node in self._by_span.get(span, ()) if isinstance(node, kind)), None)

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node stands: what its parts cover where it has no position of its own."""
        known = self._spans.get(id(node))
        if known is None:
            own = self._positions.span(node)
            parts = [own] if own != (1, 1, 1, 1) else [self.span(child) for child in child_nodes(node)]
            parts = [part for part in parts if part != (1, 1, 1, 1)]
            first = min((part[:2] for part in parts), default=(1, 1))
            last = max((part[2:] for part in parts), default=(1, 1))
            known = self._spans[id(node)] = (*first, *last)
        return known

    def parent(self, node: cst.CSTNode) -> cst.CSTNode:
        """The node that holds this one; the module for itself."""
        return self._parents.get(id(node), self.module)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """From the parent of a node out to the module."""
        while node is not self.module:
            node = self.parent(node)
            yield node

    def scope(self, node: cst.CSTNode) -> Scope:
        """The function, lambda, class or module whose code the node is; a function's own node is of what defines it."""
        return next(outer for outer in self.ancestors(node) if isinstance(outer, Scope))

    def statement(self, node: cst.CSTNode) -> Statement | None:
        """The innermost statement around a node that stands on lines of its own; None inside a lambda."""
        for current in (node, *self.ancestors(node)):
            if isinstance(current, cst.Lambda):
                return None
            if isinstance(current, Statement) and isinstance(self.parent(current), Block):
                return current
        return None

    def block(self, statement: Statement) -> Block:
        """The block that lists a statement."""
        found = self.parent(statement)
        assert isinstance(found, Block)
        return found

    def index(self, statement: Statement) -> int:
        """Where a statement stands in its block."""
        return next(i for i, entry in enumerate(self.block(statement).body) if entry is statement)

    def spelled(self, node: cst.CSTNode) -> str:
        """The source text of a node."""
        return self.module.code_for_node(node)


class Rewriting:
    """Changes of one tree, gathered first and made together, so that they compose."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._replacements: dict[int, Callable[[Any], cst.CSTNode]] = {}
        self._splices: dict[int, list[tuple[int, int, Rebuild]]] = {}
        self._touched: set[int] = set()

    def replace(self, node: cst.CSTNode, build: Callable[[Any], cst.CSTNode]) -> None:
        """Put what `build` makes of a node (its parts already changed) in its place."""
        before = self._replacements.get(id(node))
        self._replacements[id(node)] = (lambda updated: build(before(updated))) if before else build
        self._touch(node)

    def splice(self, block: Block, start: int, stop: int, build: Rebuild) -> None:
        """Put what `build` makes of the statements `start` to `stop` (exclusive; already changed) in their place."""
        self._splices.setdefault(id(block), []).append((start, stop, build))
        self._touch(block)

    def inserts_at(self, block: Block, place: int) -> bool:
        """Whether something comes before the statement at a place of a block."""
        return any(start == stop == place for start, stop, _ in self._splices.get(id(block), ()))

    def _touch(self, node: cst.CSTNode) -> None:
        self._touched.add(id(node))
        self._touched.update(id(outer) for outer in self.tree.ancestors(node))

    def code(self) -> str:
        """The text with all changes made."""
        changed = self.tree.module.visit(_Change(self._touched, self._replacements, self._splices))
        assert isinstance(changed, cst.Module)
        return changed.code


class _Change(cst.CSTTransformer):
    """Visits nothing but what is changed and what holds it."""

    def __init__(
        self,
        touched: set[int],
        replacements: dict[int, Callable[[Any], cst.CSTNode]],
        splices: dict[int, list[tuple[int, int, Rebuild]]],
    ) -> None:
        super().__init__()
        self._touched = touched
        self._replacements = replacements
        self._splices = splices

    def on_visit(self, node: cst.CSTNode) -> bool:
        return id(node) in self._touched

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        changed = updated_node
        splices = self._splices.get(id(original_node))
        if splices:
            body = list(changed.body)
            for start, stop, build in sorted(splices, key=lambda splice: splice[:2], reverse=True):
                body[start:stop] = build(body[start:stop])
            changed = changed.with_changes(body=body)
        build_one = self._replacements.get(id(original_node))
        return build_one(changed) if build_one is not None else changed
