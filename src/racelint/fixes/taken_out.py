"""What is used up is taken out first: `x, self.x = self.x, None` leaves nothing that two threads could use up."""

from __future__ import annotations

import libcst as cst

from racelint.fixes.base import Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.statements import alone, comments_of, statement, unused_name
from racelint.fixes.stretch import covering
from racelint.program.races.suspects import Suspect
from racelint.syntax.edits import Rewriting, Scope, Statement, Tree
from racelint.syntax.nodes import nodes_within

_ELSEWHERE = (Scope, cst.Await, cst.Yield, cst.AugAssign, cst.Del, cst.NamedExpr, cst.Return, cst.Continue, cst.Break)


def taken_out(draft: Draft, suspect: Suspect) -> Proposal | None:
    """`if self.x is not None: self.x.flush(); self.x = None` as `x, self.x = self.x, None` and a test and use of `x`.

    None where the code has another shape, and where the object's own methods, which may look for `self.x`, are called.
    """
    compound = suspect.compound
    if compound is None or compound.check_span == (1, 1, 1, 1):
        return None
    tree = draft.tree(compound.function.module.source.display)
    stretch = covering(tree, [compound.check_span, compound.act.span])
    branch = stretch.statements[0] if stretch is not None and len(stretch.statements) == 1 else None
    if stretch is None or not isinstance(branch, cst.If):
        return None
    kept = _kept_until_the_end(tree, branch)
    reads = _reads(tree, branch, kept) if kept is not None else None
    if kept is None or not reads:
        return None
    rewriting = Rewriting(tree)
    spelled, name = tree.spelled(kept), unused_name(tree, branch, kept.attr.value.strip("_") or "value")
    for read in (kept, *reads):
        rewriting.replace(read, lambda updated: cst.Name(name))
    taking = statement(f"{name}, {spelled} = {spelled}, None")
    last = branch.body.body[-1]
    assert isinstance(last, cst.SimpleStatementLine)
    above = (*branch.leading_lines, *comments_of(last))

    def build(old: list[Statement]) -> list[Statement]:
        (found,) = old
        assert isinstance(found, cst.If)
        body = found.body.with_changes(body=found.body.body[:-1])
        return [taking.with_changes(leading_lines=above), found.with_changes(body=body, leading_lines=())]

    rewriting.splice(stretch.block, stretch.start, stretch.stop, build)
    reason = f"others find no `{spelled}` while it is used; without a GIL, two may still take the same one"
    return Proposal(rewriting.code(), f"Take `{spelled}` out before it is used", "unsafe", reason)


def _kept_until_the_end(tree: Tree, branch: cst.If) -> cst.Attribute | None:
    """The attribute that `if self.x is not None:` asks for, where `self.x = None` ends what the branch does."""
    test, body = branch.test, branch.body
    asks = isinstance(test, cst.Comparison) and len(test.comparisons) == 1
    if not asks or not isinstance(test, cst.Comparison) or not isinstance(test.left, cst.Attribute):
        return None
    against = test.comparisons[0]
    if not isinstance(against.operator, cst.IsNot) or tree.spelled(against.comparator) != "None":
        return None
    last = body.body[-1] if branch.orelse is None and isinstance(body, cst.IndentedBlock) else None
    small = alone(last)
    if not isinstance(small, cst.Assign) or len(small.targets) != 1 or tree.spelled(small.value) != "None":
        return None
    return test.left if tree.spelled(small.targets[0].target) == tree.spelled(test.left) else None


def _reads(tree: Tree, branch: cst.If, kept: cst.Attribute) -> list[cst.Attribute] | None:
    """Where the branch reads the attribute before the end; None where it does what cannot be moved."""
    spelled, owner = tree.spelled(kept), tree.spelled(kept.value)
    found: list[cst.Attribute] = []
    for entry in branch.body.body[:-1]:
        for node in nodes_within(entry):
            if isinstance(node, _ELSEWHERE):
                return None
            if isinstance(node, cst.AssignTarget) and tree.spelled(node.target) == spelled:
                return None
            if isinstance(node, cst.Call) and not _leaves_alone(tree.spelled(node.func), spelled, owner):
                return None
            if isinstance(node, cst.Attribute) and tree.spelled(node) == spelled:
                found.append(node)
    return found


def _leaves_alone(called: str, spelled: str, owner: str) -> bool:
    """Not a method of the object whose attribute it is."""
    return called == spelled or called.startswith(f"{spelled}.") or not called.startswith(f"{owner}.")
