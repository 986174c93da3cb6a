"""RL106: a shared container is copied in one step, and the copy is iterated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.places import span_of, suspect_of
from racelint.fixes.statements import indent_of, wrapped
from racelint.model.finding import Finding
from racelint.model.summary import ELEMENT, Span
from racelint.program.coroutines.awaited_iterations import AwaitedIterations
from racelint.program.sharing.shared import SharedAccess
from racelint.syntax.edits import Rewriting, Tree
from racelint.syntax.nodes import nodes_within

_LAZY = ("enumerate", "reversed", "iter", "map", "filter", "zip")
_GATHERING = ("list", "tuple", "set", "dict", "sorted", "sum", "any", "all", "len", "enumerate", "str", "repr")


class Snapshot(Fixer):
    """`for x in self.items:` becomes `for x in list(self.items):`, also where a coroutine awaits between turns; a line
    that goes over `queue.queue` goes under `with queue.mutex:`.

    Safe: the copy is made in one step, and the loop sees what was there when it began. Not offered for weak
    containers, which the garbage collector may resize during the copy, and where calls run under the mutex.
    """

    codes = ("RL106",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        access = _iteration(draft, finding)
        tree = draft.tree(finding.path)
        iterated = tree.expression_at(span_of(finding))
        if access is None and isinstance(iterated, cst.Attribute):
            yield from _under_mutex(tree, iterated)
        if access is None or iterated is None:
            return
        if draft.program.shared.is_weak(access):
            yield Obstacle("the garbage collector may resize a weak container while it is copied")
            return
        name = next(field for field in reversed(access.location.fields) if field != ELEMENT)
        walked = _walked(tree, iterated, name)
        if walked:
            yield _copied(tree, walked)
            others = [tree.expression_at(span) for span in _beside(draft, access)]
            found = [one for other in others if other is not None for one in _walked(tree, other, name)]
            if found:
                yield _copied(tree, [*walked, *found])
        else:
            yield Obstacle("what walks through the container there is not handed a copy of it")


def _copied(tree: Tree, walked: Sequence[cst.BaseExpression]) -> Proposal:
    rewriting = Rewriting(tree)
    for one in walked:
        rewriting.replace(one, lambda updated: cst.Call(cst.Name("list"), [cst.Arg(updated)]))
    names = " and ".join(dict.fromkeys(f"`list({tree.spelled(one)})`" for one in walked))
    return Proposal(rewriting.code(), f"Iterate over a copy: {names}")


def _beside(draft: Draft, access: SharedAccess) -> list[Span]:
    """Where the same function iterates the same container again, with no lock: a finding tells of one place alone."""
    flow = draft.program.flows.of(access.function)
    return [
        other.span
        for other in draft.program.shared.of(access.function)
        if other.deed == "iterate"
        and other.location == access.location
        and other.span != access.span
        and not flow.at(other.event).must
    ]


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


def _under_mutex(tree: Tree, iterated: cst.Attribute) -> Iterator[Attempt]:
    """The line that goes over the container of a queue, under the queue's own lock."""
    line = tree.statement(iterated)
    if not isinstance(line, cst.SimpleStatementLine) or not _only_gathers(line):
        yield Obstacle("other calls would run with the queue's own lock held")
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


def _walked(tree: Tree, iterated: cst.BaseExpression, name: str) -> list[cst.BaseExpression]:
    """What of an iteration goes over the container called `name`: in a lazy builtin, or a call that walks, an argument.

    A copy of all that such a builtin gives would run its function between two steps.
    """
    outer = tree.parent(iterated)
    if isinstance(outer, cst.CompFor) and outer.asynchronous is not None:
        return []
    if isinstance(outer, (cst.For, cst.CompFor)) and outer.iter is iterated:
        return _inner(tree, iterated, name) if outer.asynchronous is None else []
    if isinstance(outer, (cst.From, cst.Arg)):
        return _inner(tree, iterated, name)
    if not isinstance(iterated, cst.Call) or not isinstance(iterated.func, (cst.Name, cst.Attribute)):
        return []
    return [found for arg in _arguments(iterated) for found in _inner(tree, arg, name) if _speaks_of(tree, arg, name)]


def _inner(tree: Tree, walked: cst.BaseExpression, name: str) -> list[cst.BaseExpression]:
    """The arguments of `enumerate` and its kin that speak of the container; any other expression itself."""
    lazy = isinstance(walked, cst.Call) and isinstance(walked.func, cst.Name) and walked.func.value in _LAZY
    if not isinstance(walked, cst.Call) or not lazy:
        return [walked]
    given = [arg for arg in _arguments(walked) if _speaks_of(tree, arg, name)]
    return [found for arg in given for found in _inner(tree, arg, name)] or [walked]


def _arguments(call: cst.Call) -> list[cst.BaseExpression]:
    return [arg.value for arg in call.args if not arg.star and arg.keyword is None]


def _speaks_of(tree: Tree, node: cst.BaseExpression, name: str) -> bool:
    return name in re.findall(r"\w+", tree.spelled(node)) and not isinstance(node, cst.Lambda)
