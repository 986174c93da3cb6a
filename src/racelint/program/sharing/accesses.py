"""All accesses to locations that other threads may reach, of a function or of a variable: found when asked for.

Most variables of a program interest nobody. What is done to one is found among the events that mention it
(`mentions.Mentions`), each of which is looked into once.
"""

from __future__ import annotations

from msgspec.structs import replace

from racelint.knowledge.containers import WEAK_CONTAINERS
from racelint.model.summary import ELEMENT, Access, Call, Path
from racelint.program.flow.values import Stores
from racelint.program.names.index import FunctionInfo, Index
from racelint.program.objects.locations import Location, Locations
from racelint.program.objects.published import Published
from racelint.program.objects.things import Object
from racelint.program.objects.types import Types
from racelint.program.sharing.mentions import Mentions, may_change
from racelint.program.sharing.shared import SharedAccess, SharedEvents


class _Function:
    """One function and what is known of its events."""

    def __init__(self, function: FunctionInfo, position: int, stores: Stores) -> None:
        self.position = position
        facts = stores.facts[function.id]
        self.events = facts.events
        self.published = Published(facts)
        self.rows: dict[tuple[Path, tuple[int, ...]], str] = {
            (event.path, event.span[:2]): event.key
            for event in facts.accesses
            if event.kind == "read" and event.path[-1] == ELEMENT
        }
        self.known: dict[int, SharedAccess | None] = {}
        self.all: list[SharedAccess] | None = None
        self.unnamed = False
        """Whether the events that name nothing have been looked into."""


class SharedAccesses:
    """The shared accesses of functions and of locations, in source order."""

    def __init__(self, index: Index, stores: Stores, types: Types, locations: Locations) -> None:
        self.types = types
        self.index = index
        self.stores = stores
        self._events = SharedEvents(stores, types, locations)
        self._mentions = Mentions(index, stores, locations)
        self._functions: dict[str, _Function] = {}
        self._positions = {function.id: position for position, function in enumerate(index.functions)}
        self._found: dict[Location, list[SharedAccess]] = {}
        """By location: what was found so far, in the order of finding."""
        self._at: dict[Location, list[SharedAccess]] = {}
        self._within: dict[Location, list[SharedAccess]] = {}
        self._mentioned: set[str] = set()
        """Names whose events have all been looked into."""

    def of(self, function: FunctionInfo) -> list[SharedAccess]:
        """Those of one function."""
        known = self._known(function)
        if known.all is None:
            found = (self._access(event, function, known) for event in known.events.values())
            known.all = [access for access in found if access is not None]
        return known.all

    def at(self, location: Location) -> list[SharedAccess]:
        """Those of one location."""
        known = self._at.get(location)
        if known is None:
            for name in self._mentions.names_of(location):
                if name not in self._mentioned:
                    self._mentioned.add(name)
                    self._look_into(name)
            known = self._at[location] = sorted(self._found.get(location, ()), key=self._order)
        return known

    def within(self, variable: Location) -> list[SharedAccess]:
        """Those of a variable and of what the containers in it hold: of each of these locations by itself."""
        known = self._within.get(variable)
        if known is None:
            parts: list[list[SharedAccess]] = []
            location: Location | None = variable
            while location is not None:
                parts.append(self.at(location))
                location = location.below(ELEMENT)
            parts = sorted((part for part in parts if part), key=lambda part: self._order(part[0]))
            known = self._within[variable] = [access for part in parts for access in part]
        return known

    def changes(self, function: FunctionInfo, *, with_own: bool = True) -> list[SharedAccess]:
        """What the function changes; `with_own`: attributes that it sets on its own object among it."""
        known, own = self._known(function), f"p:{function.self_name}"
        found: list[SharedAccess] = []
        for event in known.events.values():
            if not may_change(event) or not (with_own or type(event) is Call or event.path[:-1] != (own,)):
                continue
            access = self._access(event, function, known)
            if access is not None and access.changes:
                found.append(access)
        return found

    def is_weak(self, access: SharedAccess) -> bool:
        """Whether the container is a weak one, which the garbage collector resizes at any time."""
        return any(
            isinstance(thing, Object) and thing.dotted in WEAK_CONTAINERS
            for thing in self.types.of(access.path[:-1], access.function)
        )

    def position(self, function: FunctionInfo) -> int:
        """Where the function comes in the program."""
        return self._positions[function.id]

    def _known(self, function: FunctionInfo) -> _Function:
        known = self._functions.get(function.id)
        if known is None:
            known = self._functions[function.id] = _Function(function, self._positions[function.id], self.stores)
        return known

    def _look_into(self, name: str) -> None:
        """The events that mention it, and those of the same functions that go by another name for what it holds."""
        for function, event in self._mentions.of(name):
            known = self._known(function)
            self._access(event, function, known)
            if not known.unnamed:
                known.unnamed = True
                for other in self._mentions.unnamed(function):
                    self._access(other, function, known)

    def _access(self, event: Access | Call, function: FunctionInfo, around: _Function) -> SharedAccess | None:
        """What the event accesses; looked into once."""
        known = around.known
        if event.id in known:
            return known[event.id]
        access = self._events.of(event, function, around.published)
        if access is not None:
            if around.rows:
                outer = around.rows.get((access.path[:-1], access.span[:2]), "")
                access = replace(access, outer_key=outer) if outer else access
            self._found.setdefault(access.location, []).append(access)
        known[event.id] = access
        return access

    def _order(self, access: SharedAccess) -> tuple[int, int]:
        return self._positions[access.function.id], access.event
