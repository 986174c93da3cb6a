"""Locks of threads that a coroutine holds while other tasks run."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Access, AnyNode, Call, Loop, Span, Suspend, With
from racelint.program.flow.values import nodes_of
from racelint.program.linker import Program
from racelint.program.locking.lock_state import Hold
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo


class HeldAcross(msgspec.Struct, frozen=True):
    """`lock`, taken at `taken` (None where that is not in the function), is held at the switch point `switch`."""

    function: FunctionInfo
    lock: Lock
    taken: Span | None
    switch: Span


def locks_across_awaits(program: Program) -> Iterator[HeldAcross]:
    """In source order, the first switch point of each critical section."""
    points = program.switch_points
    for function in program.index.functions:
        if not function.ir.is_async or not program.flows.of(function).before:
            continue
        seen: set[tuple[Lock, int]] = set()
        for node in nodes_of(function.ir.body):
            if not points.lets_run(node, function):
                continue
            for hold in _held(program, function, node):
                taker = _taker(function, hold)
                if (hold.lock, hold.region) in seen or not _is_of_threads(hold, taker):
                    continue
                seen.add((hold.lock, hold.region))
                switch = node.item.span if isinstance(node, With) else node.span
                taken = taker.item.span if isinstance(taker, With) else taker.span if taker is not None else None
                yield HeldAcross(function, hold.lock, taken, switch)


def _held(program: Program, function: FunctionInfo, node: AnyNode) -> Iterator[Hold]:
    """What is held at a switch point, asked at the nearest numbered event."""
    flow = program.flows.of(function)
    event = _event(node)
    if event >= 0:
        yield from flow.at(event).must
    elif isinstance(node, Suspend):  # `await future`: it stands alone in the blocks around it
        for lock, taker, _ in flow.acquisitions:
            if isinstance(taker, With) and not taker.is_async and taker.body[0] is node:
                yield Hold(lock, taker.id, "with")


def _event(node: AnyNode) -> int:
    """The last numbered event before a switch point, or the first that it leads to; -1 where there is none."""
    if isinstance(node, With):
        return node.id
    if isinstance(node, Suspend) and node.kind == "await":
        return max(node.deps, default=-1)
    if isinstance(node, Loop) and node.is_async:
        inside = (n.id for n in nodes_of((*node.head, *node.body)) if isinstance(n, (Access, Call, With)))
        return max(node.deps, default=next(inside, -1))
    return -1


def _taker(function: FunctionInfo, hold: Hold) -> With | Call | None:
    for node in nodes_of(function.ir.body):
        if isinstance(node, (With, Call)) and node.id == hold.region:
            return node
    return None


def _is_of_threads(hold: Hold, taker: With | Call | None) -> bool:
    """Taken without await: an awaited acquire belongs to a lock that is made for coroutines."""
    if hold.lock.facts is None or hold.lock.facts.world != "thread":
        return False
    return not (isinstance(taker, With) and taker.is_async) and not (isinstance(taker, Call) and taker.awaited)
