"""Locks and thread-locals that are made where they were just looked for: two first users each make one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from racelint.model.summary import ELEMENT, Access, Call, Path, Value
from racelint.program.index import FunctionInfo
from racelint.program.linker import Program
from racelint.program.locations import Location
from racelint.program.shared import attribute_by_name
from racelint.program.things import Object


class LazyLock(NamedTuple):
    """`check` decides about event `made_at`, which stores one. `given`: on an object of which no more is known."""

    check: Access
    location: Location
    made_at: int
    makes: Literal["lock", "thread-local"]
    given: bool = False


class _Store(NamedTuple):
    event: int
    path: Path
    value: Value


def lazy_locks(program: Program, function: FunctionInfo) -> Iterator[LazyLock]:
    """Those that this function makes, in source order."""
    for store in _stores(program, function):
        makes = _made(program, function, store.value)
        if not makes:
            continue
        location = program.locations.of(store.path, function)
        given = location is None and _is_given(program, function, store.path)
        for check in deciding_reads(program, function, store.event) if location is not None or given else ():
            if given and check.path == store.path:
                root, attribute = store.path
                place = Location("captured", function.id, (root.rpartition(":")[2], attribute))
                yield LazyLock(check, place, store.event, makes, given)
            elif location is not None and program.locations.of(check.path, function) == location:
                yield LazyLock(check, location, store.event, makes)


def deciding_reads(program: Program, function: FunctionInfo, event: int) -> list[Access]:
    """The reads in this function behind the conditions of an event; none where a lock may be held at the event."""
    state = program.flows.of(function).at(event)
    if state.must or state.may:
        return []
    events = program.stores.facts[function.id].events
    reads: list[Access] = []
    for dep in program.compounds.deciding.get((function.id, event), ()):
        found = events.get(dep)
        if isinstance(found, Access) and found.kind == "read":
            reads.append(found)
        elif isinstance(found, Call):
            path = attribute_by_name(found)
            if path:  # `hasattr(self, "lock")`
                reads.append(Access(dep, "read", path, found.span))
    return reads


def _stores(program: Program, function: FunctionInfo) -> Iterator[_Store]:
    """What is stored in variables and attributes, `setattr` included."""
    for event in program.stores.facts[function.id].events.values():
        if isinstance(event, Access):
            if event.kind == "write" and event.path[-1] != ELEMENT:
                yield _Store(event.id, event.path, event.value)
        elif event.func[:1] == (("g:setattr",),) and len(event.args) == 3:
            path = attribute_by_name(event)
            if path:
                yield _Store(event.id, path, event.args[2].value)


def _made(program: Program, function: FunctionInfo, value: Value) -> Literal["", "lock", "thread-local"]:
    things = program.types.of_value(value, function)
    if things and all(isinstance(thing, Object) and thing.dotted == "threading.local" for thing in things):
        return "thread-local"
    facts = program.locks.facts_of(things)
    return "lock" if facts is not None and facts.world == "thread" else ""


def _is_given(program: Program, function: FunctionInfo, path: Path) -> bool:
    """An attribute of a parameter, of this function or one around it, that may be any object."""
    return len(path) == 2 and path[0].startswith(("p:", "f:")) and not program.types.of(path[:1], function)
