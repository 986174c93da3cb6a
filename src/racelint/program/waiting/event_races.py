"""Events that are cleared too late, or asked and then changed by several threads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import msgspec

from racelint.model.summary import Branch, Call
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import contains
from racelint.program.linked.primitives import is_event, timeout_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.sharing.shared import SharedAccess

LOOKS = frozenset({"is_set", "isSet", "wait"})
"""Methods that tell whether the event is set."""
_METHODS = LOOKS | {"set", "clear"}


class EventUse(msgspec.Struct, frozen=True):
    """A call of a method of the event that the program keeps at `place`."""

    function: FunctionInfo
    call: Call
    place: Location

    @property
    def method(self) -> str:
        return self.call.func[0][-1]


class EventRace(msgspec.Struct, frozen=True):
    """`late`: `use` clears what `setter` may have set after `node` looked, at `first`, for what it tells of.
    `asked`: several threads may pass `first` before one of them comes to `use`."""

    kind: Literal["late", "asked"]
    first: EventUse
    use: EventUse
    setter: EventUse | None = None
    read: SharedAccess | None = None

    @property
    def timed(self) -> bool:
        return self.first.method == "wait" and timeout_of(self.first.call, 0) is not None


class EventRaces:
    """All of the program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.by_function: dict[str, list[EventUse]] = {}
        for function, call in program.callees.written(*_METHODS):
            path = call.func[0]
            if len(path) > 1 and path[-1] in _METHODS and is_event(program, path[:-1], function):
                place = program.locations.of(path[:-1], function)
                if place is not None:
                    self.by_function.setdefault(function.id, []).append(EventUse(function, call, place))

    @cached_property
    def _setters(self) -> dict[Location, list[EventUse]]:
        found: dict[Location, list[EventUse]] = {}
        for uses in self.by_function.values():
            for use in uses:
                if use.method == "set":
                    found.setdefault(use.place, []).append(use)
        return found

    def found(self) -> Iterator[EventRace]:
        """In source order; for each change of an event one race."""
        for uses in self.by_function.values():
            for use in uses:
                before = [other for other in uses if other.place == use.place and other.call.id < use.call.id]
                race = self._late(use, before) if use.method == "clear" else None
                race = race or (self._asked(use, before) if use.method in ("clear", "set") else None)
                if race is not None:
                    yield race

    def _late(self, clear: EventUse, before: list[EventUse]) -> EventRace | None:
        """`wait(); take(); clear()`: what is put and told of between the last two is not seen until the next time."""
        waits = [use for use in before if use.method != "set"]
        if not waits or any(use.method in ("clear", "set") for use in before if use.call.id > waits[-1].call.id):
            return None
        effects = self.program.effects.of(clear.function)
        for setter in self._setters.get(clear.place, ()):
            if setter.function is clear.function or self._share_a_lock(clear, setter):
                continue
            told = self._told_of(setter)
            seen = [effect for effect in effects if effect.access.location.container() in told]
            between = [effect for effect in seen if waits[-1].call.id < effect.event < clear.call.id]
            if between and not any(effect.event > clear.call.id for effect in seen):
                return EventRace("late", waits[-1], clear, setter, between[0].access)
        return None

    def _told_of(self, setter: EventUse) -> set[Location]:
        """The variables that the function changes, or whose contents it changes, before it sets the event."""
        effects = self.program.effects.of(setter.function)
        changes = (effect.access for effect in effects if effect.access.changes and effect.event < setter.call.id)
        return {access.location.container() for access in changes} - {setter.place}

    def _share_a_lock(self, one: EventUse, other: EventUse) -> bool:
        return any(self._are_one(mine, theirs) for mine in self._held(one) for theirs in self._held(other))

    def _are_one(self, mine: Location, theirs: Location) -> bool:
        """One lock, or what two classes that derive from one call by one name: which object it is is not known."""
        if mine == theirs:
            return True
        owners = [self.program.index.classes_by_id.get(location.owner) for location in (mine, theirs)]
        bases = [set(owner.mro) if owner is not None else set() for owner in owners]
        return mine.fields == theirs.fields and bool(bases[0] & bases[1])

    def _held(self, use: EventUse) -> set[Location]:
        return {hold.lock.location for hold in self.program.flows.of(use.function).at(use.call.id).must}

    def _asked(self, use: EventUse, before: list[EventUse]) -> EventRace | None:
        """`if event.is_set(): event.clear(); …`, by a function that several threads run, with no lock over both."""
        for asked in reversed(before):
            if asked.method not in ("is_set", "isSet") or not self._decides(asked, use):
                continue
            if self._held(asked) & self._held(use) or not self._runs_in_parallel(use.function):
                return None
            return EventRace("asked", asked, use)
        return None

    def _decides(self, asked: EventUse, use: EventUse) -> bool:
        """Whether `use` turns round what the branch on `asked` found, or comes after a return where it was so."""
        for node in nodes_of(use.function.ir.body):
            if isinstance(node, Branch) and node.call == asked.call.id:
                true, false = (node.orelse, node.then) if node.negated else (node.then, node.orelse)
                arm = true if use.method == "clear" else false
                return any(contains(inner, use.call.id) or inner is use.call for inner in arm)
        return False

    def _runs_in_parallel(self, function: FunctionInfo) -> bool:
        """With itself, on one object, its callers holding no lock."""
        contexts = self.program.reach.of(function)
        if any(context.held or context.perhaps or context.private for context in contexts):
            return False
        roots = {context.root for context in contexts}
        return any(root is not None and root.many for root in roots) or (
            len(roots) > 1 and any(root is not None for root in roots)
        )
