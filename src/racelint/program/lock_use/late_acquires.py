"""Locks acquired inside the `try` whose `finally` releases them: what fails before that, releases all the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from racelint.knowledge.locks import ACQUIRES, RELEASES
from racelint.model.summary import Access, AnyNode, Call, Operation, Suspend, Try, With
from racelint.program.flow.values import nodes_of
from racelint.program.linked.primitives import is_own_lock
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.locking.locksets import may_fail
from racelint.program.names.index import FunctionInfo


class LateAcquire(msgspec.Struct, frozen=True):
    """`acquire` stands in the `try` that `release` ends; `before`, if anything, may fail first."""

    function: FunctionInfo
    lock: Lock
    acquire: Call
    release: Call
    before: AnyNode | None


def late_acquires(program: Program) -> Iterator[LateAcquire]:
    """In source order. A lock that was held before the `try` is only taken back in it."""
    for function in program.callees.by_function(words=RELEASES):
        for node in program.stores.facts[function.id].nodes:
            if isinstance(node, Try) and node.final:
                yield from _in_try(program, function, node)


def _in_try(program: Program, function: FunctionInfo, node: Try) -> Iterator[LateAcquire]:
    releases = {lock.identity: call for call, lock in _locks(program, function, node.final, RELEASES)}
    first = next((n.id for n in nodes_of(node.body) if isinstance(n, (Access, Call, With))), -1)
    if not releases or first < 0:
        return
    flow = program.flows.of(function)
    for call, lock in _locks(program, function, [*_always(node.body)], ACQUIRES):
        location, state = lock.location, flow.at(call.id)
        held = location in flow.at(first).may or location in state.dropped or location in state.may
        if lock.identity in releases and not may_fail(call) and not held:
            before = next(filter(lambda n: _may_raise(program, function, n), _until(node.body, call)), None)
            yield LateAcquire(function, lock, call, releases[lock.identity], before)


def _locks(
    program: Program, function: FunctionInfo, nodes: Sequence[AnyNode], methods: frozenset[str]
) -> Iterator[tuple[Call, Lock]]:
    """The calls among `nodes` of one of the methods of a lock."""
    for node in nodes:
        path = node.func[0] if isinstance(node, Call) and node.func else ()
        if isinstance(node, Call) and len(path) > 1 and path[-1] in methods:
            lock = program.locks.of(path[:-1], function)
            if lock is not None and not lock.opaque and is_own_lock(program, path[:-1], function):
                yield node, lock


def _always(block: Sequence[AnyNode]) -> Iterator[AnyNode]:
    """What runs whenever the block does."""
    for node in block:
        if isinstance(node, With):
            yield from _always(node.body)
        else:
            yield node


def _until(block: tuple[AnyNode, ...], call: Call) -> Iterator[AnyNode]:
    for node in nodes_of(block):
        if node is call:
            return
        yield node


def _may_raise(program: Program, function: FunctionInfo, node: AnyNode) -> bool:
    raising = program.flows.raising
    if isinstance(node, Access):
        return raising.access(node, function)
    if isinstance(node, Call):
        return raising.call(node, function)
    return isinstance(node, (Suspend, Operation))
