"""Locks of threads that several processes take around what they do: each process has its own copy of it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Span, With
from racelint.program.flow.values import Stored
from racelint.program.linked.processes import Child
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location


class SplitLock(msgspec.Struct, frozen=True):
    """`lock` is made at `made`, before the processes that take it at `span` of their target; nobody else does."""

    lock: Lock
    made: Stored
    target: FunctionInfo
    span: Span


def split_locks(program: Program) -> Iterator[SplitLock]:
    """In source order, one for each lock."""
    takers: dict[Location, set[str]] = {}
    for function in program.flows.takers:
        for lock, _, _ in program.flows.of(function).acquisitions:
            takers.setdefault(lock.location, set()).add(function.id)
    seen: set[Location] = set()
    for child in program.children:
        target = child.root.target
        if not child.root.many or _starts_threads(program, child):
            continue
        for lock, node, _ in program.flows.of(target).acquisitions:
            made = _made_outside(program, lock, child)
            if made is None or lock.location in seen or not takers[lock.location] <= child.functions.keys():
                continue
            seen.add(lock.location)
            yield SplitLock(lock, made, target, node.item.span if isinstance(node, With) else node.span)


def _starts_threads(program: Program, child: Child) -> bool:
    """The lock may be there for the threads of one process."""
    return any(
        root.in_process and (root.site_function is None or root.site_function.id in child.functions)
        for root in program.roots
    )


def _made_outside(program: Program, lock: Lock, child: Child) -> Stored | None:
    """Where a lock of threads is made for all: by the module, or by the object whose method the processes run."""
    place, cls = lock.location, child.root.target.cls
    if lock.facts is None or lock.facts.world != "thread" or lock.facts.own or len(place.fields) != 1:
        return None
    if place.kind == "global":
        entries = program.stores.variables.get((place.owner, place.fields[0]), [])
    elif place.kind == "attribute" and cls is not None and any(place.owner == base.id for base in cls.mro):
        entries = program.stores.attributes.get((place.owner, place.fields[0]), [])
    else:
        return None
    outside = [entry for entry in entries if entry.access is not None and entry.function.id not in child.functions]
    return outside[0] if len(outside) == len(entries) == 1 else None
