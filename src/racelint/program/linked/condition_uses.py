"""Who waits for which condition and who notifies it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from racelint.model.summary import Call, Path
from racelint.program.linked.tenures import is_known, is_private
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Constant, Instance

WAITS = frozenset({"wait", "wait_for"})
NOTIFIES = frozenset({"notify", "notify_all", "notifyAll"})


class Use(msgspec.Struct, frozen=True):
    """A call of a condition's method; `path` is the condition, `place` where the program keeps it."""

    function: FunctionInfo
    call: Call
    path: Path
    lock: Lock
    place: Location | None

    @property
    def method(self) -> str:
        return self.call.func[0][-1]

    @property
    def timed(self) -> bool:
        """Whether a wait ends by itself."""
        bound = 1 if self.method == "wait_for" else 0
        plain = [argument for argument in self.call.args if not argument.name]
        given = [a.value for a in self.call.args if a.name == "timeout"] + [a.value for a in plain[bound:]]
        return bool(given) and given[0] != (("k:None",),)


def is_condition(program: Program, path: Path, function: FunctionInfo) -> bool:
    """By all that is known of its type. A condition's own methods wait for their callers, and one that stays in the
    function has nobody who could notify it."""
    things = [thing for thing in program.types.of(path, function) if not isinstance(thing, Constant)]
    if any(isinstance(thing, Instance) and thing.cls.method("wait") for thing in things):
        return False
    if path == (f"p:{function.self_name}",) or not is_known(program, path, function):
        return False
    families = [program.locks.facts_of((thing,)) for thing in things]
    if not things and (lock := program.locks.of(path, function)) is not None:
        families = [lock.facts]
    if not families or not all(facts is not None and facts.family == "condition" for facts in families):
        return False
    return not is_private(path, program.stores.facts[function.id])


class ConditionUses:
    """All uses of what certainly is a condition, in source order."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.all: list[Use] = [*self._found()]

    def _found(self) -> Iterator[Use]:
        for function, call in self.program.callees.written(*WAITS, *NOTIFIES):
            path = call.func[0]
            if len(path) < 2 or path[-1] not in WAITS | NOTIFIES:
                continue
            lock = self.program.locks.of(path[:-1], function)
            if lock is not None and not lock.opaque and is_condition(self.program, path[:-1], function):
                place = self.program.locations.of(path[:-1], function)
                yield Use(function, call, path[:-1], lock, place or lock.location)

    @cached_property
    def by_place(self) -> dict[Location, list[Use]]:
        """The uses of each condition that the program keeps somewhere."""
        found: dict[Location, list[Use]] = {}
        for use in self.all:
            if use.place is not None and not use.lock.nameless:
                found.setdefault(use.place, []).append(use)
        return found

    def notifiers(self, use: Use) -> list[Use]:
        """Who notifies the condition of a wait."""
        uses = self.by_place.get(use.place, []) if use.place is not None else []
        return [other for other in uses if other.method in NOTIFIES]

    def holds(self, use: Use) -> bool | None:
        """Whether the condition's lock is held at a use, by the function or by all its callers; None: who knows."""
        location = use.lock.location
        state = self.program.flows.of(use.function).at(use.call.id)
        if state.hold(location) is not None:
            return True
        if location in state.may or use.lock.nameless or self.program.locks.is_passed_in(use.lock):
            return None
        if location in state.dropped:
            return False
        contexts = self.program.reach.of(use.function)
        if not contexts or any(context.perhaps for context in contexts):
            return None
        held = [any(lock.location == location for lock in context.held) for context in contexts]
        return all(held)
