"""Double-checked locking completed: the test is made once more under the lock."""

from __future__ import annotations

import libcst as cst

from racelint.fixes.base import Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.statements import lone_branch
from racelint.program.races.suspects import Suspect
from racelint.syntax.edits import Rewriting, Statement


def second_check(draft: Draft, suspect: Suspect) -> Proposal | None:
    """`if x is None: with lock: x = …` with the `if` once more inside; None where the code has another shape."""
    compound = suspect.compound
    if compound is None or compound.kind != "lazy-init":
        return None
    tree = draft.tree(compound.function.module.source.display)
    branch = lone_branch(tree, compound.check_span)
    if branch is None:
        return None
    locked = branch.body.body[0]
    inside = draft.program.flows.of(compound.function).at(compound.act.event).must
    if not isinstance(locked, cst.With) or not isinstance(locked.body, cst.IndentedBlock) or not inside:
        return None
    rewriting = Rewriting(tree)
    inner = locked.body

    def build(body: list[Statement]) -> list[Statement]:
        return [cst.If(test=branch.test, body=cst.IndentedBlock(body, indent=inner.indent))]

    rewriting.splice(inner, 0, len(inner.body), build)
    return Proposal(rewriting.code(), "Test again under the lock, before initialising")
