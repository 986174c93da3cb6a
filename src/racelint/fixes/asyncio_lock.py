"""RL701: a lock that only coroutines take becomes one of asyncio."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.async_home import async_locks_of
from racelint.fixes.base import Fixer, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.imports import imported
from racelint.fixes.places import functions_in, maker_of, span_of, type_of_call
from racelint.model.finding import Finding
from racelint.model.summary import Span, With
from racelint.program import Program
from racelint.program.locations import Location
from racelint.program.locks import Lock
from racelint.syntax.edits import Rewriting, Tree

_MADE = {"threading.Lock": "Lock", "threading.Semaphore": "Semaphore", "threading.BoundedSemaphore": "BoundedSemaphore"}


class AsyncioLock(Fixer):
    """`threading.Lock()` becomes `asyncio.Lock()`, and `with` on it `async with`.

    Unsafe: it no longer excludes threads, or tasks of other event loops. Not offered where anything but a coroutine
    takes the lock, where it is taken by `acquire()`, or where it is handed to something else.
    """

    codes = ("RL701",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Proposal]:
        program, tree = draft.program, draft.tree(finding.path)
        lock = _lock_of(program, finding)
        made = maker_of(program, lock.location) if lock is not None else None
        if lock is None or made is None or made[0].module.source.display != finding.path:
            return
        name = _MADE.get(type_of_call(program, *made))
        call = tree.at(made[1].span, cst.Call)
        blocks = _blocks(program, tree, finding.path, lock.location)
        if not name or call is None or blocks is None:
            return
        rewriting = Rewriting(tree)
        factory = imported(rewriting, "asyncio", name, call)
        rewriting.replace(call, lambda updated: updated.with_changes(func=cst.parse_expression(factory)))
        for block in blocks:
            rewriting.replace(block, lambda updated: updated.with_changes(asynchronous=cst.Asynchronous()))
        reason = "it no longer excludes other threads, or tasks of another event loop"
        claims = async_locks_of(lock.location.owner)
        yield Proposal(rewriting.code(), f"Make `{lock.short}` an `asyncio.{name}`", "unsafe", reason, claims)


def _lock_of(program: Program, finding: Finding) -> Lock | None:
    for function in functions_in(program, finding.path):
        for lock, node, _ in program.flows.of(function).acquisitions:
            if isinstance(node, With) and node.item.span == span_of(finding):
                return lock
    return None


def _blocks(program: Program, tree: Tree, display: str, location: Location) -> list[cst.With] | None:
    """The `with` statements on the lock, all in coroutines of the file; None where it is used in another way."""
    spans: set[Span] = set()
    for function in program.index.functions:
        taken = [node for lock, node, _ in program.flows.of(function).acquisitions if lock.location == location]
        here = {node.item.span for node in taken if isinstance(node, With)}
        facts = program.stores.facts[function.id]
        read = {
            a.span for a in facts.accesses if a.kind == "read" and program.locations.of(a.path, function) == location
        }
        if not read and not taken:
            continue
        threads = any(context.root is not None for context in program.reach.of(function))
        local = function.module.source.display == display and function.ir.is_async and not threads
        if not local or len(here) != len(taken) or not read <= here:
            return None
        spans |= here
    blocks = []
    for span in sorted(spans):
        item = tree.expression_at(span)
        block = tree.statement(item) if item is not None else None
        if not isinstance(block, cst.With) or len(block.items) != 1:
            return None
        blocks.append(block)
    return blocks
