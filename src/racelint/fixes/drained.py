"""What is used and then dropped is taken out under the lock, and used outside of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import libcst as cst

from racelint.fixes.expressions import expression, is_variable
from racelint.fixes.lock_safety import Extent
from racelint.fixes.loosening import Loosened
from racelint.fixes.statements import alone, comments_of, indent_of, line, unused_name, with_block
from racelint.fixes.stretch import Stretch
from racelint.syntax.edits import Rewriting, Statement, Tree
from racelint.syntax.nodes import nodes_within

_NOT_MOVED = (cst.Await, cst.Yield, cst.FunctionDef, cst.ClassDef, cst.Lambda, cst.NamedExpr, cst.GeneratorExp)
LOST = "where the use fails, what was taken out is lost"


class _Drain(NamedTuple):
    """The lines that give what the container holds, which is `spelled` so, a `name`, and leave the container empty."""

    spelled: str
    name: cst.Name
    taking: list[cst.SimpleStatementLine]

    def renamed(self, tree: Tree, body: Sequence[Statement]) -> list[Statement]:
        """The statements that use it, by its name; the last one, which empties the container, goes away."""
        return [with_name(tree, entry, self.spelled, self.name) for entry in body[:-1]]


def drained(tree: Tree, stretch: Stretch) -> Loosened | None:
    """`send(self.rows); self.rows = []` as `with lock: rows, self.rows = self.rows, []` and `send(rows)`.

    None where the stretch does not end so, and where the object's own methods, which may look for it, are called.
    """
    drain = _drain(tree, stretch, awaits=False)
    if drain is None:
        return None

    def build(body: Sequence[Statement], header: str) -> list[Statement]:
        first, *rest = drain.renamed(tree, body)
        locked = with_block(
            expression(header), drain.taking, leading=first.leading_lines, indent=indent_of(stretch.block)
        )
        return [locked, first.with_changes(leading_lines=()), *rest]

    start = tree.span(stretch.statements[-1])[0]
    return Loosened(Extent(start, start), build, LOST)


def drained_first(tree: Tree, stretch: Stretch) -> str | None:
    """The same without a lock, for tasks of one event loop: the new text, in which nothing is awaited in between."""
    drain = _drain(tree, stretch, awaits=True)
    if drain is None:
        return None

    def build(body: list[Statement]) -> list[Statement]:
        first, *rest = drain.renamed(tree, body)
        taking, *more = drain.taking
        above = [*first.leading_lines, *taking.leading_lines]
        return [taking.with_changes(leading_lines=above), *more, first.with_changes(leading_lines=()), *rest]

    rewriting = Rewriting(tree)
    rewriting.splice(stretch.block, stretch.start, stretch.stop, build)
    return rewriting.code()


def _drain(tree: Tree, stretch: Stretch, *, awaits: bool) -> _Drain | None:
    """How what the stretch uses and then empties can be taken out before; None where it does not end so."""
    *using, last = stretch.statements
    small = alone(last)
    emptied = _emptied(small) if small is not None else None
    if emptied is None or not using or not isinstance(last, cst.SimpleStatementLine):
        return None
    spelled = tree.spelled(emptied)
    if not any(_is(tree, n, spelled) for entry in using for n in nodes_within(entry)):
        return None
    if not all(only_uses(tree, entry, emptied, awaits=awaits) for entry in using):
        return None
    name = cst.Name(unused_name(tree, last, spelled.rpartition(".")[2].strip("_") or "taken"))
    return _Drain(spelled, name, _taking(tree, last, emptied, name))


def _taking(
    tree: Tree, last: cst.SimpleStatementLine, emptied: cst.Attribute | cst.Name, name: cst.Name
) -> list[cst.SimpleStatementLine]:
    """The lines that give the name what the container holds and leave it empty."""
    small = last.body[0]
    if isinstance(small, cst.Assign):
        swapped = cst.Tuple([cst.Element(name), cst.Element(emptied)], lpar=[], rpar=[])
        given = cst.Tuple([cst.Element(emptied), cst.Element(small.value)], lpar=[], rpar=[])
        return [line(cst.Assign([cst.AssignTarget(swapped)], given), leading=comments_of(last))]
    copied = cst.Assign([cst.AssignTarget(name)], expression(f"{tree.spelled(emptied)}.copy()"))
    comments = [empty for empty in last.leading_lines if empty.comment is not None]
    return [line(copied), last.with_changes(leading_lines=comments)]


def _emptied(small: cst.BaseSmallStatement) -> cst.Attribute | cst.Name | None:
    """What a statement leaves empty: by a new empty container, by `clear()`, or by `del rows[:]`."""
    found: cst.BaseExpression | None = None
    if isinstance(small, cst.Assign) and len(small.targets) == 1 and _is_empty(small.value):
        found = small.targets[0].target
    elif isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) and not small.value.args:
        func = small.value.func
        found = func.value if isinstance(func, cst.Attribute) and func.attr.value == "clear" else None
    elif isinstance(small, cst.Del) and isinstance(small.target, cst.Subscript) and len(small.target.slice) == 1:
        part = small.target.slice[0].slice
        whole = isinstance(part, cst.Slice) and part.lower is None and part.upper is None and part.step is None
        found = small.target.value if whole else None
    return found if isinstance(found, (cst.Attribute, cst.Name)) else None


def _is_empty(value: cst.BaseExpression) -> bool:
    if isinstance(value, (cst.List, cst.Dict)):
        return not value.elements
    return isinstance(value, cst.Call) and not value.args and isinstance(value.func, cst.Name)


def _is(tree: Tree, node: cst.CSTNode, spelled: str) -> bool:
    return isinstance(node, (cst.Attribute, cst.Name)) and tree.spelled(node) == spelled


def only_uses(
    tree: Tree, entry: Statement, emptied: cst.Attribute | cst.Name, *, fills: bool = False, awaits: bool = False
) -> bool:
    """Whether what the statement does to the object is no more than reading it, here and now.

    `fills`: or storing something in it, as `self.rows[0] = row` does. `awaits`: it may be used across an `await`.
    """
    spelled = tree.spelled(emptied)
    for node in nodes_within(entry):
        if isinstance(node, _NOT_MOVED) and not (awaits and isinstance(node, cst.Await)):
            return False
        changed = node.target if isinstance(node, (cst.AssignTarget, cst.AugAssign, cst.Del)) else None
        named = [n for n in nodes_within(changed) if _is(tree, n, spelled)] if changed is not None else []
        if not all(fills and _is_inside(tree, n) for n in named):
            return False
        if isinstance(node, cst.Name) and _is(tree, node, spelled) and not is_variable(tree, node):
            return False
        if isinstance(node, cst.Call) and isinstance(emptied, cst.Attribute) and not _leaves_alone(tree, node, emptied):
            return False
    return True


def _is_inside(tree: Tree, holder: cst.CSTNode) -> bool:
    """Whether it is not the object that is stored, but something of it."""
    outer = tree.parent(holder)
    return isinstance(outer, (cst.Attribute, cst.Subscript)) and outer.value is holder


def _leaves_alone(tree: Tree, call: cst.Call, emptied: cst.Attribute) -> bool:
    """Whether a call is none of a method of the object that speaks of the container."""
    func = call.func
    if not isinstance(func, cst.Attribute) or tree.spelled(func.value) != tree.spelled(emptied.value):
        return True
    holder = next((outer for outer in tree.ancestors(call) if isinstance(outer, cst.ClassDef)), None)
    methods = [n for n in holder.body.body if isinstance(n, cst.FunctionDef)] if holder is not None else []
    own = next((method for method in methods if method.name.value == func.attr.value), None)
    names = {node.value for node in nodes_within(own) if isinstance(node, cst.Name)} if own is not None else set()
    return own is None or emptied.attr.value not in names


class _Renamed(cst.CSTTransformer):
    def __init__(self, tree: Tree, spelled: str, name: cst.Name) -> None:
        super().__init__()
        self.tree, self.spelled, self.name = tree, spelled, name

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        return self.name if _is(self.tree, updated_node, self.spelled) else updated_node


def with_name(tree: Tree, entry: Statement, spelled: str, name: cst.Name) -> Statement:
    changed = entry.visit(_Renamed(tree, spelled, name))
    assert isinstance(changed, Statement)
    return changed
