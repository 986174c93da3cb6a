"""RL505: a thread's closure keeps the value that the variable has now."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import parameter_names
from racelint.fixes.places import span_of
from racelint.model.finding import Finding
from racelint.program.thread_use.late_bindings import LateBinding, LateBindings
from racelint.syntax.edits import Rewriting

_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
_UNCLEAR = "no closure of this place could be given the value that the variable has now"


class CapturedValue(Fixer):
    """`lambda: fetch(url)` becomes `lambda url=url: fetch(url)`, `def work():` becomes `def work(url=url):`.

    Safe: each thread works on the value of its own turn, which it was started for. Not offered where the variable is
    not bound yet when the closure is made, or where the closure itself binds it.
    """

    codes = ("RL505",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        late = _late_binding(draft, finding)
        tree = draft.tree(finding.path)
        read = tree.at(span_of(finding), cst.Name)
        closure = tree.scope(read) if read is not None else None
        if late is None or late.first or not isinstance(closure, (cst.Lambda, cst.FunctionDef)):
            yield Obstacle(
                "the variable is not bound yet when the closure is made" if late and late.first else _UNCLEAR
            )
            return
        params = closure.params
        if late.name in parameter_names(params) or _binds(closure, late.name):
            yield Obstacle(f"the closure binds `{late.name}` itself")
            return
        fresh = cst.Param(cst.Name(late.name), default=cst.Name(late.name), equal=_TIGHT)
        keyword_only = params.star_arg is not cst.MaybeSentinel.DEFAULT or bool(params.kwonly_params)
        field = "kwonly_params" if keyword_only else "params"
        changed = params.with_changes(**{field: [*getattr(params, field), fresh]})
        space = cst.SimpleWhitespace(" ")
        rewriting = Rewriting(tree)
        rewriting.replace(
            closure,
            lambda updated: (
                updated.with_changes(params=changed, whitespace_after_lambda=space)
                if isinstance(updated, cst.Lambda)
                else updated.with_changes(params=changed)
            ),
        )
        yield Proposal(rewriting.code(), f"Keep the value of `{late.name}` in a default argument")


def _late_binding(draft: Draft, finding: Finding) -> LateBinding | None:
    for late in LateBindings(draft.program).found():
        if late.read.span == span_of(finding) and late.function.module.source.display == finding.path:
            return late
    return None


def _binds(closure: cst.CSTNode, name: str) -> bool:
    """Whether the closure declares the variable as one of its own or of what is around it."""
    pending = [closure]
    while pending:
        node = pending.pop()
        if isinstance(node, cst.NameItem) and node.name.value == name:
            return True
        pending.extend(node.children)
    return False
