"""Functions that run on the thread of an event loop although they are no coroutines.

They ask for the loop first, or it is the loop that calls them.
"""

from __future__ import annotations

from racelint.knowledge.coroutines import PROTOCOL_METHODS, PROTOCOLS
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo

_ASKS_FOR_LOOP = "get_running_loop"
"""Raises where no loop runs."""
_MAX_CALLS = 1


def asks_for_loop(program: Program, function: FunctionInfo, depth: int = _MAX_CALLS) -> bool:
    """Whether it always asks for the loop that runs it, or what it calls does, and handles no failure of that."""
    calls = program.stores.facts[function.id].calls
    asked = [call.id for call in calls if any(path[-1].rpartition(":")[2] == _ASKS_FOR_LOOP for path in call.func)]
    if depth:
        asked += [
            site.event
            for site in program.calls.outgoing[function.id]
            if not site.weak and not site.callee.ir.is_async and asks_for_loop(program, site.callee, depth - 1)
        ]
    return any(not enclosing(place_of(function, event)) for event in asked)


def is_run_by_loop(function: FunctionInfo) -> bool:
    """A coroutine, or a method by which a transport tells a protocol what came."""
    if function.ir.is_async or function.cls is None or function.ir.name not in PROTOCOL_METHODS:
        return function.ir.is_async
    return not PROTOCOLS.isdisjoint(function.cls.all_external_bases())
