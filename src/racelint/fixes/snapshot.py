"""RL106: a shared container is copied in one step, and the copy is iterated."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Fixer, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.places import span_of, suspect_of
from racelint.fixes.statements import indent_of, wrapped
from racelint.model.finding import Finding
from racelint.program.awaited_iterations import AwaitedIterations
from racelint.program.shared import SharedAccess
from racelint.syntax.edits import Rewriting, Tree
from racelint.syntax.nodes import nodes_within

_GATHERING = ("list", "tuple", "set", "dict", "sorted", "sum", "any", "all", "len", "enumerate", "str", "repr")


class Snapshot(Fixer):
    """`for x in self.items:` becomes `for x in list(self.items):`, also where a coroutine awaits between turns; a line
    that goes over `queue.queue` goes under `with queue.mutex:`.

    Safe: the copy is made in one step, and the loop sees what was there when it began. Not offered for weak
    containers, which the garbage collector may resize during the copy, and where calls run under the mutex.
    """

    codes = ("RL106",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Proposal]:
        access = _iteration(draft, finding)
        tree = draft.tree(finding.path)
        iterated = tree.expression_at(span_of(finding))
        if access is None and isinstance(iterated, cst.Attribute):
            yield from _under_mutex(tree, iterated)
        if access is None or iterated is None or draft.program.shared.is_weak(access):
            return
        walked = _walked(tree, iterated)
        if walked is not None:
            rewriting = Rewriting(tree)
            rewriting.replace(walked, lambda updated: cst.Call(cst.Name("list"), [cst.Arg(updated)]))
            yield Proposal(rewriting.code(), f"Iterate over a copy: `list({tree.spelled(walked)})`")


def _iteration(draft: Draft, finding: Finding) -> SharedAccess | None:
    """What the finding says is iterated; None for the container inside a queue."""
    suspect = suspect_of(draft.program, finding)
    if suspect is not None:
        return suspect.record.access
    for awaited in AwaitedIterations(draft.program).found():
        access = awaited.iteration
        if access.function.module.source.display == finding.path and access.span == span_of(finding):
            return access
    return None


def _under_mutex(tree: Tree, iterated: cst.Attribute) -> Iterator[Proposal]:
    """The line that goes over the container of a queue, under the queue's own lock."""
    line = tree.statement(iterated)
    if not isinstance(line, cst.SimpleStatementLine) or not _only_gathers(line):
        return
    header = f"{tree.spelled(iterated.value)}.mutex"
    block, place = tree.block(line), tree.index(line)
    rewriting = Rewriting(tree)
    rewriting.splice(block, place, place + 1, lambda old: [wrapped(expression(header), old, indent_of(block))])
    yield Proposal(rewriting.code(), f"Hold `{header}` meanwhile")


def _only_gathers(line: cst.SimpleStatementLine) -> bool:
    """Whether nothing is called there but what makes a container of the elements, or counts them."""
    for node in nodes_within(line):
        if isinstance(node, cst.Await):
            return False
        if isinstance(node, cst.Call) and not (isinstance(node.func, cst.Name) and node.func.value in _GATHERING):
            return False
    return True


def _walked(tree: Tree, iterated: cst.BaseExpression) -> cst.BaseExpression | None:
    """What a loop goes over, or the argument of `iter()` and its kin."""
    outer = tree.parent(iterated)
    if isinstance(outer, (cst.For, cst.CompFor)):
        return iterated if outer.iter is iterated and outer.asynchronous is None else None
    if not isinstance(iterated, cst.Call) or not isinstance(iterated.func, cst.Name) or len(iterated.args) != 1:
        return None
    return iterated.args[0].value if not iterated.args[0].star else None
