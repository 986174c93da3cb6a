"""Iterations over the container inside a queue of the standard library, which its own lock guards."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.threads import LOCKED_QUEUES
from racelint.model.summary import Access
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Object

_INSIDE = "queue"


class InnerIteration(msgspec.Struct, frozen=True):
    """`access` iterates `queue.queue` of a queue that other threads put to and get from."""

    function: FunctionInfo
    access: Access
    queue: str


def inner_iterations(program: Program) -> Iterator[InnerIteration]:
    """Those that hold no lock, in source order."""
    for function in program.index.functions:
        for access in program.stores.facts[function.id].accesses:
            if access.kind != "iterate" or access.path[-1] != _INSIDE or len(access.path) < 2:
                continue
            queue = access.path[:-1]
            known = program.types.of(queue, function)
            if not any(isinstance(thing, Object) and thing.dotted in LOCKED_QUEUES for thing in known):
                continue
            state = program.flows.of(function).at(access.id)
            location = program.locations.of(queue, function)
            if location is not None and not (state.must or state.may):
                yield InnerIteration(function, access, location.short)
