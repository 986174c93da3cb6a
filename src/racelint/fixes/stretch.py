"""A stretch of statements of one block: the smallest that covers what must not be interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import libcst as cst

from racelint.fixes.statements import indent_of, wrapped
from racelint.model.summary import Span
from racelint.syntax.edits import Block, Rewriting, Statement, Tree



class Stretch(NamedTuple):
    """`block.body[start:stop]`."""

    block: Block
    start: int
    stop: int

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(self.block.body[self.start : self.stop])  # type: ignore[arg-type]

    def lines(self, tree: Tree) -> tuple[int, int]:
        """The first and the last line that its statements stand on."""
        spans = [tree.span(statement) for statement in self.statements]
        return min(span[0] for span in spans), max(span[2] for span in spans)

    def wrap(self, rewriting: Rewriting, header: cst.BaseExpression) -> None:
        """Put the statements under `with header:`."""
        rewriting.splice(
            self.block, self.start, self.stop, lambda body: [wrapped(header, body, indent_of(self.block))]
        )


def covering(tree: Tree, spans: Iterable[Span]) -> Stretch | None:
    """The smallest stretch that covers what stands at all of the spans.

    None where they are not of one function, or where some of it runs at another time than its statement.
    """
    chains = []
    for span in sorted(set(spans)):
        node = tree.at(span, cst.CSTNode)
        chain = _chain(tree, node) if node is not None else None
        if chain is None:
            return None
        chains.append(chain)
    shared: Stretch | None = None
    for level in zip(*chains, strict=False):
        blocks = {id(block) for block, _ in level}
        if len(blocks) != 1:
            break
        indexes = [index for _, index in level]
        shared = Stretch(level[0][0], min(indexes), max(indexes) + 1)
        if len(set(indexes)) != 1:
            break
    return shared


def _chain(tree: Tree, node: cst.CSTNode) -> list[tuple[Block, int]] | None:
    """The blocks of the function around a node and its places in them, from the function's own block inwards."""
    found: list[tuple[Block, int]] = []
    for current in (node, *tree.ancestors(node)):
        if isinstance(current, (cst.Lambda, cst.GeneratorExp)):
            return None
        if isinstance(current, Statement) and isinstance(tree.parent(current), Block):
            found.append((tree.block(current), tree.index(current)))
        if isinstance(current, (cst.FunctionDef, cst.ClassDef)) and current is not node:
            break
    if not found:
        return None
    # the function's own statement belongs to what defines it
    if isinstance(current, (cst.FunctionDef, cst.ClassDef)) and current is not node:
        found.pop()
    return found[::-1] or None


def merged(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """The stretches with those of one block that overlap made into one; one inside another's statements goes away."""
    by_block: dict[int, list[Stretch]] = {}
    for stretch in stretches:
        by_block.setdefault(id(stretch.block), []).append(stretch)
    for found in by_block.values():
        current: Stretch | None = None
        for stretch in sorted(found, key=lambda stretch: (stretch.start, stretch.stop)):
            if current is not None and stretch.start < current.stop:
                current = current._replace(stop=max(current.stop, stretch.stop))
                continue
            if current is not None:
                yield current
            current = stretch
        if current is not None:
            yield current


def outermost(tree: Tree, stretches: Iterable[Stretch]) -> list[Stretch]:
    """Merged stretches, without those that lie inside another."""
    found = list(merged(stretches))
    return [stretch for stretch in found if not any(_inside(tree, stretch, other) for other in found)]


def _inside(tree: Tree, inner: Stretch, outer: Stretch) -> bool:
    if inner is outer or inner.block is outer.block:
        return False
    holders = {id(node) for node in tree.ancestors(inner.block)}
    return any(id(statement) in holders for statement in outer.statements)
