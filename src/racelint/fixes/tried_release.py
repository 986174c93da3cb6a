"""A lock that may not have been got, as with a timeout: `with` cannot take it, `try` and `finally` give it back."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from racelint.fixes.expressions import variables_in
from racelint.fixes.statements import indent_of, only_call
from racelint.knowledge.locks import RELEASES
from racelint.model.summary import Span
from racelint.program.locking.leaks import Tenure
from racelint.syntax.edits import Block, Rewriting, Statement, Tree
from racelint.syntax.nodes import nodes_within

_BINDING = (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.NamedExpr, cst.For, cst.Del, cst.AsName)


def tried_release(tree: Tree, tenure: Tenure) -> str | None:
    """What is done between `if not lock.acquire(timeout=5): return` and the one `release()` goes into a `try`.

    The same for all in `if lock.acquire(timeout=5):` before the release, and between `if locking: lock.acquire()` and
    `if locking: lock.release()`. The new text; None for any other shape.
    """
    acquire = tree.at(tenure.call.span, cst.Call)
    direct = [call for call in tenure.releases if call.func[0][-1] in RELEASES]
    if len(direct) != 1 or (len(tenure.releases) > 1 and not tenure.flagged):
        return None
    released = tree.at(direct[0].span, cst.Call)
    end = tree.statement(released) if released is not None else None
    if acquire is None or end is None or only_call(end) is not released:
        return None
    if tenure.flagged:
        return _between_conditions(tree, acquire, end)
    block = tree.block(end)
    start = _start(tree, acquire, block)
    if not isinstance(acquire.func, cst.Attribute) or start is None:
        return None
    assert isinstance(released, cst.Call) and isinstance(released.func, cst.Attribute)
    if tree.spelled(released.func.value) != tree.spelled(acquire.func.value):
        return None
    return in_try(tree, block, start, tree.index(end))


def _between_conditions(tree: Tree, acquire: cst.Call, end: Statement) -> str | None:
    begin = tree.statement(acquire)
    taking = _alone_in_if(tree, begin) if begin is not None and only_call(begin) is acquire else None
    giving = _alone_in_if(tree, end)
    if taking is None or giving is None or tree.block(taking) is not tree.block(giving):
        return None
    block, start, stop = tree.block(taking), tree.index(taking) + 1, tree.index(giving)
    same = tree.spelled(taking.test) == tree.spelled(giving.test)
    return in_try(tree, block, start, stop) if same and _keeps(block.body[start:stop], giving.test) else None


def tried_before(tree: Tree, release: Span, raising: Span) -> str | None:
    """What is done from the call or `yield` at `raising` on goes into a `try`, the release into its `finally`.

    The release may stand in an `if` of its own, that asks for local variables. None for any other shape, and where the
    function may return in between: what it leaves held then is its own affair.
    """
    released, first = tree.at(release, cst.Call), tree.at(raising, cst.Call) or tree.at(raising, cst.Yield)
    end = tree.statement(released) if released is not None else None
    if first is None or end is None or only_call(end) is not released:
        return None
    giving = _alone_in_if(tree, end)
    last = giving or end
    if not isinstance(tree.parent(tree.block(last)), cst.FunctionDef):
        return None
    block, stop = tree.block(last), tree.index(last)
    inside = [node for node in (first, *tree.ancestors(first)) if node in block.body]
    start = tree.index(inside[0]) if inside else stop  # type: ignore[arg-type]
    between = block.body[start:stop]
    if any(isinstance(node, cst.Return) for entry in between for node in nodes_within(entry)):
        return None
    return in_try(tree, block, start, stop) if giving is None or _keeps(between, giving.test) else None


def _alone_in_if(tree: Tree, entry: Statement) -> cst.If | None:
    """The `if` that holds the statement and nothing else."""
    branch = tree.parent(tree.block(entry))
    if not isinstance(branch, cst.If) or branch.orelse is not None or len(branch.body.body) != 1:
        return None
    return branch if isinstance(tree.parent(branch), Block) else None


def _keeps(between: Sequence[cst.CSTNode], test: cst.BaseExpression) -> bool:
    """Whether the test says the same before the statements and after: it asks for locals that they do not bind."""
    if any(isinstance(node, (cst.Call, cst.Attribute, cst.Subscript, cst.Await)) for node in nodes_within(test)):
        return False
    names = variables_in(test)
    bound = (node for entry in between for node in nodes_within(entry) if isinstance(node, _BINDING))
    return not any(names & variables_in(getattr(node, "target", node)) for node in bound)


def in_try(tree: Tree, block: Block, start: int, stop: int) -> str | None:
    """The text with `block.body[start:stop]` in a `try`, and what stands behind them in its `finally`."""
    if start >= stop:
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
    branch = tree.parent(acquire)
    if isinstance(branch, cst.If):
        return 0 if branch.test is acquire and branch.body is block else None
    refusal = left_where_refused(tree, acquire)
    return tree.index(refusal) + 1 if refusal is not None and tree.parent(refusal) is block else None


def left_where_refused(tree: Tree, acquire: cst.Call) -> cst.If | None:
    """The `if not lock.acquire(…):` without an `else` that leaves: behind it the lock is held."""
    test = tree.parent(acquire)
    refused = isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not)
    branch = tree.parent(test) if refused else None
    if not isinstance(branch, cst.If) or branch.orelse is not None:
        return None
    last = branch.body.body[-1]
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return branch if isinstance(small, (cst.Return, cst.Raise, cst.Continue, cst.Break)) else None
