"""A lock that may not have been got, as with a timeout: `with` cannot take it, `try` and `finally` give it back."""

from __future__ import annotations

import libcst as cst

from racelint.fixes.statements import indent_of, only_call
from racelint.program.leaks import Tenure
from racelint.syntax.edits import Block, Rewriting, Statement, Tree


def tried_release(tree: Tree, tenure: Tenure) -> str | None:
    """What is done between `if not lock.acquire(timeout=5): return` and the one `release()` goes into a `try`.

    The same for all in `if lock.acquire(timeout=5):` before the release. The new text; None for any other shape.
    """
    acquire = tree.at(tenure.call.span, cst.Call)
    released = tree.at(tenure.releases[0].span, cst.Call) if len(tenure.releases) == 1 else None
    end = tree.statement(released) if released is not None else None
    if acquire is None or end is None or only_call(end) is not released or not isinstance(acquire.func, cst.Attribute):
        return None
    block = tree.block(end)
    start = _start(tree, acquire, block)
    stop = tree.index(end)
    assert isinstance(released, cst.Call) and isinstance(released.func, cst.Attribute)
    if start is None or start >= stop or tree.spelled(released.func.value) != tree.spelled(acquire.func.value):
        return None
    rewriting = Rewriting(tree)

    def build(statements: list[Statement]) -> list[Statement]:
        first, *rest = statements[:-1]
        body = cst.IndentedBlock([first.with_changes(leading_lines=()), *rest], indent=indent_of(block))
        last = statements[-1].with_changes(leading_lines=[e for e in statements[-1].leading_lines if e.comment])
        final = cst.Finally(cst.IndentedBlock([last], indent=indent_of(block)))
        return [cst.Try(body=body, finalbody=final, leading_lines=first.leading_lines)]

    rewriting.splice(block, start, stop + 1, build)
    return rewriting.code()


def _start(tree: Tree, acquire: cst.Call, block: Block) -> int | None:
    """Where in the block the lock is surely held from."""
    test = tree.parent(acquire)
    refused = isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not)
    branch = tree.parent(test) if refused else test
    if not isinstance(branch, cst.If):
        return None
    if not refused:
        return 0 if branch.test is acquire and branch.body is block else None
    last = branch.body.body[-1] if branch.orelse is None else None
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    leaves = isinstance(small, (cst.Return, cst.Raise, cst.Continue, cst.Break))
    return tree.index(branch) + 1 if leaves and tree.parent(branch) is block else None
