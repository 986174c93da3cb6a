"""Queues that are asked whether they hold something, and then waited for: another consumer may be faster.

`while not rows.empty(): row = rows.get()` ends well for one consumer. Of two, one finds the last element gone and waits
for the next, for ever where none comes; `get_nowait()` raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from racelint.knowledge.threads import LOCKED_QUEUES
from racelint.model.finding import Evidence
from racelint.model.summary import ELEMENT, Branch, Call, Loop, Path, Try, leaves
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linked.primitives import is_member_of, timeout_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.races import guarded_together
from racelint.program.sharing.shared import SharedAccess

_ASKING = frozenset({"empty", "qsize"})
_TAKING = frozenset({"get", "get_nowait"})
_QUEUES = LOCKED_QUEUES | {"queue.SimpleQueue"}


class AskedQueue(msgspec.Struct, frozen=True):
    """`record` takes what its function found there at `ask`; `rival` may have taken it meanwhile."""

    ask: Call
    take: Call
    group: Group
    record: Record
    rival: Record
    evidence: Evidence


class _Use(msgspec.Struct, frozen=True):
    function: FunctionInfo
    call: Call
    location: Location


def asked_queues(program: Program) -> Iterator[AskedQueue]:
    """In source order, one for each function and queue."""
    taken: dict[Location, list[_Use]] = {}
    for function, call in program.callees.written(*_TAKING):
        if not function.ir.is_async:
            for use in _uses(program, function, (call,), _TAKING):
                taken.setdefault(use.location, []).append(use)
    for location in sorted(taken):
        decided = [(use, ask) for use in taken[location] if (ask := _asked(program, use)) is not None]
        if decided:
            yield from _raced(program, location, taken[location], decided)


def _uses(program: Program, function: FunctionInfo, calls: Iterable[Call], names: frozenset[str]) -> Iterator[_Use]:
    """Calls of methods of queues that the program keeps, and of its own methods which do the same to theirs."""
    for call in calls:
        path = call.func[0] if call.func else ()
        if len(path) < 2 or not (
            is_of_queue(program, path, function, names) or _is_handed_on(program, function, call, names)
        ):
            continue
        location = program.locations.of(path[:-1], function)
        if location is not None and not location.content:
            yield _Use(function, call, location)


def is_of_queue(program: Program, path: Path, function: FunctionInfo, names: frozenset[str]) -> bool:
    """Whether the path is one of these methods of a queue of the standard library."""
    return path[-1] in names and is_member_of(program, path, function, _QUEUES)


def _is_handed_on(program: Program, function: FunctionInfo, call: Call, names: frozenset[str]) -> bool:
    """`self.rows.get()`, whose method takes from a queue of its own."""
    for site in program.calls.at(function, call.id):
        callee = site.callee
        for inner in program.stores.facts[callee.id].calls if call.func[0][-1] in names else ():
            path = inner.func[0] if inner.func else ()
            if path[:1] == (f"p:{callee.self_name}",) and len(path) == 3 and is_of_queue(program, path, callee, names):
                return True
    return False


def _asked(program: Program, use: _Use) -> Call | None:
    """What the function asked the queue before it takes, in a way that fails where nothing is there any more."""
    call, function = use.call, use.function
    if call.args and (timeout_of(call, 1) is not None or call.args[0].value != (("k:True",),)):
        return None
    if call.func[0][-1] == "get_nowait" and any(isinstance(n, Try) for n in enclosing(place_of(function, call.id))):
        return None
    deciding = set(_deciding(function, call))
    calls = program.stores.facts[function.id].calls
    asks = [ask.call for ask in _uses(program, function, calls, _ASKING) if ask.location == use.location]
    return next((ask for ask in asks if ask.id in deciding), None)


def _deciding(function: FunctionInfo, call: Call) -> Iterator[int]:
    """The events behind the conditions under which the call is come to."""
    for place in place_of(function, call.id):
        if isinstance(place.node, (Branch, Loop)):
            yield from place.node.deps
        for earlier in place.block[: place.position]:
            if isinstance(earlier, Branch) and (leaves(earlier.then) or leaves(earlier.orelse)):
                yield from earlier.deps


def _raced(
    program: Program, location: Location, uses: list[_Use], decided: list[tuple[_Use, Call]]
) -> Iterator[AskedQueue]:
    races = program.suspects.races
    group = Group(location, [], "thread", program.lock_places.beside(location))
    of_event: dict[tuple[str, int], list[Record]] = {}
    for use in uses:
        records = races.records.of(_as_access(use))
        of_event[use.function.id, use.call.id] = records
        group.records.extend(records)
    group.records.sort(key=lambda record: record.order)
    seen: set[str] = set()
    for use, ask in decided:
        for record in of_event[use.function.id, use.call.id]:
            rival = next((other for other in group.records if _is_rival(program, record, other, group)), None)
            if rival is not None and use.function.id not in seen:
                seen.add(use.function.id)
                evidence = races.overlap.evidence_of(record, rival, group)
                yield AskedQueue(ask, use.call, group, record, rival, evidence)


def _is_rival(program: Program, record: Record, other: Record, group: Group) -> bool:
    overlap = program.suspects.races.overlap
    return (
        not guarded_together(record, other)
        and overlap.parallel(record, other, group)
        and overlap.evidence_of(record, other, group) != "lock"
    )


def _as_access(use: _Use) -> SharedAccess:
    """The taking in the terms of the race engine: it changes what the queue holds."""
    call, inner = use.call, use.location.below(ELEMENT) or use.location
    return SharedAccess(call.id, "mutate", inner, (*call.func[0][:-1], ELEMENT), call.span, use.function, method="get")
