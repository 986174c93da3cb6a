"""RL301: the `if` around a `wait()` becomes a `while`, or `wait_for` where the wait has a timeout."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.asked_after import asked_after
from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import bare, negated
from racelint.fixes.kept_comments import comments_below
from racelint.fixes.lock_safety import is_inside
from racelint.fixes.places import changes_elsewhere, span_of
from racelint.fixes.statements import alone, comments_of, indent_of, line, only_call
from racelint.model.finding import Finding
from racelint.model.summary import Access
from racelint.program import Program
from racelint.program.waiting.waits import Wait, waits_of
from racelint.syntax.edits import Block, Rewriting, Tree
from racelint.syntax.nodes import nodes_within


class WhileAroundWait(Fixer):
    """`if not ready: cv.wait()` becomes `while not ready: cv.wait()`; with a timeout, `cv.wait_for(lambda: ready, 5)`.

    Safe: a thread that is woken for nothing waits on, and one that is woken rightly goes on as before.
    Where the `if` does more than wait, the wait itself becomes a `wait_for`. Unsafe where no test stands before the
    wait: it waits for what the line behind it must find, as `if not self.done: raise` does.
    Not offered where that line is missing, too, or where nobody else changes what it reads, as with an answer
    that was kept in a variable: the loop would never end.
    """

    codes = ("RL301",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        for wait in waits_of(draft.program):
            display = wait.function.module.source.display
            if display != finding.path or wait.call.span != span_of(finding):
                continue
            if wait.guard is None:
                asked = asked_after(draft.program, tree, wait)
                yield asked or Obstacle("no test around the wait says what is waited for")
                return
            if not _may_change(draft.program, wait):
                yield Obstacle("nobody else is seen to change what the test reads: the loop would never end")
                return
            branch = _if_around(tree, wait)
            if branch is not None:
                proposal = _timed(tree, wait, branch) if wait.timed else _looping(tree, branch)
            else:
                proposal = _after_or(tree, wait) or _in_place(tree, wait)
            yield proposal or Obstacle("the test cannot be made again where the wait stands")
            return


def _if_around(tree: Tree, wait: Wait) -> cst.If | None:
    """The `if` that decides on the wait and does nothing behind it."""
    test = tree.expression_at(wait.guard.span) if wait.guard is not None else None
    call = tree.at(wait.call.span, cst.Call)
    branch = tree.parent(test) if test is not None else None
    if call is None or not isinstance(branch, cst.If) or branch.orelse is not None:
        return None
    if not isinstance(tree.parent(branch), Block) or only_call(branch.body.body[-1]) is not call:
        return None
    names = any(isinstance(node, cst.NamedExpr) for node in nodes_within(branch))
    return None if names or _leaves_early(branch.body) else branch


def _leaves_early(body: cst.CSTNode) -> bool:
    """A jump in the `if` would mean another loop, once that is one itself."""
    return any(isinstance(node, (cst.Break, cst.Continue, cst.Return, cst.Raise)) for node in nodes_within(body))


def _may_change(program: Program, wait: Wait) -> bool:
    """Whether some other function changes what the test reads when it is made again.

    Of what was read before and kept in a variable, that is what a container holds.
    """
    assert wait.guard is not None
    facts = program.stores.facts[wait.function.id]
    for dep in wait.guard.deps:
        event = facts.events.get(dep)
        again = event is None or is_inside(event.span, wait.guard.span)
        if not isinstance(event, Access):
            if again:
                return True  # a call: what it reads is its own affair
            continue
        location = program.locations.of(event.path, wait.function)
        if location is None:
            continue
        read = (location, location.below("[*]"))[not again :]
        if any(changes_elsewhere(program, changed, wait.function) for changed in read):
            return True
    return False


def _looping(tree: Tree, branch: cst.If) -> Proposal:
    rewriting = Rewriting(tree)
    rewriting.replace(
        branch,
        lambda updated: cst.While(
            test=updated.test,
            body=updated.body,
            leading_lines=updated.leading_lines,
            whitespace_after_while=updated.whitespace_before_test,
            whitespace_before_colon=updated.whitespace_after_test,
        ),
    )
    return Proposal(rewriting.code(), "Test the condition again after each `wait()`: `while` for `if`")


def _timed(tree: Tree, wait: Wait, branch: cst.If) -> Proposal | None:
    """`wait_for` has the loop inside, and one timeout for all its turns."""
    call = tree.at(wait.call.span, cst.Call)
    assert call is not None
    if len(branch.body.body) != 1 or len(call.args) != 1 or not isinstance(call.func, cst.Attribute):
        return None
    line = branch.body.body[0]
    test = negated(branch.test)
    predicate = cst.Arg(cst.Lambda(cst.Parameters(), test.with_changes(lpar=[], rpar=[]) if test.lpar else test))
    waiting = call.with_changes(func=call.func.with_changes(attr=cst.Name("wait_for")), args=[predicate, call.args[0]])
    if not isinstance(line, cst.SimpleStatementLine):
        return None
    above = (*branch.leading_lines, *(entry for entry in comments_of(line) if entry.comment in _above(line)))
    moved = line.with_changes(body=[cst.Expr(waiting)], leading_lines=above)
    rewriting = Rewriting(tree)
    block, place = tree.block(branch), tree.index(branch)
    rewriting.splice(block, place, place + 1, lambda old: [moved, *comments_below(branch.body)])
    return Proposal(rewriting.code(), f"Use `{tree.spelled(call.func.value)}.wait_for(…)`, which tests again")


def _after_or(tree: Tree, wait: Wait) -> Proposal | None:
    """`self.open or cv.wait()` as a `while`."""
    call = tree.at(wait.call.span, cst.Call)
    both = tree.parent(call) if call is not None else None
    entry = tree.statement(both) if both is not None else None
    small = alone(entry)
    if not isinstance(both, cst.BooleanOperation) or both.right is not call or entry is None or wait.timed:
        return None
    if not isinstance(small, cst.Expr) or small.value is not both:
        return None
    test = negated(both.left) if isinstance(both.operator, cst.Or) else both.left
    rewriting = Rewriting(tree)
    block, place = tree.block(entry), tree.index(entry)
    body = cst.IndentedBlock([line(cst.Expr(call))], indent=indent_of(block))
    loop = cst.While(bare(test), body, leading_lines=entry.leading_lines)
    rewriting.splice(block, place, place + 1, lambda old: [loop])
    return Proposal(rewriting.code(), "Test the condition again after each `wait()`: `while` for `or`")


def _in_place(tree: Tree, wait: Wait) -> Proposal | None:
    """`cv.wait()` deep in an `if`, or in its `else`, waits for what the test says."""
    assert wait.guard is not None
    call, test = tree.at(wait.call.span, cst.Call), tree.expression_at(wait.guard.span)
    branch = tree.parent(test) if test is not None else None
    if call is None or test is None or not isinstance(branch, cst.If) or not isinstance(call.func, cst.Attribute):
        return None
    if any(isinstance(node, (cst.NamedExpr, cst.Await)) for node in nodes_within(test)):
        return None
    holders = {id(node) for node in tree.ancestors(call)}
    predicate = negated(test) if id(branch.body) in holders else test
    waiting = cst.Lambda(cst.Parameters(), bare(predicate) if "\n" not in tree.spelled(predicate) else predicate)
    rewriting = Rewriting(tree)
    func = call.func.with_changes(attr=cst.Name("wait_for"))
    rewriting.replace(call, lambda updated: updated.with_changes(func=func, args=[cst.Arg(waiting), *updated.args]))
    return Proposal(rewriting.code(), f"Use `{tree.spelled(call.func.value)}.wait_for(…)`, which tests again")


def _above(line: cst.SimpleStatementLine) -> list[cst.Comment | None]:
    return [empty.comment for empty in line.leading_lines]
