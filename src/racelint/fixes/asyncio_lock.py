"""RL701: a lock that only coroutines take becomes one of asyncio."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.async_home import async_locks_of
from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.imports import drop_unused, imported
from racelint.fixes.lock_safety import span_of_node
from racelint.fixes.places import functions_in, maker_of, named, span_of, type_of_call
from racelint.model.finding import Finding
from racelint.model.summary import AnyNode, Call, With
from racelint.program import Program
from racelint.program.locking.locks import Lock
from racelint.program.objects.locations import Location
from racelint.syntax.edits import Rewriting, Tree

_MADE = {
    "threading.Lock": "Lock",
    "threading.RLock": "Lock",
    "threading.Semaphore": "Semaphore",
    "threading.BoundedSemaphore": "BoundedSemaphore",
}


class AsyncioLock(Fixer):
    """`threading.Lock()` becomes `asyncio.Lock()`, `with` on it `async with`, and its `acquire()` is awaited.

    Unsafe: it no longer excludes threads, or tasks of other event loops. Not offered where anything but a coroutine
    takes the lock (give the threads one of their own), where an `RLock` is taken again by its holder, where `acquire()`
    has arguments or its answer is looked at, or where the lock is handed to something else.
    """

    codes = ("RL701",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        program, tree = draft.program, draft.tree(finding.path)
        lock = _lock_of(program, finding)
        made = maker_of(program, lock.location) if lock is not None else None
        if lock is None or made is None:
            yield Obstacle("it is not plain which call makes the lock")
            return
        if (display := made[0].module.source.display) != finding.path:
            yield Obstacle(f"`{lock.short}` is made in {display}")
            return
        name = _MADE.get(dotted := type_of_call(program, *made))
        call = tree.at(made[1].span, cst.Call)
        if not name or call is None:
            yield Obstacle(f"asyncio has nothing that does what `{dotted}` does")
            return
        takings = _takings(program, tree, finding.path, lock.location)
        if isinstance(takings, Obstacle):
            yield takings
            return
        if lock.reentrant and _is_retaken(program, lock.location):
            yield Obstacle(f"`{lock.short}` is taken again by who holds it, which no lock of asyncio allows")
            return
        rewriting = Rewriting(tree)
        factory = imported(rewriting, "asyncio", name, call)
        drop_unused(rewriting, call.func)
        rewriting.replace(call, lambda updated: updated.with_changes(func=cst.parse_expression(factory)))
        for taking in takings:
            rewriting.replace(taking, _awaited)
        reason = "it no longer excludes other threads, or tasks of another event loop"
        claims = async_locks_of(lock.location.owner)
        yield Proposal(rewriting.code(), f"Make `{lock.short}` an `asyncio.{name}`", "unsafe", reason, claims)


def _lock_of(program: Program, finding: Finding) -> Lock | None:
    for function in functions_in(program, finding.path):
        for lock, node, _ in program.flows.of(function).acquisitions:
            if span_of_node(node) == span_of(finding):
                return lock
    return None


def _is_retaken(program: Program, location: Location) -> bool:
    """Whether its holder takes it again, here or in what it awaits: a lock of asyncio lets nobody in twice."""
    for function in program.index.functions:
        taken = [state for lock, _, state in program.flows.of(function).acquisitions if lock.location == location]
        held = {lock.location for context in program.reach.of(function) for lock in context.held} if taken else set()
        if location in held or any(state.hold(location) is not None for state in taken):
            return True
    return False


def _takings(program: Program, tree: Tree, display: str, location: Location) -> list[cst.With | cst.Call] | Obstacle:
    """The `with` statements on the lock and the calls of its `acquire()`, all in coroutines of the file.

    An obstacle where it is used in another way: all that reads it must be one of them, or a plain `release()`.
    """
    found: list[cst.With | cst.Call] = []
    for function in program.index.functions:
        flow, facts = program.flows.of(function), program.stores.facts[function.id]
        taken = [node for lock, node, _ in flow.acquisitions if lock.location == location]
        given = [node for lock, node, _ in flow.releases if lock.location == location and isinstance(node, Call)]
        reads = [a for a in facts.accesses if a.kind == "read" and program.locations.of(a.path, function) == location]
        if not reads and not taken:
            continue
        threads = any(context.root is not None for context in program.reach.of(function))
        if function.module.source.display != display:
            return Obstacle(f"`{location.attribute}` is used in {function.module.source.display}, too")
        if not function.ir.is_async or threads:
            what = "which runs on a thread" if threads else "which is no coroutine"
            return Obstacle(f"{named(function)}, {what}, uses `{location.attribute}`, too")
        uses = [_block(tree, node) if isinstance(node, With) else _plain(tree, node) for node in taken]
        ends = [_plain(tree, node) for node in given]
        spelled = {tree.span(use.func.value) for use in (*uses, *ends) if isinstance(use, cst.Call)}  # type: ignore[attr-defined]
        entered = {tree.span(use.items[0].item) for use in uses if isinstance(use, cst.With)}
        known = [use for use in uses if use is not None]
        plain = len(known) == len(uses) and None not in ends
        if not plain or not {access.span for access in reads} <= spelled | entered:
            does = f"{named(function)} does more with `{location.attribute}` than take it and give it back"
            return Obstacle(f"{does}, as an `asyncio` lock would need")
        found += known
    return found


def _block(tree: Tree, node: With) -> cst.With | None:
    item = tree.expression_at(node.item.span)
    block = tree.statement(item) if item is not None else None
    return block if isinstance(block, cst.With) and len(block.items) == 1 else None


def _plain(tree: Tree, node: AnyNode) -> cst.Call | None:
    """A call of a method of the lock that has no arguments, and an answer that nobody looks at."""
    call = tree.at(span_of_node(node), cst.Call)
    statement = tree.statement(call) if call is not None else None
    if call is None or statement is None or call.args or not isinstance(call.func, cst.Attribute):
        return None
    return call if isinstance(tree.parent(call), cst.Expr) else None


def _awaited(updated: cst.CSTNode) -> cst.CSTNode:
    if isinstance(updated, cst.With):
        return updated.with_changes(asynchronous=cst.Asynchronous())
    assert isinstance(updated, cst.Call)
    return cst.Await(updated)
