"""A stretch of statements of one block: the smallest that covers what must not be interrupted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import libcst as cst

from racelint.fixes.expressions import is_loud
from racelint.fixes.kept_comments import freed
from racelint.fixes.statements import alone, indent_of, wrapped
from racelint.model.summary import Span
from racelint.syntax.edits import Block, Rewriting, Statement, Tree
from racelint.syntax.nodes import child_nodes, nodes_within

_USING_UP = frozenset({"all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple"})


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
        return min(span[0] for span in spans), max(span[2] - (span[3] == 1) for span in spans)

    def covers(self, other: Stretch) -> bool:
        """Whether another stretch of the same block lies within it."""
        return self.block is other.block and self.start <= other.start and other.stop <= self.stop

    def claims(self, tree: Tree) -> frozenset[str]:
        """What a block around it takes up: its lines, and that of the statement behind it. Two that stand side by side
        are made in turns, so that the second goes into the block of the first."""
        reached = self.block.body[self.start : self.stop + 1]
        return frozenset(f"line {tree.span(statement)[0]}" for statement in reached)

    def around_loop(self, tree: Tree) -> Stretch:
        """The whole loop of whose body it is a part; itself where it is none."""
        loop = tree.parent(self.block)
        if not isinstance(loop, (cst.For, cst.While)) or self.block is not loop.body:
            return self
        place = tree.index(loop)
        return Stretch(tree.block(loop), place, place + 1)

    def with_neighbours(self, tree: Tree, header: str) -> Stretch:
        """With the `with header:` statements right before it and behind it."""
        body, start, stop = self
        while start > 0 and _is_plainly_on(body.body[start - 1], tree, header):
            start -= 1
        while stop < len(body.body) and _is_plainly_on(body.body[stop], tree, header):
            stop += 1
        return Stretch(body, start, stop)

    def with_readings(self, tree: Tree, names: Collection[str]) -> Stretch:
        """With the line before it that keeps what a variable held, and those behind it that look at it or give it away:
        `own = self.next`, `self.next += 1`, `if self.next > 9: self.next = 0`, `return self.next`."""
        body, start, stop = self
        if not any(_steps(node, tree, names) for entry in self.statements for node in nodes_within(entry)):
            return self
        if start > 0 and _hands_on(body.body[start - 1], tree, names, (cst.Assign,)):
            start -= 1
        while stop < len(body.body) and _looks_at(body.body[stop], tree, names):
            stop += 1
        return Stretch(body, start, stop)

    def is_turn_of_one_line(self, tree: Tree, spans: Collection[Span]) -> bool:
        """Whether it is a loop whose body stands on the line of its head, and all of `spans` are in that body."""
        loop = self.statements[0] if len(self.statements) == 1 else None
        if not isinstance(loop, (cst.For, cst.While)) or not isinstance(loop.body, cst.SimpleStatementSuite):
            return False
        return all(tree.span(loop.body)[:2] <= span[:2] for span in spans)

    def loops(self) -> list[cst.While]:
        """The `while` loops inside."""
        return [node for node in self._within() if isinstance(node, cst.While)]

    def blocks_on(self, tree: Tree, header: str) -> list[cst.With]:
        """The `with header:` statements inside, those of functions that are defined there left out."""
        return [n for n in self._within() if isinstance(n, cst.With) and _is_plainly_on(n, tree, header)]

    def _within(self) -> Iterator[cst.CSTNode]:
        pending: list[cst.CSTNode] = list(self.statements)
        while pending:
            node = pending.pop()
            if not isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
                yield node
                pending.extend(child_nodes(node))

    def wrap(self, rewriting: Rewriting, header: str, *, asynchronous: bool = False) -> None:
        """Put the statements under `with header:`, which those inside that say the same no longer do."""
        inner = self.blocks_on(rewriting.tree, header)
        places = {rewriting.tree.index(node) for node in inner if rewriting.tree.block(node) is self.block}
        for node in inner:
            if rewriting.tree.block(node) is not self.block:
                place = rewriting.tree.index(node)
                rewriting.splice(rewriting.tree.block(node), place, place + 1, lambda found: _opened(found[0]))

        def build(body: list[Statement]) -> list[Statement]:
            flat: list[Statement] = []
            for place, entry in enumerate(body, self.start):
                flat.extend(_opened(entry) if place in places else [entry])
            expression = cst.parse_expression(header)
            return [wrapped(expression, flat, indent_of(self.block), asynchronous=asynchronous)]

        rewriting.splice(self.block, self.start, self.stop, build)


def _steps(node: cst.CSTNode, tree: Tree, names: Collection[str]) -> bool:
    """`self.next += 1`, `self.next = (self.next + 1) % 10`."""
    if not isinstance(node, cst.Assign) or len(node.targets) != 1:
        return isinstance(node, cst.AugAssign)
    return tree.spelled(node.targets[0].target) in names and _mentions(node.value, tree, names)


def _looks_at(entry: cst.CSTNode, tree: Tree, names: Collection[str]) -> bool:
    """Whether a statement passes on one of the variables, or decides by it on something as quiet."""
    if isinstance(entry, cst.If):
        return not is_loud(entry) and _mentions(entry.test, tree, names)
    return _hands_on(entry, tree, names, (cst.Assign, cst.Return))


def _mentions(node: cst.CSTNode, tree: Tree, names: Collection[str]) -> bool:
    return any(isinstance(n, (cst.Name, cst.Attribute)) and tree.spelled(n) in names for n in nodes_within(node))


def _hands_on(
    entry: cst.CSTNode, tree: Tree, names: Collection[str], kinds: tuple[type[cst.BaseSmallStatement], ...]
) -> bool:
    """Whether a line of one of the kinds does no more than pass on one of the variables."""
    small = alone(entry)
    value = small.value if isinstance(small, (cst.Assign, cst.Return)) and isinstance(small, kinds) else None
    return value is not None and not is_loud(value) and _mentions(value, tree, names)


def _is_plainly_on(node: cst.CSTNode, tree: Tree, header: str) -> bool:
    """`with header:` and nothing else, on lines of its own."""
    if not isinstance(node, cst.With):
        return False
    alone = len(node.items) == 1 and node.items[0].asname is None and isinstance(node.body, cst.IndentedBlock)
    return alone and tree.spelled(node.items[0].item) == header


def _opened(node: Statement) -> list[Statement]:
    """What a `with` block holds, the comments above it kept."""
    assert isinstance(node, cst.With)
    first, *rest = freed(node.body)
    above = (*node.leading_lines, *first.leading_lines)
    return [first.with_changes(leading_lines=above), *rest]


def covering(tree: Tree, spans: Iterable[Span]) -> Stretch | None:
    """The smallest stretch that covers what stands at all of the spans.

    None where they are not of one function, or where some of it runs at another time than its statement.
    """
    chains = []
    for span in sorted(set(spans)):
        node = tree.node_at(span) or tree.block_statement_from(span)
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
        if isinstance(current, cst.Lambda):
            return None
        if isinstance(current, cst.GeneratorExp) and not _is_used_up(tree, current):
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


def _is_used_up(tree: Tree, generator: cst.GeneratorExp) -> bool:
    """Whether it is the only argument of a call that goes through it at once, as `any(…)` does."""
    call = tree.parent(tree.parent(generator))
    if not isinstance(call, cst.Call) or len(call.args) != 1 or call.args[0].value is not generator:
        return False
    return tree.spelled(call.func) in _USING_UP


def merged(stretches: Iterable[Stretch], *, touching: bool = False) -> Iterator[Stretch]:
    """The stretches with those of one block that overlap (or are `touching`) made into one, in the blocks' order."""
    by_block: dict[int, list[Stretch]] = {}
    for stretch in stretches:
        by_block.setdefault(id(stretch.block), []).append(stretch)
    for found in by_block.values():
        current: Stretch | None = None
        for stretch in sorted(found, key=lambda stretch: (stretch.start, stretch.stop)):
            if current is not None and stretch.start < current.stop + touching:
                current = current._replace(stop=max(current.stop, stretch.stop))
                continue
            if current is not None:
                yield current
            current = stretch
        if current is not None:
            yield current


def outermost(tree: Tree, stretches: Iterable[Stretch], *, touching: bool = False) -> list[Stretch]:
    """Merged stretches, without those that lie inside another."""
    found = list(merged(stretches, touching=touching))
    return [stretch for stretch in found if not any(_inside(tree, stretch, other) for other in found)]


def _inside(tree: Tree, inner: Stretch, outer: Stretch) -> bool:
    if inner is outer or inner.block is outer.block:
        return False
    holders = {id(node) for node in tree.ancestors(inner.block)}
    same = tree.scope(inner.statements[0]) is tree.scope(outer.statements[0])
    return same and any(id(statement) in holders for statement in outer.statements)
