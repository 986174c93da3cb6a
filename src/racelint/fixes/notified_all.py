"""RL305: `notify()` becomes `notify_all()`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.places import span_of
from racelint.model.finding import Finding
from racelint.syntax.edits import Rewriting


class NotifiedAll(Fixer):
    """`cv.notify()` becomes `cv.notify_all()`, so that the waiter who is meant wakes, too.

    Safe: the others test their predicates again and wait on. Not offered where the method has another name.
    """

    codes = ("RL305",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        call = tree.at(span_of(finding), cst.Call)
        if call is None or not isinstance(call.func, cst.Attribute) or call.func.attr.value != "notify":
            yield Obstacle("what notifies is no plain call of `notify()`")
            return
        rewriting = Rewriting(tree)
        func = call.func.with_changes(attr=cst.Name("notify_all"))
        rewriting.replace(call, lambda updated: updated.with_changes(func=func, args=[]))
        yield Proposal(rewriting.code(), f"Wake all that wait: `{tree.spelled(call.func.value)}.notify_all()`")
