"""RL705: a task is kept until it is done."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.imports import after_imports, insert
from racelint.fixes.places import span_of
from racelint.fixes.statements import line, statement, unused_name
from racelint.model.finding import Finding
from racelint.syntax.edits import Rewriting, Statement, Tree

_HOME = "_background_tasks"
_PART = "the call that starts the task is part of a larger expression"


class KeptTask(Fixer):
    """The task goes into a set of the module, which it leaves when it is done.

    Safe: nothing else can tell the difference. Not offered where the call is part of a larger expression.
    """

    codes = ("RL705",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        call = tree.at(span_of(finding), cst.Call)
        started = tree.statement(call) if call is not None else None
        if call is None or not isinstance(started, cst.SimpleStatementLine) or len(started.body) != 1:
            yield Obstacle(_PART)
            return
        small = started.body[0]
        if tree.parent(call) is not small:
            yield Obstacle(_PART)
            return
        if isinstance(tree.scope(call), cst.Module):
            yield Obstacle("the task is started by the module's own code, which no loop runs")
            return
        name = _name_of(small) or unused_name(tree, call, "task")
        rewriting = Rewriting(tree)
        if not _has_home(tree):
            insert(rewriting, tree.module, after_imports(tree), statement(f"{_HOME} = set()"))

        def build(old: list[Statement]) -> list[Statement]:
            made = cst.Assign([cst.AssignTarget(cst.Name(name))], call)
            kept = [small] if _name_of(small) else [made]
            return [
                started.with_changes(body=kept),
                line(cst.Expr(cst.parse_expression(f"{_HOME}.add({name})"))),
                line(cst.Expr(cst.parse_expression(f"{name}.add_done_callback({_HOME}.discard)"))),
            ]

        place = tree.index(started)
        rewriting.splice(tree.block(started), place, place + 1, build)
        claims = frozenset() if _has_home(tree) else frozenset([_HOME])
        yield Proposal(rewriting.code(), f"Keep the task in `{_HOME}` until it is done", claims=claims)


def _name_of(small: cst.BaseSmallStatement) -> str:
    """The name that the task is bound to already; empty for none, or one that means nothing."""
    target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    return target.value if isinstance(target, cst.Name) and target.value.strip("_") else ""


def _has_home(tree: Tree) -> bool:
    """Whether the module has the set already."""
    lines = [entry.body[0] for entry in tree.module.body if isinstance(entry, cst.SimpleStatementLine)]
    return any(tree.spelled(small) == f"{_HOME} = set()" for small in lines)
