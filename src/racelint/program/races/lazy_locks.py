"""Locks and thread-locals that are made where they were just looked for: two first users each make one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from racelint.model.summary import ELEMENT, Access, Call, Path, Value
from racelint.program.calling.calls import is_own
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Object
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import attribute_by_name

Made = Literal["lock", "thread-local"]


class LazyLock(msgspec.Struct, frozen=True):
    """`check` decides about event `made_at`, which stores one. `given`: on an object of which no more is known."""

    check: Access
    location: Location
    made_at: int
    makes: Made
    given: bool = False


class _Store(msgspec.Struct, frozen=True):
    """`among`: events whose answers the value was chosen from, as in `self.lock = self.lock or Lock()`."""

    event: int
    path: Path
    makes: Made
    among: tuple[int, ...] = ()


class LazyLocks:
    """All of the program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._makers: dict[str, tuple[_Store, ...]] = {}
        """By function: the locks that it makes for its own object, whatever it finds."""

    def of(self, function: FunctionInfo) -> Iterator[LazyLock]:
        """Those that this function makes, or lets another method make, in source order."""
        program = self.program
        for store in (*self._stores(function), *self._stores_by_call(function)):
            location = program.locations.of(store.path, function)
            if location is None and not _is_given(program, function, store.path):
                continue
            for check in deciding_reads(program, function, store.event, store.among):
                if location is None and check.path == store.path:
                    root, attribute = store.path
                    place = Location("captured", function.id, (root.rpartition(":")[2], attribute))
                    yield LazyLock(check, place, store.event, store.makes, given=True)
                elif location is not None and program.locations.of(check.path, function) == location:
                    yield LazyLock(check, location, store.event, store.makes)

    def _stores(self, function: FunctionInfo) -> Iterator[_Store]:
        """What is stored in variables and attributes, `setattr` included."""
        for event in self.program.stores.facts[function.id].events.values():
            if type(event) is Access and event.kind != "write":
                continue
            path, value, among = _stored(event)
            if not path or all(each[0].startswith("k:") for each in value):
                continue
            makes = _made(self.program, function, value)
            if makes:
                yield _Store(event.id, path, makes, among)

    def _stores_by_call(self, function: FunctionInfo) -> Iterator[_Store]:
        """`if self.lock is None: self._make_lock()`."""
        for site in self.program.calls.outgoing[function.id]:
            if site.receiver is not None and is_own(site.receiver, function) and not site.weak:
                for store in self._made_by(site.callee):
                    yield _Store(site.event, (*site.receiver, store.path[-1]), store.makes)

    def _made_by(self, function: FunctionInfo) -> tuple[_Store, ...]:
        known = self._makers.get(function.id)
        if known is None:
            lockless = makes_self(function) or not self.program.stores.facts[function.id].makes_lock
            stores = () if lockless else self._stores(function)
            known = self._makers[function.id] = tuple(s for s in stores if self._is_made_anyway(s, function))
        return known

    def _is_made_anyway(self, store: _Store, function: FunctionInfo) -> bool:
        state = self.program.flows.of(function).at(store.event)
        own = len(store.path) == 2 and is_own(store.path[:1], function)
        decided = deciding_reads(self.program, function, store.event, store.among)
        return own and not (decided or state.must or state.may)


def deciding_reads(program: Program, function: FunctionInfo, event: int, among: tuple[int, ...] = ()) -> list[Access]:
    """The reads in this function behind the conditions of an event, or `among` others that its value was chosen from.

    None where a lock may be held at the event.
    """
    state = program.flows.of(function).at(event)
    if state.must or state.may:
        return []
    events = program.stores.facts[function.id].events
    reads: list[Access] = []
    for dep in (*program.compounds.deciding(function, event), *among):
        found = events.get(dep)
        if isinstance(found, Access) and found.kind == "read":
            reads.append(found)
        elif isinstance(found, Call):
            path = attribute_by_name(found)
            if path:  # `hasattr(self, "lock")`
                reads.append(Access(dep, "read", path, found.span))
    return reads


def _stored(event: Access | Call) -> tuple[Path, Value, tuple[int, ...]]:
    """The variable or attribute that an event stores something in, what that is and what it was computed from."""
    if type(event) is Access:
        plain = event.kind == "write" and event.path[-1] != ELEMENT
        return (event.path, event.value, event.deps) if plain else ((), (), ())
    if event.func[:1] == (("g:setattr",),) and len(event.args) == 3:
        return attribute_by_name(event), event.args[2].value, event.args[2].deps
    return (), (), ()


def _made(program: Program, function: FunctionInfo, value: Value) -> Made | Literal[""]:
    things = program.types.of_value(value, function)
    if things and all(isinstance(thing, Object) and thing.dotted == "threading.local" for thing in things):
        return "thread-local"
    facts = program.locks.facts_of(things)
    return "lock" if facts is not None and facts.world == "thread" else ""


def _is_given(program: Program, function: FunctionInfo, path: Path) -> bool:
    """An attribute of a parameter, of this function or one around it, that may be any object."""
    return len(path) == 2 and path[0].startswith(("p:", "f:")) and not program.types.of(path[:1], function)
