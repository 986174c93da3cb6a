"""What is tested and then used is read once: both look at the same object, whatever others store meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from racelint.fixes.base import Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.statements import statement, unused_name
from racelint.fixes.stretch import covering
from racelint.program.races.suspects import Suspect
from racelint.syntax.edits import Rewriting, Scope, Statement, Tree
from racelint.syntax.nodes import nodes_within

_STORING = (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.Del, cst.NamedExpr)
_QUIET = frozenset({"len", "isinstance", "bool", "str", "repr", "list", "tuple", "sorted"})


class _Reading(NamedTuple):
    """The reads of an attribute in one statement, all of them in `statement`'s own function; `callers` are calls of
    anything but the attribute and what is known to leave it alone."""

    statement: Statement
    reads: list[cst.Attribute]
    callers: list[cst.Call]


def local_copy(draft: Draft, suspect: Suspect) -> Proposal | None:
    """`if self.x is not None: self.x.stop()` as `x = self.x` with a test and a use of that.

    None where the code has another shape: a loop, a store in between, calls before the test, or between it and the use.
    """
    compound = suspect.compound
    if compound is None or compound.kind != "check-then-use" or compound.check_span == (1, 1, 1, 1):
        return None
    tree = draft.tree(compound.function.module.source.display)
    used = tree.expression_at(compound.act.span)
    stretch = covering(tree, [compound.check_span, compound.act.span])
    if not isinstance(used, cst.Attribute) or stretch is None or len(stretch.statements) != 1:
        return None
    found = _reading(tree, stretch.statements[0], tree.spelled(used))
    start, end = compound.check_span[:2], compound.act.span[:2]
    if found is None or any(tree.span(call)[:2] < end for call in found.callers):
        return None
    if any(tree.span(read)[:2] < start for read in found.reads):
        return None
    rewriting = Rewriting(tree)
    name = unused_name(tree, found.statement, used.attr.value.strip("_") or "value")
    for read in found.reads:
        rewriting.replace(read, lambda updated: cst.Name(name))
    copied = statement(f"{name} = {tree.spelled(used)}")
    above = found.statement.leading_lines

    def build(body: list[Statement]) -> list[Statement]:
        return [copied.with_changes(leading_lines=above), body[0].with_changes(leading_lines=())]

    rewriting.splice(stretch.block, stretch.start, stretch.stop, build)
    message = f"Read `{tree.spelled(used)}` once, and test and use what was read"
    if not found.callers:
        return Proposal(rewriting.code(), message)
    reason = f"`{tree.spelled(found.callers[0].func)}()` may store another object, which is not looked at"
    return Proposal(rewriting.code(), message, "unsafe", reason)


def _reading(tree: Tree, entry: Statement, attribute: str) -> _Reading | None:
    if isinstance(entry, (cst.For, cst.While, cst.With, cst.Try, cst.TryStar)):
        return None
    found = _Reading(entry, [], [])
    for node in nodes_within(entry):
        if isinstance(node, Scope) and any(tree.spelled(n) == attribute for n in _attributes(node)):
            return None  # it is read at another time
        if isinstance(node, _STORING) and any(tree.spelled(n) == attribute for n in _targets(node)):
            return None
        if isinstance(node, cst.Attribute) and tree.spelled(node) == attribute:
            found.reads.append(node)
        elif isinstance(node, (cst.Await, cst.Yield)):
            return None
        elif isinstance(node, cst.Call) and not _is_harmless(tree, node, attribute):
            found.callers.append(node)
    return found


def _attributes(node: cst.CSTNode) -> Iterator[cst.Attribute]:
    return (inner for inner in nodes_within(node) if isinstance(inner, cst.Attribute))


def _targets(node: cst.CSTNode) -> Iterator[cst.Attribute]:
    """The attributes that a statement stores or deletes: those that stand inside others are read."""
    target = getattr(node, "target", None)
    if isinstance(target, cst.Attribute):
        yield target
    elif isinstance(target, (cst.Tuple, cst.List)):
        yield from (element.value for element in target.elements if isinstance(element.value, cst.Attribute))


def _is_harmless(tree: Tree, call: cst.Call, attribute: str) -> bool:
    spelled = tree.spelled(call.func)
    return spelled in _QUIET or spelled == attribute or spelled.startswith(f"{attribute}.")
