"""Several locks taken one after the other: where one is refused, those before it are given back."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.statements import indent_of, statement
from racelint.knowledge.locks import ACQUIRES
from racelint.model.summary import Return
from racelint.program.locking.leaks import Tenure
from racelint.syntax.edits import Rewriting, Statement, Tree


def partial_acquire(tree: Tree, tenure: Tenure) -> Iterator[str]:
    """New texts for `return a.acquire(timeout=1) and b.acquire(timeout=1)`, and for a `return` that leaves `a` held
    where `b` is refused."""
    acquire = tree.at(tenure.call.span, cst.Call)
    if acquire is None or not isinstance(acquire.func, cst.Attribute):
        return
    lock = tree.spelled(acquire.func.value)
    both = tree.parent(acquire)
    if isinstance(both, cst.BooleanOperation):
        text = _one_by_one(tree, both, acquire, lock)
        if text is not None:
            yield text
        return
    refused = [leak.node for leak in tenure.leaks if leak.kind == "refused" and isinstance(leak.node, Return)]
    if refused:
        text = _given_back_before(tree, refused, lock)
        if text is not None:
            yield text


def _one_by_one(tree: Tree, both: cst.BooleanOperation, acquire: cst.Call, lock: str) -> str | None:
    returned = tree.parent(both)
    entry = tree.statement(both)
    if not isinstance(both.operator, cst.And) or both.left is not acquire or not _is_acquire(both.right):
        return None
    if not isinstance(returned, cst.Return) or not isinstance(entry, cst.SimpleStatementLine) or len(entry.body) != 1:
        return None
    block, place = tree.block(entry), tree.index(entry)

    def build(old: list[Statement]) -> list[Statement]:
        inner = _if(_plain(both.right), [statement("return True")])
        outer = _if(_plain(both.left), [inner, statement(f"{lock}.release()")])
        return [outer.with_changes(leading_lines=old[0].leading_lines), statement("return False")]

    def _if(test: cst.BaseExpression, body: list[Statement]) -> cst.If:
        return cst.If(test=test, body=cst.IndentedBlock(body, indent=indent_of(block)))

    rewriting = Rewriting(tree)
    rewriting.splice(block, place, place + 1, build)
    return rewriting.code()


def _plain(test: cst.BaseExpression) -> cst.BaseExpression:
    return test.with_changes(lpar=[], rpar=[])


def _is_acquire(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in ACQUIRES


def _given_back_before(tree: Tree, refused: list[Return], lock: str) -> str | None:
    """The release goes right before each `return`, which stands in the `if` that asks for the other lock."""
    rewriting = Rewriting(tree)
    for node in refused:
        returned = tree.at(node.span, cst.Return)
        entry = tree.statement(returned) if returned is not None else None
        if not isinstance(entry, cst.SimpleStatementLine) or len(entry.body) != 1:
            return None
        place = tree.index(entry)
        rewriting.splice(tree.block(entry), place, place + 1, lambda old: [_release(lock, old[0]), _close(old[0])])
    return rewriting.code()


def _release(lock: str, before: Statement) -> Statement:
    return statement(f"{lock}.release()").with_changes(leading_lines=before.leading_lines)


def _close(entry: Statement) -> Statement:
    return entry.with_changes(leading_lines=())
