"""Less under the lock: what need not be one step with the rest is done before it or behind it.

`while queue: job = queue.pop(); job()` takes the job under the lock and runs it outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import libcst as cst

from racelint.fixes.expressions import bare, expression, is_loud, negated
from racelint.fixes.lock_safety import Extent
from racelint.fixes.statements import comments_in, indent_of, line, unused_name, with_block
from racelint.fixes.stretch import Stretch
from racelint.model.summary import Span
from racelint.syntax.edits import Statement, Tree

_LEAVING = (cst.Return, cst.Raise, cst.Break, cst.Continue)


class Loosened(NamedTuple):
    """`build(statements, header)` writes the stretch anew; `extent` is what is still under the lock, `doubt` what the
    program may do in another way."""

    extent: Extent
    build: Callable[[Sequence[Statement], str], list[Statement]]
    doubt: str = ""


def loosened(tree: Tree, stretch: Stretch, spans: Sequence[Span]) -> Loosened | None:
    """A smaller block for what stands at `spans`; None where the stretch has no shape that allows it."""
    if len(stretch.statements) != 1:
        return None
    only = stretch.statements[0]
    if isinstance(only, cst.SimpleStatementLine):
        return _value_first(tree, stretch, only, spans)
    if isinstance(only, (cst.While, cst.If)) and isinstance(only.body, cst.IndentedBlock):
        kept = _prefix(tree, only.body, spans)
        if not 0 < kept < len(only.body.body):
            return None
        extent = Extent(tree.span(only.test)[0], Stretch(only.body, 0, kept).lines(tree)[1])
        if isinstance(only, cst.If):
            return _decided(tree, only, kept, extent) or _remembered(tree, only, kept, extent, spans)
        if only.orelse is None:
            return Loosened(extent, lambda body, header: _looped(body[0], header, kept))
    return None


def _prefix(tree: Tree, block: cst.IndentedBlock, spans: Sequence[Span]) -> int:
    """How many of the block's statements the spans reach into."""
    kept = 0
    for place in range(len(block.body)):
        first, last = Stretch(block, place, place + 1).lines(tree)
        if any(first <= span[0] <= last for span in spans):
            kept = place + 1
    return kept


def _value_first(tree: Tree, stretch: Stretch, only: cst.SimpleStatementLine, spans: Sequence[Span]) -> Loosened | None:
    """`x += f()`: the value is computed before the lock is taken."""
    small = only.body[0]
    if len(only.body) != 1 or not isinstance(small, (cst.AugAssign, cst.Assign)):
        return None
    extent = Extent(*stretch.lines(tree), tree.span(small.value))
    if not all(extent.holds(span) for span in spans) or not is_loud(small.value):
        return None
    name = cst.Name(unused_name(tree, only, _name_for(small)))

    def build(body: Sequence[Statement], header: str) -> list[Statement]:
        computed = line(cst.Assign([cst.AssignTarget(name)], small.value), leading=body[0].leading_lines)
        changed = only.with_changes(body=[small.with_changes(value=name)], leading_lines=())
        return [computed, with_block(expression(header), [changed], indent=indent_of(stretch.block))]

    return Loosened(extent, build)


def _name_for(small: cst.Assign | cst.AugAssign) -> str:
    """What people would call the value that is about to be stored."""
    target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    return (target.attr.value.strip("_") if isinstance(target, cst.Attribute) else "") or "value"


def _looped(loop: Statement, header: str, kept: int) -> list[Statement]:
    """`while C: A; B` as `while True: with lock: (if not C: break; A); B`."""
    assert isinstance(loop, cst.While) and isinstance(loop.body, cst.IndentedBlock)
    stop = cst.If(test=negated(loop.test), body=cst.IndentedBlock([line(cst.Break())]))
    body = [entry for entry in loop.body.body if isinstance(entry, Statement)]
    locked = with_block(expression(header), [stop, *body[:kept]], comment=loop.body.header)
    block = loop.body.with_changes(body=[locked, *body[kept:]], header=cst.TrailingWhitespace())
    return [loop.with_changes(test=cst.Name("True"), body=block)]


def _decided(tree: Tree, branch: cst.If, kept: int, extent: Extent) -> Loosened | None:
    """`if C: A; B` as `with lock: (if not C: leave; A)` and `B`, where there is a way to leave."""
    otherwise = _otherwise(tree, branch)
    if otherwise is None:
        return None

    def build(body: Sequence[Statement], header: str) -> list[Statement]:
        old = body[0]
        assert isinstance(old, cst.If) and isinstance(old.body, cst.IndentedBlock)
        inside = [entry for entry in old.body.body if isinstance(entry, Statement)]
        guard = cst.If(test=negated(old.test), body=otherwise)
        locked = with_block(
            expression(header), [guard, *inside[:kept]], leading=old.leading_lines, comment=old.body.header
        )
        return [locked, *inside[kept:]]

    return Loosened(extent, build)


def _remembered(tree: Tree, branch: cst.If, kept: int, extent: Extent, spans: Sequence[Span]) -> Loosened | None:
    """`if C: A; B` as `with lock: (decided = C; if decided: A)` and `if decided: B`."""
    if branch.orelse is not None and any(tree.span(branch.orelse)[0] <= span[0] for span in spans):
        return None
    name = cst.Name(unused_name(tree, branch, "decided"))

    def build(body: Sequence[Statement], header: str) -> list[Statement]:
        old = body[0]
        assert isinstance(old, cst.If) and isinstance(old.body, cst.IndentedBlock)
        inside = [entry for entry in old.body.body if isinstance(entry, Statement)]
        test = line(cst.Assign([cst.AssignTarget(name)], bare(old.test) if _on_one_line(tree, old.test) else old.test))
        done = cst.If(test=name, body=cst.IndentedBlock(inside[:kept], header=old.body.header))
        locked = with_block(expression(header), [test, done], leading=old.leading_lines)
        rest = old.body.with_changes(body=inside[kept:], header=cst.TrailingWhitespace())
        return [locked, old.with_changes(test=name, body=rest, leading_lines=())]

    return Loosened(extent, build)


def _on_one_line(tree: Tree, node: cst.BaseExpression) -> bool:
    return "\n" not in tree.spelled(node)


def _otherwise(tree: Tree, branch: cst.If) -> cst.BaseSuite | None:
    """What is done where the condition is false, if nothing follows that."""
    if comments_in(branch.body.footer if isinstance(branch.body, cst.IndentedBlock) else ()):
        return None  # they would have no place any more
    if branch.orelse is not None:
        if comments_in(branch.orelse.leading_lines):
            return None
        body = branch.orelse.body if isinstance(branch.orelse, cst.Else) else None
        last = body.body[-1] if body is not None else None
        small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else None
        return body if isinstance(small, _LEAVING) and body is not None and not is_loud(body) else None
    block = tree.block(branch)
    holder = tree.parent(block)
    if tree.index(branch) + 1 != len(block.body) or getattr(holder, "body", None) is not block:
        return None
    if isinstance(holder, (cst.For, cst.While)):
        return cst.IndentedBlock([line(cst.Continue())])
    return cst.IndentedBlock([line(cst.Return())]) if isinstance(holder, cst.FunctionDef) else None
