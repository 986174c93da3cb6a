"""RL503: the thread is started instead of being run in place."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.places import span_of
from racelint.model.finding import Finding
from racelint.syntax.edits import Rewriting, Tree


class StartedRun(Fixer):
    """`thread.run()` becomes `thread.start()`.

    Unsafe: what follows runs beside the thread from now on. Not offered where the answer is used.
    """

    codes = ("RL503",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        call = tree.at(span_of(finding), cst.Call)
        if call is None or not isinstance(call.func, cst.Attribute) or not _is_dropped(tree, call):
            yield Obstacle("the answer of `run()` is used, and `start()` has none")
            return
        rewriting = Rewriting(tree)
        rewriting.replace(call.func, lambda updated: updated.with_changes(attr=cst.Name("start")))
        reason = "what follows runs beside the thread from now on"
        yield Proposal(rewriting.code(), "Call `start()`, which calls `run()` on the thread", "unsafe", reason)


def _is_dropped(tree: Tree, call: cst.Call) -> bool:
    """`thread.run()` on a line of its own, or `[thread.run() for thread in threads]`."""
    outer = tree.parent(call)
    whole = outer if isinstance(outer, cst.ListComp) and outer.elt is call else call
    return isinstance(tree.parent(whole), cst.Expr)
