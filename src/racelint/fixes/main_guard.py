"""RL603: what starts a process goes under `if __name__ == "__main__":`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from racelint.fixes.base import Fixer, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.places import span_of
from racelint.model.finding import Finding
from racelint.syntax.edits import Rewriting, Statement

_DEFINING = (cst.FunctionDef, cst.ClassDef)
_IMPORTING = (cst.Import, cst.ImportFrom)


class MainGuard(Fixer):
    """The statement that starts the process, and all after it, go under `if __name__ == "__main__":`.

    Unsafe: names that are bound there are gone for whoever imports the module. Not offered where functions, classes or
    imports follow.
    """

    codes = ("RL603",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Proposal]:
        tree = draft.tree(finding.path)
        node = tree.node_at(span_of(finding))
        holders = {id(outer) for outer in (node, *tree.ancestors(node))} if node is not None else set()
        body = tree.module.body
        place = next((i for i, entry in enumerate(body) if id(entry) in holders), None)
        if place is None or any(_defines(entry) for entry in body[place:]):
            return
        rewriting = Rewriting(tree)
        rewriting.splice(tree.module, place, len(body), _guarded)
        reason = "names that are bound there are no longer seen by those who import the module"
        yield Proposal(rewriting.code(), 'Put it under `if __name__ == "__main__":`', "unsafe", reason)


def _defines(entry: cst.CSTNode) -> bool:
    small = entry.body[0] if isinstance(entry, cst.SimpleStatementLine) else entry
    return isinstance(small, (*_DEFINING, *_IMPORTING))


def _guarded(body: Sequence[Statement]) -> list[Statement]:
    first, *rest = body
    above = list(first.leading_lines)
    blanks = []
    while above and above[0].comment is None:
        blanks.append(above.pop(0))
    block = cst.IndentedBlock([first.with_changes(leading_lines=above), *rest])
    test = expression('__name__ == "__main__"')
    return [cst.If(test=test, body=block, leading_lines=blanks or [cst.EmptyLine(indent=False)])]
