"""RL104: a queue is not asked and then waited for: `get_nowait()` says itself that nothing is there any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from racelint.fixes.base import Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.imports import imported
from racelint.fixes.places import functions_in, span_of
from racelint.fixes.statements import alone, indent_of, line, statement, unused_name
from racelint.model.finding import Finding
from racelint.program.races.asked_queues import AskedQueue, asked_queues, is_of_queue
from racelint.syntax.edits import Block, Rewriting, Statement, Tree

_LATER = (cst.Lambda, cst.BaseComp, cst.IfExp, cst.BooleanOperation)
_LEAVING = (cst.Return, cst.Raise, cst.Break, cst.Continue)


class _Take(NamedTuple):
    """`entry`, a line of its own, takes an element by `call` and does something with it, or stores it alone."""

    tree: Tree
    entry: cst.SimpleStatementLine
    call: cst.Call
    queue: cst.BaseExpression

    def in_try(self, rewriting: Rewriting, block: Block, empty: cst.BaseSuite) -> tuple[cst.Try, list[Statement]]:
        """`try: item = queue.get_nowait()`, with what is done where the queue is `empty`, and what is done with it."""
        taken = self.call.with_changes(func=cst.Attribute(self.queue, cst.Name("get_nowait")), args=[])
        small = alone(self.entry)
        if isinstance(small, cst.Assign) and small.value is self.call:
            take, using = self.entry.deep_replace(self.call, taken), []
        else:
            name = cst.Name(unused_name(self.tree, self.entry, "item"))
            take = line(cst.Assign([cst.AssignTarget(name)], taken))
            using = [self.entry.with_changes(leading_lines=()).deep_replace(self.call, name)]
        assert isinstance(take, Statement)
        raised = expression(imported(rewriting, "queue", "Empty", self.entry))
        body = cst.IndentedBlock([take.with_changes(leading_lines=self.entry.leading_lines)], indent=indent_of(block))
        return cst.Try(body, [cst.ExceptHandler(empty, raised)]), [n for n in using if isinstance(n, Statement)]


def tried_get(draft: Draft, finding: Finding) -> Proposal | None:
    """`while not q.empty(): use(q.get())` with `try: item = q.get_nowait()`, `except queue.Empty: break`; so with `if`.

    None where the finding is of another kind, and where the element is not taken first thing, or by another class.
    """
    functions = set(functions_in(draft.program, finding.path))
    found = (asked for asked in asked_queues(draft.program) if asked.take.span == span_of(finding))
    asked = next((asked for asked in found if asked.record.access.function in functions), None)
    tree = draft.tree(finding.path)
    take = _take(draft, tree, asked) if asked is not None else None
    ask = tree.at(asked.ask.span, cst.Call) if asked is not None else None
    branch = next((n for n in tree.ancestors(ask) if isinstance(n, (cst.If, cst.While))), None) if ask else None
    if take is None or ask is None or branch is None or not isinstance(tree.parent(branch), Block):
        return None
    rewriting = Rewriting(tree)
    rewritten = _loop if isinstance(branch, cst.While) else _branch
    if not rewritten(rewriting, take, branch, ask):
        return None
    said = f"Take with `{tree.spelled(take.queue)}.get_nowait()`, which says where nothing is left"
    return Proposal(rewriting.code(), said)


def _take(draft: Draft, tree: Tree, asked: AskedQueue) -> _Take | None:
    call = tree.at(asked.take.span, cst.Call)
    entry = tree.statement(call) if call is not None else None
    if call is None or not isinstance(call.func, cst.Attribute) or not isinstance(entry, cst.SimpleStatementLine):
        return None
    path, function = asked.take.func[0], asked.record.access.function
    if alone(entry) is None or not is_of_queue(draft.program, path, function, frozenset({path[-1]})):
        return None
    for outer in tree.ancestors(call):
        if outer is entry:
            break
        if isinstance(outer, _LATER):
            return None
    return _Take(tree, entry, call, call.func.value)


def _says_full(test: cst.BaseExpression, ask: cst.Call) -> bool | None:
    """Whether the test is true where something is there, or where nothing is; None where it asks for more."""
    assert isinstance(ask.func, cst.Attribute)
    counts = ask.func.attr.value == "qsize"
    if test is ask:
        return counts
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = _says_full(test.expression, ask)
        return None if inner is None else not inner
    if counts and isinstance(test, cst.Comparison) and test.left is ask and len(test.comparisons) == 1:
        operator, side = test.comparisons[0].operator, test.comparisons[0].comparator
        zero = isinstance(side, cst.Integer) and side.value == "0"
        if zero and isinstance(operator, (cst.GreaterThan, cst.NotEqual)):
            return True
        return False if zero and isinstance(operator, cst.Equal) else None
    return None


def _loop(rewriting: Rewriting, take: _Take, loop: cst.While | cst.If, ask: cst.Call) -> bool:
    """`while not q.empty():`, whatever else it asks for."""
    test, others = loop.test, cst.Name("True")
    kept: cst.BaseExpression = others
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        sides = (test.left, test.right)
        place = next((n for n, side in enumerate(sides) if _says_full(side, ask)), None)
        if place is None:
            return False
        test, kept = sides[place], sides[1 - place].with_changes(lpar=[], rpar=[])
    body = loop.body
    if not _says_full(test, ask) or loop.orelse is not None or body.body[0] is not take.entry:
        return False
    assert isinstance(body, cst.IndentedBlock)
    tried, using = take.in_try(rewriting, body, _suite(body, [statement("break")]))
    rewriting.replace(loop.test, lambda updated: kept)
    rewriting.splice(body, 0, 1, lambda old: [tried, *using])
    return True


def _branch(rewriting: Rewriting, take: _Take, branch: cst.While | cst.If, ask: cst.Call) -> bool:
    """`if not q.empty():` around what takes, and `if q.empty(): return` before it."""
    tree, block, place = take.tree, take.tree.block(branch), take.tree.index(branch)
    full, body, orelse = _says_full(branch.test, ask), branch.body, branch.orelse
    if full is None or not isinstance(body, cst.IndentedBlock) or isinstance(orelse, cst.If):
        return False
    if full and body.body[0] is take.entry:
        empty = orelse.body if isinstance(orelse, cst.Else) else _suite(body, [statement("pass")])
        tried, using = take.in_try(rewriting, body, empty)
        rest = body.with_changes(body=[*using, *body.body[1:]])
        otherwise = cst.Else(rest) if rest.body else None
        whole = tried.with_changes(orelse=otherwise, leading_lines=branch.leading_lines)
        rewriting.splice(block, place, place + 1, lambda old: [whole])
        return True
    if full or orelse is not None or not _leaves(body) or list(block.body[place + 1 : place + 2]) != [take.entry]:
        return False
    tried, using = take.in_try(rewriting, block, body)
    whole = tried.with_changes(leading_lines=branch.leading_lines)
    rewriting.splice(block, place, place + 2, lambda old: [whole, *using])
    return tree.block(take.entry) is block


def _leaves(body: cst.IndentedBlock) -> bool:
    last = body.body[-1]
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], _LEAVING)


def _suite(like: Block, body: Sequence[Statement]) -> cst.IndentedBlock:
    return cst.IndentedBlock(list(body), indent=indent_of(like))
