"""RL201: a lock that outlives the function is given back where the function fails; one that nobody gives back, at the
end of the `finally` that gives back another; one that helpers take and give back, in a `finally`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.statements import indent_of, only_call, statement
from racelint.fixes.tried_release import in_try, left_where_refused
from racelint.model.summary import Call
from racelint.program import Program
from racelint.program.locking.leaks import Tenure
from racelint.syntax.edits import Block, Rewriting, Statement, Tree
from racelint.syntax.nodes import nodes_within


def released_on_error(tree: Tree, tenure: Tenure) -> str | None:
    """What follows `lock.acquire()`, or `if not lock.acquire(timeout=1): return`, goes into a `try` whose
    `except BaseException` gives the lock back and raises again.

    The new text; None where something but an exception leaves the lock held by mistake, where it is given back here,
    and for any other shape.
    """
    acquire = tree.at(tenure.call.span, cst.Call)
    if tenure.releases or tenure.flagged or acquire is None or not isinstance(acquire.func, cst.Attribute):
        return None
    taking = _taking(tree, acquire)
    block = tree.block(taking) if taking is not None else None
    if taking is None or block is None or not isinstance(tree.parent(block), cst.FunctionDef):
        return None
    start = tree.index(taking) + 1
    rest = block.body[start:]
    if not rest or any(isinstance(node, cst.Yield) for entry in rest for node in nodes_within(entry)):
        return None
    release = f"{tree.spelled(acquire.func.value)}.release()"

    def build(body: list[Statement]) -> list[Statement]:
        first, *rest = body
        tried = cst.IndentedBlock([first.with_changes(leading_lines=()), *rest], indent=indent_of(block))
        caught = cst.IndentedBlock([statement(release), statement("raise")], indent=indent_of(block))
        handler = cst.ExceptHandler(caught, cst.Name("BaseException"))
        return [cst.Try(tried, [handler], leading_lines=first.leading_lines)]

    rewriting = Rewriting(tree)
    rewriting.splice(block, start, len(block.body), build)
    return rewriting.code()


def _taking(tree: Tree, acquire: cst.Call) -> Statement | None:
    """The statement behind which the lock is held: the call alone, or an `if` that leaves where it was refused."""
    entry = tree.statement(acquire)
    if entry is not None and only_call(entry) is acquire:
        return entry
    refusal = left_where_refused(tree, acquire)
    return refusal if refusal is not None and isinstance(tree.parent(refusal), Block) else None


def released_beside(program: Program, tree: Tree, tenure: Tenure) -> str | None:
    """A lock that the whole program never gives back is given back in the `finally` of the `try` right behind it."""
    acquire = tree.at(tenure.call.span, cst.Call)
    if acquire is None or not isinstance(acquire.func, cst.Attribute) or tenure.conditional or tenure.handed_on:
        return None
    entry = tree.statement(acquire)
    if entry is None or only_call(entry) is not acquire or any(_releases(program, tenure)):
        return None
    block, place = tree.block(entry), tree.index(entry) + 1
    following = block.body[place] if place < len(block.body) else None
    final = following.finalbody if isinstance(following, cst.Try) else None
    if final is None or not isinstance(final.body, cst.IndentedBlock):
        return None
    release = statement(f"{tree.spelled(acquire.func.value)}.release()")
    rewriting = Rewriting(tree)
    rewriting.splice(final.body, 0, 0, lambda nothing: [release])
    return rewriting.code()


def released_by_helper(tree: Tree, tenure: Tenure) -> str | None:
    """What is done between `self._enter()`, which takes the lock, and the one `self._leave()` goes into a `try`."""
    taking = tree.at(tenure.call.span, cst.Call)
    giving = tree.at(tenure.releases[0].span, cst.Call) if len(tenure.releases) == 1 else None
    begin = tree.statement(taking) if taking is not None else None
    end = tree.statement(giving) if giving is not None else None
    if begin is None or end is None or only_call(begin) is not taking or only_call(end) is not giving:
        return None
    block = tree.block(begin)
    return in_try(tree, block, tree.index(begin) + 1, tree.index(end)) if tree.block(end) is block else None


def _releases(program: Program, tenure: Tenure) -> Iterator[Call]:
    """Where the program gives the lock back."""
    for function in program.index.functions:
        for lock, node, _ in program.flows.of(function).releases:
            if lock.location == tenure.lock.location and isinstance(node, Call):
                yield node
