"""RL403: a loop that only looks becomes a wait; the flag that it looks at becomes an event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression, negated, truth
from racelint.fixes.flag_uses import NotAFlag, make_event
from racelint.fixes.imports import imported
from racelint.fixes.kept_comments import comments_below
from racelint.fixes.places import span_of
from racelint.fixes.starting_call import TIGHT
from racelint.fixes.statements import alone, comments_of, line
from racelint.model.finding import Finding
from racelint.program.waiting.busy_waits import BusyWait, BusyWaits
from racelint.syntax.edits import Rewriting, Statement, Tree

_WAITING = frozenset({"wait", "join"})
"""Methods that wait and take nothing away, with a timeout as their first argument."""


class AwaitedEvent(Fixer):
    """`while not done.is_set(): sleep(1)` becomes `done.wait()`, `while t.is_alive()` becomes `t.join()`; a deadline in
    the test becomes the timeout. `while not future.done()` becomes `wait([future])`, and the loop goes away
    before a `get()` that waits itself.

    A flag of the file becomes a `threading.Event`: `self.done = True` is `self.done.set()`, and `if self.done` is
    `if self.done.is_set()`. Waiting on what can be waited for is safe, a flag made an event is not, since code
    elsewhere may read it. Not offered for what is more than a flag: a
    `Condition` with `wait_for` serves there, notified by who changes it.
    """

    codes = ("RL403",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        for wait in BusyWaits(draft.program).found():
            if wait.function.module.source.display != finding.path or wait.span != span_of(finding):
                continue
            loop = _loop_at(tree, wait)
            look = _look(loop) if loop is not None else None
            if loop is None or look is None:
                yield Obstacle("the loop does more than look at one thing until it changes")
                return
            if wait.instead:
                ways = (_waiting, _for_future, _without_loop)
                proposal = next((found for way in ways if (found := way(tree, loop, look, wait)) is not None), None)
                yield proposal or Obstacle("what the loop asks has no method that only waits")
            else:
                yield _with_event(draft, tree, loop, look, wait)
            return


class _Look(NamedTuple):
    """The loop ends when `until` is true; `timeout` is what is left of its time, None where it has no end."""

    until: cst.BaseExpression
    timeout: cst.BaseExpression | None


def _loop_at(tree: Tree, wait: BusyWait) -> cst.While | None:
    node = tree.node_at(wait.span)
    for current in (node, *tree.ancestors(node)) if node is not None else ():
        if isinstance(current, cst.While):
            return current if current.orelse is None else None
    return None


def _look(loop: cst.While) -> _Look | None:
    """What the loop looks at: `while not X:`, `while not X and now() < end:`, `while True: if X: break`."""
    test = truth(loop.test)
    if isinstance(test, cst.Name) and test.value == "True":
        first = loop.body.body[0]
        leaves = isinstance(first, cst.If) and first.orelse is None and _is_break(first.body)
        return _Look(truth(first.test), None) if leaves and isinstance(first, cst.If) else None
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        left = _time_left(test.right)
        return _Look(negated(truth(test.left)), left) if left is not None else None
    return _Look(negated(test), None)


def _is_break(body: cst.BaseSuite) -> bool:
    only = body.body[0] if len(body.body) == 1 else None
    small = alone(only) or only
    return isinstance(small, cst.Break)


def _time_left(test: cst.BaseExpression) -> cst.BaseExpression | None:
    """`end - now()` for `now() < end`, nothing below zero."""
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    operator, end = test.comparisons[0].operator, test.comparisons[0].comparator
    if not isinstance(test.left, cst.Call) or not isinstance(operator, (cst.LessThan, cst.LessThanEqual)):
        return None
    left = cst.BinaryOperation(end, cst.Subtract(), test.left)
    return cst.Call(cst.Name("max"), [cst.Arg(cst.Integer("0")), cst.Arg(left)])


def _waited(waited: cst.BaseExpression, method: str, look: _Look) -> cst.Call:
    args = [cst.Arg(look.timeout)] if look.timeout is not None else []
    return cst.Call(cst.Attribute(waited, cst.Name(method)), args)


def _comments_inside(loop: cst.While) -> list[cst.EmptyLine]:
    return [entry for body in loop.body.body if isinstance(body, Statement) for entry in comments_of(body)]


def _replaced(rewriting: Rewriting, loop: cst.While, waiting: cst.Call) -> None:
    """The wait in place of the loop, whose comments it keeps."""
    block = rewriting.tree.block(loop)
    place = rewriting.tree.index(loop)
    call = line(cst.Expr(waiting), leading=loop.leading_lines)
    header = loop.body.header if isinstance(loop.body, cst.IndentedBlock) else None
    inner = _comments_inside(loop)

    def build(old: list[Statement]) -> list[Statement]:
        first = call.with_changes(leading_lines=(*loop.leading_lines, *inner))
        wait = first.with_changes(trailing_whitespace=header) if header is not None else first
        return [wait, *comments_below(loop.body)]

    rewriting.splice(block, place, place + 1, build)


def _waiting(tree: Tree, loop: cst.While, look: _Look, wait: BusyWait) -> Proposal | None:
    """The object that the loop asks has a method that waits."""
    asked = _asked(look)
    if wait.instead not in _WAITING or asked is None:
        return None
    rewriting = Rewriting(tree)
    _replaced(rewriting, loop, _waited(asked, wait.instead, look))
    return Proposal(rewriting.code(), f"Wait with `{tree.spelled(asked)}.{wait.instead}()`")


def _for_future(tree: Tree, loop: cst.While, look: _Look, wait: BusyWait) -> Proposal | None:
    """`concurrent.futures.wait` waits for a future, and does not raise what it holds."""
    asked = _asked(look)
    if wait.instead != "result" or asked is None:
        return None
    rewriting = Rewriting(tree)
    waiting = imported(rewriting, "concurrent.futures", "wait", loop)
    args = [cst.Arg(cst.List([cst.Element(asked)]))]
    if look.timeout is not None:
        args.append(cst.Arg(look.timeout, keyword=cst.Name("timeout"), equal=TIGHT))
    _replaced(rewriting, loop, cst.Call(expression(waiting), args))
    return Proposal(rewriting.code(), f"Wait with `{waiting}()`")


def _without_loop(tree: Tree, loop: cst.While, look: _Look, wait: BusyWait) -> Proposal | None:
    """The next line takes from the queue that was asked: it waits itself."""
    asked = _asked(look)
    if wait.instead != "get" or asked is None or look.timeout is not None:
        return None
    block, place = tree.block(loop), tree.index(loop)
    following = block.body[place + 1] if place + 1 < len(block.body) else None
    getting = f"{tree.spelled(asked)}.get"
    small = alone(following)
    taken = small.value if isinstance(small, (cst.Assign, cst.Return, cst.Expr)) else None
    if not isinstance(following, Statement) or not isinstance(taken, cst.Call) or taken.args:
        return None
    if tree.spelled(taken.func) != getting:
        return None
    rewriting = Rewriting(tree)
    above = [*loop.leading_lines, *_comments_inside(loop)]

    def build(old: list[Statement]) -> list[Statement]:
        return [old[1].with_changes(leading_lines=[*above, *old[1].leading_lines])]

    rewriting.splice(block, place, place + 2, build)
    return Proposal(rewriting.code(), f"Leave the waiting to `{getting}()`")


def _asked(look: _Look) -> cst.BaseExpression | None:
    """The object that the loop asks."""
    call = look.until.expression if isinstance(look.until, cst.UnaryOperation) else look.until
    return call.func.value if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) else None


def _with_event(draft: Draft, tree: Tree, loop: cst.While, look: _Look, wait: BusyWait) -> Attempt:
    """The flag becomes an event, here and wherever the file uses it."""
    flag = draft.program.locations.of(wait.path, wait.function)
    if wait.setter is None or flag is None or not isinstance(look.until, (cst.Name, cst.Attribute)):
        return Obstacle("what the loop looks at is more than a flag that others set")
    rewriting = Rewriting(tree)
    try:
        make_event(draft, rewriting, flag, loop)
    except NotAFlag as error:
        return Obstacle(str(error))
    name = tree.spelled(look.until)
    _replaced(rewriting, loop, _waited(expression(name), "wait", look))
    reason = "code that reads the flag elsewhere finds an event there, which is always true"
    return Proposal(rewriting.code(), f"Make `{name}` an event, and wait for it", "unsafe", reason)
