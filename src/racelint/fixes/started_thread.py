"""RL502: the thread is kept, then started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.places import span_of
from racelint.fixes.statements import line, unused_name
from racelint.model.finding import Finding
from racelint.syntax.edits import Rewriting, Statement, Tree

_LATER = (cst.Lambda, cst.BaseComp, cst.IfExp, cst.BooleanOperation, cst.FunctionDef)
"""What may evaluate its parts later, several times or not at all."""


class StartedThread(Fixer):
    """`t = Thread(target=f).start()` becomes `t = Thread(target=f)` and `t.start()`.

    Safe: what was made of `None` is made of the thread. A list of started threads becomes a list and a loop.
    Not offered where the call stands in an expression that may not evaluate it, or evaluates it later.
    """

    codes = ("RL502",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        call = tree.at(span_of(finding), cst.Call)
        if call is None or not isinstance(call.func, cst.Attribute) or call.args:
            return
        statement = tree.statement(call)
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
            yield Obstacle("the thread is started in the head of a block")
            return
        yield from _kept(tree, call, call.func.value, statement)


def _kept(
    tree: Tree, call: cst.Call, thread: cst.BaseExpression, statement: cst.SimpleStatementLine
) -> Iterator[Attempt]:
    small = statement.body[0]
    outer = tree.parent(call)
    if isinstance(outer, (cst.ListComp,)) and outer.elt is call:
        yield from _listed(tree, outer, thread, statement)
        return
    if any(isinstance(node, _LATER) for node in _up_to(tree, call, statement)):
        yield Obstacle(
            "the thread is started in an expression that may be evaluated later, several times or not at all"
        )
        return
    target = _target(small) if outer is small else None
    if target is not None:
        started = line(cst.Expr(_start(target)))
        changed = small.with_changes(value=thread)
        yield _proposal(tree, statement, [statement.with_changes(body=[changed]), started], tree.spelled(target))
        return
    name = cst.Name(unused_name(tree, call, "thread"))
    made = line(cst.Assign([cst.AssignTarget(name)], thread), leading=statement.leading_lines)
    rest = statement.with_changes(leading_lines=()).deep_replace(call, name)
    yield _proposal(tree, statement, [made, line(cst.Expr(_start(name))), rest], name.value)  # type: ignore[list-item]


def _listed(
    tree: Tree, outer: cst.ListComp, thread: cst.BaseExpression, statement: cst.SimpleStatementLine
) -> Iterator[Attempt]:
    """`ts = [Thread(…).start() for …]`."""
    small = statement.body[0]
    target = _target(small) if tree.parent(outer) is small else None
    if target is None:
        yield Obstacle("the list of threads is not kept under one name")
        return
    name = cst.Name(unused_name(tree, statement, "thread"))
    loop = cst.For(target=name, iter=target, body=cst.IndentedBlock([line(cst.Expr(_start(name)))]))
    changed = small.with_changes(value=outer.with_changes(elt=thread))
    yield _proposal(tree, statement, [statement.with_changes(body=[changed]), loop], tree.spelled(target))


def _target(small: cst.BaseSmallStatement) -> cst.BaseExpression | None:
    """What the line assigns to, where that can be said twice: a name or an attribute of one."""
    target: cst.BaseExpression | None = None
    if isinstance(small, cst.Assign) and len(small.targets) == 1:
        target = small.targets[0].target
    elif isinstance(small, cst.AnnAssign):
        target = small.target
    plain = isinstance(target, cst.Name) or (isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name))
    return target if plain else None


def _start(thread: cst.BaseExpression) -> cst.Call:
    return cst.Call(cst.Attribute(thread, cst.Name("start")))


def _up_to(tree: Tree, node: cst.CSTNode, end: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for outer in tree.ancestors(node):
        if outer is end:
            return
        yield outer


def _proposal(tree: Tree, statement: Statement, lines: Sequence[Statement], name: str) -> Proposal:
    rewriting = Rewriting(tree)
    place = tree.index(statement)
    rewriting.splice(tree.block(statement), place, place + 1, lambda old: lines)
    return Proposal(rewriting.code(), f"Keep the thread in `{name}`, then start it")
