"""RL603: what starts a process goes under `if __name__ == "__main__":`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression, variables_in
from racelint.fixes.places import span_of
from racelint.model.finding import Finding
from racelint.syntax.edits import Rewriting, Statement
from racelint.syntax.nodes import nodes_within

_DEFINING = (cst.FunctionDef, cst.ClassDef)
_IMPORTING = (cst.Import, cst.ImportFrom)


class MainGuard(Fixer):
    """The statement that starts the process, and all after it but definitions and imports, go under
    `if __name__ == "__main__":`.

    Unsafe: names that are bound there are gone for whoever imports the module. Not offered where a definition that
    follows uses one of them.
    """

    codes = ("RL603",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        node = tree.node_at(span_of(finding))
        holders = {id(outer) for outer in (node, *tree.ancestors(node))} if node is not None else set()
        body = tree.module.body
        place = next((i for i, entry in enumerate(body) if id(entry) in holders), None)
        if place is None:
            return
        runs = [(defines, list(run)) for defines, run in groupby(range(place, len(body)), lambda i: _defines(body[i]))]
        bound = {name for defines, run in runs if not defines for i in run for name in _bound(body[i])}
        if any(bound & variables_in(body[i]) for defines, run in runs if defines for i in run):
            yield Obstacle("a definition that follows uses what is bound there")
            return
        rewriting = Rewriting(tree)
        for defines, run in runs:
            if not defines:
                rewriting.splice(tree.module, run[0], run[-1] + 1, _guarded)
        reason = "names that are bound there are no longer seen by those who import the module"
        yield Proposal(rewriting.code(), 'Put it under `if __name__ == "__main__":`', "unsafe", reason)


def _defines(entry: cst.CSTNode) -> bool:
    small = entry.body[0] if isinstance(entry, cst.SimpleStatementLine) else entry
    return isinstance(small, (*_DEFINING, *_IMPORTING))


def _bound(entry: cst.CSTNode) -> Iterator[str]:
    """The names that a statement binds."""
    for node in nodes_within(entry):
        target = node.target if isinstance(node, (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For)) else None
        target = node.name if isinstance(node, cst.AsName) else target
        if target is not None:
            yield from variables_in(target)


def _guarded(body: Sequence[Statement]) -> list[Statement]:
    first, *rest = body
    above = list(first.leading_lines)
    blanks = []
    while above and above[0].comment is None:
        blanks.append(above.pop(0))
    block = cst.IndentedBlock([first.with_changes(leading_lines=above), *rest])
    test = expression('__name__ == "__main__"')
    return [cst.If(test=test, body=block, leading_lines=blanks or [cst.EmptyLine(indent=False)])]
