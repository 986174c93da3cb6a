"""RL608: what a manager's container gave out is changed, and stored again."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import is_loud
from racelint.fixes.places import span_of
from racelint.fixes.statements import alone, line, unused_name
from racelint.model.finding import Finding
from racelint.syntax.edits import Rewriting, Statement, Tree


class StoredAgain(Fixer):
    """`managed["rows"].append(1)` becomes `rows = managed["rows"]`, `rows.append(1)` and `managed["rows"] = rows`.

    Unsafe: two processes that do so at once overwrite one another's change. Not offered where the key is worked out by
    a call, and in loops over what the container holds: go over the keys there, and store each element again.
    """

    codes = ("RL608",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        changed = tree.node_at(span_of(finding))
        entry = tree.statement(changed) if changed is not None else None
        if not isinstance(entry, cst.SimpleStatementLine) or len(entry.body) != 1:
            yield Obstacle("the element is changed in the head of a block")
            return
        element = _element(tree, entry)
        stored = _stored(tree, element) if element is not None else None
        if element is None or stored is None:
            yield Obstacle("where the container holds what is changed is not plain to see")
            return
        if is_loud(stored):
            yield Obstacle("the key is worked out by a call, which would be made twice")
            return
        reason = "two processes that do this at once overwrite one another's change"
        yield Proposal(_text(tree, entry, element, stored), f"Store `{tree.spelled(stored)}` again", "unsafe", reason)


def _text(
    tree: Tree,
    entry: cst.SimpleStatementLine,
    element: cst.BaseExpression,
    stored: cst.Attribute | cst.Subscript,
) -> str:
    """The line, with a local for the element unless it has a name, and what puts it back."""
    rewriting = Rewriting(tree)
    name = element if isinstance(element, cst.Name) else cst.Name(unused_name(tree, entry, _called(stored)))

    def build(old: list[Statement]) -> list[Statement]:
        again = line(cst.Assign([cst.AssignTarget(stored)], name))
        if isinstance(element, cst.Name):
            return [*old, again]
        got = line(cst.Assign([cst.AssignTarget(name)], element), leading=entry.leading_lines)
        changed = entry.deep_replace(element, name)
        assert isinstance(changed, cst.SimpleStatementLine)
        return [got, changed.with_changes(leading_lines=()), again]

    place = tree.index(entry)
    rewriting.splice(tree.block(entry), place, place + 1, build)
    return rewriting.code()


def _element(tree: Tree, entry: cst.SimpleStatementLine) -> cst.BaseExpression | None:
    """The object that the line changes in place: what a method is called on, or whose item or attribute is set."""
    small = entry.body[0]
    target: cst.CSTNode | None = None
    if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call):
        target = small.value.func
    elif isinstance(small, cst.Assign) and len(small.targets) == 1:
        target = small.targets[0].target
    elif isinstance(small, (cst.AugAssign, cst.Del)):
        target = small.target
    found = target.value if isinstance(target, (cst.Attribute, cst.Subscript)) else None
    if isinstance(found, cst.Name):
        return found if _bound_before(tree, entry, found) is not None else None
    return found


def _stored(tree: Tree, element: cst.BaseExpression) -> cst.Attribute | cst.Subscript | None:
    """Where the container holds the element, as something to assign to."""
    if isinstance(element, cst.Name):
        entry = tree.statement(element)
        value = _bound_before(tree, entry, element) if entry is not None else None
        return _stored(tree, value) if value is not None and not isinstance(value, cst.Name) else None
    if isinstance(element, cst.Call) and isinstance(element.func, cst.Attribute):
        if element.func.attr.value not in ("get", "setdefault") or not element.args or element.args[0].keyword:
            return None
        index = cst.SubscriptElement(cst.Index(element.args[0].value))
        return cst.Subscript(element.func.value, [index])
    return element if isinstance(element, (cst.Subscript, cst.Attribute)) else None


def _bound_before(tree: Tree, entry: Statement, name: cst.Name) -> cst.BaseExpression | None:
    """What the name was bound to on a line above in the same block."""
    for above in reversed(tree.block(entry).body[: tree.index(entry)]):
        small = alone(above)
        target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
        if isinstance(small, cst.Assign) and isinstance(target, cst.Name) and target.value == name.value:
            return small.value
    return None


def _called(stored: cst.BaseExpression) -> str:
    """A name for the element: its key or attribute, where that is a word."""
    if isinstance(stored, cst.Attribute):
        return stored.attr.value
    key = stored.slice[0].slice if isinstance(stored, cst.Subscript) and len(stored.slice) == 1 else None
    value = key.value if isinstance(key, cst.Index) else None
    word = value.raw_value if isinstance(value, cst.SimpleString) else ""
    return word if word.isidentifier() and len(word) > 1 else "element"
