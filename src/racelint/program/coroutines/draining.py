"""Containers that a coroutine sends off at an await and empties afterwards: what others add meanwhile is lost."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.coroutines import ENDINGS
from racelint.model.summary import ELEMENT, Call, Span
from racelint.program.linked.object_sharing import ObjectSharing
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import SharedAccess

_ADDING = frozenset({"append", "appendleft", "extend", "add", "update", "insert", "setdefault"})


class Drain(msgspec.Struct, frozen=True):
    """`read` takes the contents, other tasks run at `switch`, `act` empties; `adding` is what they may do there."""

    read: SharedAccess
    switch: Span
    act: SharedAccess
    adding: SharedAccess


class Drains:
    """All drains of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.points = program.switch_points
        self.guards = program.await_guards
        self.sharing = ObjectSharing(program)

    def found(self) -> Iterator[Drain]:
        """In source order."""
        for function in self.program.index.functions:
            if function.ir.is_async and function.ir.name not in ENDINGS:
                yield from self._of(function)

    def _of(self, function: FunctionInfo) -> Iterator[Drain]:
        accesses = self.program.shared.of(function)
        acts = [access for access in accesses if _empties(access)]
        if not acts:
            return
        reads = [access for access in accesses if not access.changes and self._is_sent(access, function)]
        superseded = {act.event: frozenset(read.event for read in reads) for act in accesses if act.changes}
        before = self.points.since(function, frozenset(read.event for read in reads), superseded)
        for act in acts:
            for read in reads:
                switch = before.get(act.event, {}).get(read.event)
                if switch is None or read.location.container() != act.location.container():
                    continue
                adding = self._added_elsewhere(act)
                if adding is not None and not self.guards.span(function, read.event, act.event):
                    yield Drain(read, switch, act, adding)
                    break

    def _is_sent(self, read: SharedAccess, function: FunctionInfo) -> bool:
        """Its contents are iterated, or given to something that is awaited."""
        if read.deed == "iterate":
            return True
        calls = self.program.stores.facts[function.id].calls
        return any(call.awaited and _takes(call, read) for call in calls)

    def _added_elsewhere(self, act: SharedAccess) -> SharedAccess | None:
        """Another function, that is no constructor, adds to the container."""
        place = act.location.container()
        cls = act.function.cls
        if place.kind == "attribute" and (cls is None or not self.sharing.is_shared(cls)):
            return None
        inside = place.below(ELEMENT)
        if inside is None:
            return None
        for access in self.program.shared.at(inside):
            adds = access.deed == "write" or (access.deed == "mutate" and access.method in _ADDING)
            if adds and access.function is not act.function and not makes_self(access.function):
                return access
        return None


def _empties(access: SharedAccess) -> bool:
    """`self.rows.clear()` or `self.rows = []`."""
    if access.deed == "mutate":
        return access.method == "clear"
    displays = bool(access.value) and all(path[0].startswith("v:") and len(path) == 1 for path in access.value)
    return access.deed == "write" and displays and not access.location.content


def _takes(call: Call, read: SharedAccess) -> bool:
    return any(read.event in argument.deps or read.path in argument.value for argument in call.args)
