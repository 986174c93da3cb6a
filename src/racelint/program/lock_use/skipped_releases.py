"""Releases of a lock that another function took (`begin` / `commit`), which an exception before them skips.

Where some function gives the lock back whatever happens, it is taken for the one that is called after a failure; an
`__exit__` is called once. So only locks that no way gives back for certain are reported, and every `__exit__`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Branch, Call, Raise
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import contains, enclosing, following, place_of
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.families import unrelated
from racelint.program.objects.locations import Location

_LEAVING = frozenset({"__exit__", "__aexit__"})


class SkippedRelease(msgspec.Struct, frozen=True):
    """`function` gives `lock`, which `taker` left held, back by `release`, unless `raising` raises before."""

    function: FunctionInfo
    release: Call
    lock: Lock
    raising: Call
    taker: FunctionInfo


def skipped_releases(program: Program) -> Iterator[SkippedRelease]:
    """In source order, one for each function and lock."""
    releasers: dict[Location, list[FunctionInfo]] = {}
    takers: dict[Location, FunctionInfo] = {}
    found: list[tuple[FunctionInfo, Call, Lock]] = []
    for function in program.flows.acting:
        effect = program.flows.effect(function)
        for location in (*(hold.lock.location for hold in effect.held), *sorted(effect.perhaps)):
            takers.setdefault(location, function)
    for function in program.flows.releasers:
        for lock, call in _given_back(program, function):
            releasers.setdefault(lock.location, []).append(function)
            found.append((function, call, lock))
    for function, call, lock in found:
        taker = takers.get(lock.location)
        if taker is None or taker is function or unrelated(taker.cls, function.cls):
            continue
        rescued = any(_skips(program, other, lock.location, taker) is None for other in releasers[lock.location])
        if function.ir.name in _LEAVING or not rescued:
            raising = _skips(program, function, lock.location, taker, call)
            if raising is not None:
                yield SkippedRelease(function, call, lock, raising, taker)


def _given_back(program: Program, function: FunctionInfo) -> Iterator[tuple[Lock, Call]]:
    """The locks that a function releases for whoever took them, each once; a lock class is its own affair."""
    if function.cls is not None and program.locks.classes.is_lock(function.cls):
        return
    flow = program.flows.of(function)
    dropped = {location for exit_ in flow.exits if exit_.kind == "return" for location in exit_.state.dropped}
    for lock, call, state in flow.releases:
        known = lock.facts is not None and lock.facts.family != "semaphore" and not lock.nameless
        if known and lock.location in dropped and lock.location not in state.may:
            dropped.discard(lock.location)
            yield lock, call


def _skips(
    program: Program, function: FunctionInfo, location: Location, taker: FunctionInfo, release: Call | None = None
) -> Call | None:
    """The first call on whose exception the function leaves without the release, before that if it is given.

    Where the call that takes the lock raises, it is not taken.
    """
    taking = {site.event for site in program.calls.outgoing[function.id] if site.callee is taker}
    for exit_ in program.flows.of(function).exits:
        node = exit_.node
        held = exit_.kind == "raise" and location not in exit_.state.dropped | exit_.state.may
        if held and isinstance(node, Call) and node.id not in taking and not _is_precondition(function, node):
            after = following(place_of(function, node.id))
            if release is None or any(contains(later, release.id) for later in after):
                return node
    return None


def _is_precondition(function: FunctionInfo, call: Call) -> bool:
    """`if not self.mine(): raise …`: who does not hold the lock is told so."""
    around = [node for node in enclosing(place_of(function, call.id)) if isinstance(node, Branch)]
    if any(_raises(node) for node in around[-1:]):
        return True
    return any(isinstance(n, Branch) and call.id in n.deps and _raises(n) for n in nodes_of(function.ir.body))


def _raises(node: Branch) -> bool:
    return any(isinstance(inner, Raise) for inner in (*node.then, *node.orelse))
