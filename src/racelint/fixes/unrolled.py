"""Statements that share a line with others, each on a line of its own: so a fix can put something between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from racelint.fixes.draft import Draft, key_of
from racelint.fixes.places import span_of
from racelint.model.finding import Finding
from racelint.syntax.edits import Rewriting, Tree
from racelint.syntax.nodes import nodes_within

_DECLARING = (cst.Global, cst.Nonlocal)


class Unrolled(NamedTuple):
    """The draft in which the finding's statement stands alone, and the finding there.

    `mixed`: it shared its line with a loop's head, with a declaration or with a statement that names nothing of what it
    names.
    """

    draft: Draft
    finding: Finding
    mixed: bool


def unrolled(draft: Draft, finding: Finding, *, locks: bool) -> Unrolled | None:
    """None where the finding's statement stands alone already. Raises UnreadableSource.

    Functions of one line that speak of the same variable are opened then, where its lock may have to be taken there.
    """
    tree = draft.tree(finding.path)
    found = tree.node_at(span_of(finding))
    around = (found, *tree.ancestors(found)) if found is not None else ()
    shared = next((node for node in around if _is_shared(node)), None)
    rewriting = Rewriting(tree)
    if isinstance(shared, cst.SimpleStatementSuite):
        rewriting.replace(shared, _block)
    elif isinstance(shared, cst.SimpleStatementLine):
        _split(rewriting, tree, shared)
    else:
        suites = _functions_of_one_line(tree, finding.subject) if locks else []
        for suite in suites:
            rewriting.replace(suite, _block)
        if not suites:
            return None
    after = draft.changed({finding.path: rewriting.code()})
    again = found_again(draft, finding, after)
    if again is None:
        after.rest()
        return None
    names = _names(found) if found is not None else set()
    small = shared.body if isinstance(shared, (cst.SimpleStatementLine, cst.SimpleStatementSuite)) else ()
    looped = isinstance(shared, cst.SimpleStatementSuite) and isinstance(tree.parent(shared), (cst.For, cst.While))
    mixed = looped or any(isinstance(one, _DECLARING) or not names & _names(one) for one in small)
    return Unrolled(after, again, mixed)


def found_again(draft: Draft, finding: Finding, after: Draft) -> Finding | None:
    """The finding in a draft that says the same in other lines; None where it has not as many of the kind."""
    before = [span_of(other) for other in draft.findings if key_of(other) == key_of(finding)]
    there = [other for other in after.findings if key_of(other) == key_of(finding)]
    if len(there) != len(before) or span_of(finding) not in before:
        return None
    return there[before.index(span_of(finding))]


def _functions_of_one_line(tree: Tree, subject: str) -> list[cst.SimpleStatementSuite]:
    """The bodies of `def add(row): rows.append(row)` that name what a finding speaks of."""
    name = subject.rpartition(".")[2]
    bodies = [node.body for node in nodes_within(tree.module) if isinstance(node, cst.FunctionDef)]
    return [body for body in bodies if isinstance(body, cst.SimpleStatementSuite) and name in _names(body)]


def _names(node: cst.CSTNode) -> set[str]:
    """What code names, but for the object itself."""
    return {inner.value for inner in nodes_within(node) if isinstance(inner, cst.Name)} - {"self", "cls"}


def _is_shared(node: cst.CSTNode) -> bool:
    """`a(); b()`, or what stands behind the colon of `if x: a()`."""
    several = isinstance(node, cst.SimpleStatementLine) and len(node.body) > 1
    return several or isinstance(node, cst.SimpleStatementSuite)


def _block(suite: cst.SimpleStatementSuite) -> cst.IndentedBlock:
    return cst.IndentedBlock(_lines(suite.body, suite.trailing_whitespace))


def _split(rewriting: Rewriting, tree: Tree, shared: cst.SimpleStatementLine) -> None:
    place = tree.index(shared)
    lines = _lines(shared.body, shared.trailing_whitespace)
    lines[0] = lines[0].with_changes(leading_lines=shared.leading_lines)
    rewriting.splice(tree.block(shared), place, place + 1, lambda old: lines)


def _lines(body: Sequence[cst.BaseSmallStatement], end: cst.TrailingWhitespace) -> list[cst.SimpleStatementLine]:
    """Each on its line; the comment stays behind the last."""
    lines = [cst.SimpleStatementLine([small.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)]) for small in body]
    lines[-1] = lines[-1].with_changes(trailing_whitespace=end)
    return lines
