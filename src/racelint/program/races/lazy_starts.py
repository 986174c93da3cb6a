"""Threads, locks and thread-locals that are made on first use, with nothing that keeps two first users apart.

Whoever starts a thread when it is first needed expects callers that come whenever they like. A lock or a thread-local
that is made on first use says the same of itself. Methods whose name says that they are called once, to begin with or
to end with, are left alone, and so are coroutines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from racelint.model.summary import Access
from racelint.program.calling.calls import CallSite
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.races.lazy_locks import LazyLocks, deciding_reads
from racelint.program.sharing.ownership import CONSTRUCTORS
from racelint.program.threads.context import Context
from racelint.program.threads.users import is_called_once

_MAX_DEPTH = 3
_TOLD = ("on_", "On")
"""Methods that a toolkit or framework calls to say what has happened."""


class LazyStart(msgspec.Struct, frozen=True):
    """`check` decides about event `made_at` of `function`: a start, or the making of a lock or thread-local (`makes`).

    `context` is one way in which any thread may come there.
    """

    function: FunctionInfo
    check: Access
    location: Location
    made_at: int
    context: Context
    makes: Literal["", "lock", "thread-local"] = ""


def lazy_starts(program: Program) -> Iterator[LazyStart]:
    """Of several functions that decide by one variable whether to call one other that starts it, the first."""
    told: set[tuple[Location, str]] = set()
    for start in all_lazy_starts(program):
        callees = {(start.location, site.callee.id) for site in program.calls.at(start.function, start.made_at)}
        if start.makes or not callees & told:
            yield start
        told |= callees


def all_lazy_starts(program: Program) -> Iterator[LazyStart]:
    """In source order, one a function: its first unprotected start or making of a lock."""
    starters = _starting_events(program)
    lazy_locks = LazyLocks(program)
    for function in program.index.functions:
        if function.ir.name in CONSTRUCTORS or function.ir.kind in ("class", "module"):
            continue
        locks = list(lazy_locks.of(function))
        starts = sorted(starters.get(function.id, ()))
        contexts = _open_contexts(program, function) if locks or starts else []
        repeated = [context for context in contexts if _is_repeated(context)]
        made = [
            LazyStart(function, lock.check, lock.location, lock.made_at, context, lock.makes)
            for lock in locks
            for context in [c for c in contexts if not (lock.given and is_called_once(c.entry.function))][:1]
        ]
        for context in repeated[:1]:
            for event in starts:
                if not _starts_under_lock(program, starters, function, event) and not _is_decided_inside(
                    program, starters, function, event, context
                ):
                    made.extend(_lazy_threads(program, function, event, context))
        yield from made[:1]


def _is_repeated(context: Context) -> bool:
    """Entered by what users call more than once, or a thread; when a callback is called, who calls it decides."""
    entry = context.entry.function
    given = context.root is None and (entry.ir.parent or entry.ir.name.startswith(_TOLD))
    return not (is_called_once(entry) or given)


def _lazy_threads(
    program: Program, function: FunctionInfo, event: int, context: Context, *, any_way: bool = False
) -> Iterator[LazyStart]:
    """The reads that decide about a start, of what is changed with it; `any_way`: by what is there, too."""
    changes: dict[Location, list[int]] = {}
    for own in program.shared.of(function) if any_way else ():
        if own.deed == "write":
            changes.setdefault(own.location, []).append(own.event)
    for effect in program.effects.of(function):
        if effect.access.deed == "write" and effect.access.function.ir.name not in CONSTRUCTORS:
            changes.setdefault(effect.access.location, []).append(effect.event)
    wanting = program.compounds.wanting(function, event)
    reads = deciding_reads(program, function, event)
    for check in reads:
        if not any_way and (check.id not in wanting or any(_looks_into(other, check) for other in reads)):
            continue  # it is started because something is there
        location = program.locations.of(check.path, function)
        confined = location is not None and program.contracts.confined(location, [])
        if location is None or confined or location.content:
            continue
        later = changes.get(location) or ([event] if _thread_stores(program, function, event, location) else [-1])
        if min(later) > check.id:
            yield LazyStart(function, check, location, event, context)


def _thread_stores(program: Program, function: FunctionInfo, event: int, location: Location) -> bool:
    """The thread that is started there says so itself: `self.loop = get_running_loop()`."""
    roots = [root for root in program.roots if (function, event) in root.starts]
    return any(
        context.root in roots
        for access in (program.shared.at(location) if roots else ())
        if access.deed == "write"
        for context in program.reach.in_threads(access.function)
    )


def _looks_into(other: Access, check: Access) -> bool:
    """It reads an attribute of what the check reads, which so is there."""
    size = len(check.path)
    return not other.called and len(other.path) > size and other.path[:size] == check.path


def _starts_under_lock(
    program: Program, starters: dict[str, set[int]], function: FunctionInfo, event: int, depth: int = _MAX_DEPTH
) -> bool:
    """What is called there takes a lock for the start, and decides once more under it."""
    for site in program.calls.outgoing[function.id]:
        if site.event != event or site.weak or depth == 0:
            continue
        flow = program.flows.of(site.callee)
        for inner in sorted(starters.get(site.callee.id, ())):
            decided = program.compounds.deciding(site.callee, inner)
            if (flow.at(inner).must and decided) or _starts_under_lock(
                program, starters, site.callee, inner, depth - 1
            ):
                return True
    return False


def _is_decided_inside(
    program: Program,
    starters: dict[str, set[int]],
    function: FunctionInfo,
    event: int,
    context: Context,
    depth: int = _MAX_DEPTH,
) -> bool:
    """What is called there looks for itself whether the thread is there: that look is what two callers both pass."""
    for site in program.calls.outgoing[function.id]:
        if site.event != event or site.weak or depth == 0:
            continue
        for inner in sorted(starters.get(site.callee.id, ())):
            if any(_lazy_threads(program, site.callee, inner, context, any_way=True)) or _is_decided_inside(
                program, starters, site.callee, inner, context, depth - 1
            ):
                return True
    return False


def _open_contexts(program: Program, function: FunctionInfo) -> list[Context]:
    """The ways on which any thread may come to the function and hold nothing."""
    return [
        context
        for context in program.reach.of(function)
        if context.root is None and context.public and not (context.held or context.perhaps or context.owned)
        if not context.entry.function.ir.is_async  # a loop runs one coroutine at a time
    ]


def _starting_events(program: Program) -> dict[str, set[int]]:
    """By function: the events that start a thread, in it or in a function that it calls."""
    found: dict[str, set[int]] = {}
    for root in program.roots:
        if root.kind in ("thread", "timer") and root.site_function is not None and root.site is not None:
            for function, event in root.starts or [(root.site_function, root.site.id)]:
                found.setdefault(function.id, set()).add(event)
    for _ in range(_MAX_DEPTH):
        starting = frozenset(found)
        callers = {site.caller.id for name in starting for site in program.calls.incoming.get(name, ())}
        for function in (function for function in program.index.functions if function.id in callers):
            for site in program.calls.outgoing[function.id]:
                if site.callee.id in starting and not site.weak and _comes_to(program, site, found[site.callee.id]):
                    found.setdefault(function.id, set()).add(site.event)
    return found


def _comes_to(program: Program, site: CallSite, events: set[int]) -> bool:
    """Whether the call comes to one of the events, whatever it switches off by what it passes."""
    switches = program.reach.switches
    passed = switches.set_by(site, frozenset())
    return not all(switches.rule_out(site.callee, event, passed) for event in events)
