"""RL507: the constructor of the thread class is called, and first."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import parameter_names, variables_in
from racelint.fixes.imports import insert, is_docstring
from racelint.fixes.places import functions_in, span_of
from racelint.fixes.statements import only_call, statement
from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.names.index import FunctionInfo
from racelint.syntax.edits import Rewriting, Statement, Tree
from racelint.syntax.nodes import nodes_within

_BINDING = (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.NamedExpr)


class ThreadConstructor(Fixer):
    """`super().__init__()` is put at the start of the constructor, or moved there.

    Safe: without it the thread cannot be started. Not offered where the base's constructor needs arguments, or where
    those that it is given are computed before.
    """

    codes = ("RL507",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        name = tree.at(span_of(finding), cst.Name)
        constructor = tree.parent(name) if name is not None else None
        if not isinstance(constructor, cst.FunctionDef) or not isinstance(constructor.body, cst.IndentedBlock):
            yield Obstacle("the constructor has no block of its own")
            return
        body = constructor.body
        start = 1 if is_docstring(body.body[0], 0) else 0
        known = parameter_names(constructor.params)
        rewriting = Rewriting(tree)
        late = _own_call(tree, body)
        if late is None:
            if _needs_arguments(draft.program, finding):
                yield Obstacle("the constructor of the base must be given arguments, which only you know")
                return
            insert(rewriting, body, start, statement("super().__init__()"))
        else:
            call = only_call(late)
            place = tree.index(late)
            own = {param.name.value for param in constructor.params.params[:1]}
            bound = {name for entry in body.body[:place] for name in _bound(entry)}
            if call is None or not _given(tree, call) <= known - own - bound:
                yield Obstacle("what the constructor of the base is given is worked out before")
                return
            rewriting.splice(body, start, place + 1, lambda old: [old[-1], *old[:-1]])
        yield Proposal(rewriting.code(), "Call the constructor of the thread class first")


def _own_call(tree: Tree, body: cst.IndentedBlock) -> Statement | None:
    """The line that calls a base's `__init__`."""
    for entry in body.body:
        call = only_call(entry)
        if call is not None and tree.spelled(call.func).endswith(".__init__"):
            assert isinstance(entry, cst.SimpleStatementLine)
            return entry
    return None


def _given(tree: Tree, call: cst.Call) -> set[str]:
    """The variables that the call's arguments are made from, but for `self` in `Thread.__init__(self)`."""
    values = [arg.value for arg in call.args]
    if values and not tree.spelled(call.func).startswith("super("):
        values = values[1:]
    return {name for value in values for name in variables_in(value)}


def _bound(node: cst.CSTNode) -> Iterator[str]:
    """The variables that code assigns."""
    for inner in nodes_within(node):
        target = inner.target if isinstance(inner, _BINDING) else None
        if isinstance(target, cst.Name):
            yield target.value


def _needs_arguments(program: Program, finding: Finding) -> bool:
    """Whether some constructor of the program that comes next must be given something."""
    for function in functions_in(program, finding.path):
        if function.ir.name_span == span_of(finding) and function.cls is not None:
            foreign = any(base.endswith(".Timer") for base in function.cls.all_external_bases())
            return foreign or any(_demands(base.method("__init__")) for base in function.cls.bases)
    return False


def _demands(constructor: FunctionInfo | None) -> bool:
    if constructor is None:
        return False
    own = constructor.ir.params[1:]
    return any(not param.has_default and param.kind in ("plain", "positional", "keyword") for param in own)
