"""RL301: a bare `wait()` waits for what the line behind it asks for."""

from __future__ import annotations

import libcst as cst

from racelint.fixes.base import Proposal
from racelint.fixes.expressions import bare, is_loud, negated
from racelint.fixes.lock_safety import is_inside
from racelint.fixes.places import changes_elsewhere, stored_at
from racelint.fixes.statements import alone, only_call
from racelint.program import Program
from racelint.program.waiting.waits import Wait
from racelint.syntax.edits import Rewriting, Statement, Tree


def asked_after(program: Program, tree: Tree, wait: Wait) -> Proposal | None:
    """`cv.wait(5)` before `if not self.done: raise`, or `return self.done`, as `cv.wait_for(lambda: self.done, 5)`.

    None where the function goes on without what is asked for, or nobody else changes it.
    """
    call = tree.at(wait.call.span, cst.Call)
    entry = tree.statement(call) if call is not None else None
    if call is None or entry is None or only_call(entry) is not call or not isinstance(call.func, cst.Attribute):
        return None
    asked = _asked(program, wait, tree, entry)
    if asked is None or is_loud(asked) or "\n" in tree.spelled(asked) or not _may_change(program, tree, wait, asked):
        return None
    waiting = [cst.Arg(cst.Lambda(cst.Parameters(), bare(asked))), *call.args]
    func = call.func.with_changes(attr=cst.Name("wait_for"))
    rewriting = Rewriting(tree)
    rewriting.replace(call, lambda updated: updated.with_changes(func=func, args=waiting))
    said = f"Use `{tree.spelled(call.func.value)}.wait_for(…)`, which tests before and again"
    return Proposal(rewriting.code(), said, "unsafe", "what is waited for is taken from the line behind the wait")


def _asked(program: Program, wait: Wait, tree: Tree, entry: Statement) -> cst.BaseExpression | None:
    """What must be true for the function to go on behind the wait, or the yes or no that it gives back."""
    following = _behind(tree, entry)
    branch, after = (following[0], following[1:]) if following else (None, [])
    given = alone(branch)
    if isinstance(given, cst.Return):
        return given.value if given.value is not None and _is_yes_or_no(program, wait, tree, given.value) else None
    if not isinstance(branch, cst.If) or branch.orelse is not None:
        return None
    last = branch.body.body[-1]
    if not isinstance(alone(last) or last, (cst.Raise, cst.Return)):
        return None
    if after and isinstance(alone(after[0]), cst.Raise):
        return branch.test
    refused = isinstance(branch.test, cst.UnaryOperation) and isinstance(branch.test.operator, cst.Not)
    return negated(branch.test) if refused else None


def _is_yes_or_no(program: Program, wait: Wait, tree: Tree, value: cst.BaseExpression) -> bool:
    """Whether it is a comparison, or an attribute that is never anything but True and False."""
    if isinstance(value, cst.Comparison):
        return True
    span = tree.span(value)
    accesses = program.stores.facts[wait.function.id].accesses
    location = next((program.locations.of(a.path, wait.function) for a in accesses if a.span == span), None)
    stored = [path for entry in stored_at(program, location) for path in entry.value] if location is not None else []
    return bool(stored) and all(path in (("k:True",), ("k:False",)) for path in stored)


def _behind(tree: Tree, entry: Statement) -> list[cst.CSTNode]:
    """The statements behind the wait; where the `with` ends with it, those behind that."""
    block, place = tree.block(entry), tree.index(entry)
    following: list[cst.CSTNode] = list(block.body[place + 1 :])
    outer = tree.parent(block)
    if following or not isinstance(outer, cst.With) or tree.statement(outer) is not outer:
        return following
    return list(tree.block(outer).body[tree.index(outer) + 1 :])


def _may_change(program: Program, tree: Tree, wait: Wait, asked: cst.BaseExpression) -> bool:
    """Whether some other function changes what is asked for."""
    span = tree.span(asked)
    read = [a for a in program.stores.facts[wait.function.id].accesses if is_inside(a.span, span)]
    return any(changes_elsewhere(program, program.locations.of(a.path, wait.function), wait.function) for a in read)
