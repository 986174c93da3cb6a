"""Waits for a condition while another lock stays held."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import msgspec
from msgspec.structs import replace

from racelint.model.summary import Span
from racelint.program.flow.values import event_span
from racelint.program.linked.condition_uses import WAITS, Use
from racelint.program.linked.reached import Reached, reached
from racelint.program.linked.takings import Held
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location

_MAX_CALLS = 4


class CondWait(msgspec.Struct, frozen=True):
    """A wait as a fact that is carried up the calls."""

    use: Use

    @property
    def key(self) -> Hashable:
        return (self.use.function.id, self.use.call.id)


class HeldWait(msgspec.Struct, frozen=True):
    """At `span`, `function` or what it calls waits and keeps `held`.

    `needs`: one who notifies, where all who do need that lock for it. `known`: somebody who notifies is known at all.
    """

    function: FunctionInfo
    span: Span
    held: Held
    wait: Reached[CondWait]
    needs: Use | None
    known: bool


class HeldWaits:
    """All of the program, one for each wait and lock: the nearest."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.takings = program.takings

    def found(self) -> Iterator[HeldWait]:
        """In source order of the functions that hold the lock."""
        own: dict[str, list[Reached[CondWait]]] = {}
        for use in self.program.conditions.all:
            if use.method in WAITS:
                way = self.takings.running.way(use.function, use.call.id)
                own.setdefault(use.function.id, []).append(Reached(CondWait(use), (), (), way.certain, way.given))
        if not own:
            return
        holders = self.takings.holders
        everywhere = reached(self.takings.running, holders, lambda function: own.get(function.id, ()))
        seen = set()
        for wait in self._all(holders, own, everywhere):
            key = (wait.held.lock.location, wait.wait.fact.key)
            if key not in seen:
                seen.add(key)
                yield wait

    def _all(
        self,
        holders: list[FunctionInfo],
        own: dict[str, list[Reached[CondWait]]],
        everywhere: dict[str, list[Reached[CondWait]]],
    ) -> Iterator[HeldWait]:
        for function in holders:
            for entry in own.get(function.id, ()):
                yield from self._held(function, entry.fact.use.call.id, entry)
        for function in holders:
            for site in self.takings.running.outgoing(function):
                for entry in everywhere[site.callee.id]:
                    carried = self.takings.running.carried(entry, site)
                    if carried is not None and len(carried.chain) <= _MAX_CALLS:
                        yield from self._held(function, site.event, replace(carried, certain=entry.certain))

    def _held(self, function: FunctionInfo, event: int, wait: Reached[CondWait]) -> Iterator[HeldWait]:
        use = wait.fact.use
        for held in self.takings.held(function, event):
            locks = self.program.locks
            if _stays(held, use) and not (locks.is_passed_in(held.lock) or locks.is_passed_in(use.lock)):
                notifiers = self.program.conditions.notifiers(use)
                others = [notifier for notifier in notifiers if notifier.function is not use.function] or notifiers
                all_need = bool(others) and all(self._needs(other, held.lock.location) for other in others)
                needs = others[0] if all_need else None
                yield HeldWait(function, event_span(function, event), held, wait, needs, bool(notifiers))

    def _needs(self, notifier: Use, location: Location) -> bool:
        """Whether the notifier, or all who call it, hold the lock or have taken it on the way there."""
        function = notifier.function
        if any(held.lock.location == location for held in self.takings.held(function, notifier.call.id)):
            return True
        taken = [taking for taking, _ in self.takings.own(function) if taking.lock.location == location]
        if any(t.event < notifier.call.id and self.takings.running.way(function, t.event).certain for t in taken):
            return True
        contexts = self.program.reach.of(function)
        return bool(contexts) and all(any(lock.location == location for lock in c.held) for c in contexts)


def _stays(held: Held, use: Use) -> bool:
    """Another lock than the condition's, of the same world, and no semaphore, which lets others pass."""
    mine, theirs = held.lock.facts, use.lock.facts
    if mine is None or theirs is None or mine.family == "semaphore" or held.owner is None or held.lock.nameless:
        return False
    return held.lock.location != use.lock.location and mine.world == theirs.world
