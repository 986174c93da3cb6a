"""Which locks a run of a function takes and waits for, in itself and through what it calls."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property

import msgspec
from msgspec.structs import replace

from racelint.model.summary import Call, Span, With
from racelint.program.calling.calls import CallSite
from racelint.program.flow.values import event_span
from racelint.program.linked.reached import Callback, Reached, Running, reached
from racelint.program.linker import Program
from racelint.program.locking.lock_state import Hold, LockState
from racelint.program.locking.locks import Lock, is_primitive
from racelint.program.locking.locksets import may_fail
from racelint.program.locking.substitution import Owner, owner_of, substituted
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Bound, Instance


class Taking(msgspec.Struct, frozen=True):
    """An acquisition that waits as long as it takes; by a decorator where `event` is 0."""

    lock: Lock
    function: FunctionInfo
    event: int
    span: Span

    @property
    def key(self) -> Hashable:
        return self.lock.location


class Held(msgspec.Struct, frozen=True):
    """A lock that a function certainly holds at one of its events, and where it took it."""

    lock: Lock
    owner: Owner
    function: FunctionInfo
    span: Span


class Nesting(msgspec.Struct, frozen=True):
    """At `span`, `function` or what it calls there takes a lock while `held` is."""

    function: FunctionInfo
    span: Span
    held: Held
    then: Reached[Taking]


class Takings:
    """The acquisitions of the whole program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.running = Running(program)
        self._taken: dict[str, list[Reached[Taking]]] = {}
        self._nestings: dict[str, list[Nesting]] = {}

    def own(self, function: FunctionInfo) -> Iterator[tuple[Taking, LockState]]:
        """What the function itself takes of known locks, and the state just before."""
        for lock in sorted(self.program.decorator_locks.get(function.id, ()), key=lambda lock: lock.location):
            if not lock.opaque:
                yield Taking(lock, function, 0, function.ir.name_span), LockState()
        for lock, node, state in self.program.flows.of(function).acquisitions:
            if lock.facts is None or lock.facts.family == "semaphore":
                continue
            if isinstance(node, Call) and not may_fail(node):
                yield Taking(lock, function, node.id, node.span), state
            elif isinstance(node, With) and (lock.facts.declared or not self._by_another(node, function)):
                yield Taking(lock, function, node.id, node.item.span), state

        for lock, call, state in self.program.flows.of(function).entrances:
            if lock.facts is not None and lock.facts.family != "semaphore":
                yield Taking(lock, function, call.id, call.span), state

    def _by_another(self, node: With, function: FunctionInfo) -> bool:
        """Whether a context manager of the program takes the lock: then that is where it is taken."""
        path = node.item.value[0] if node.item.value else ()
        call = self.program.stores.facts[function.id].made_by(path)
        if call is not None and len(path) == 1:
            callees = self.program.types.of_value(call.func, function)
            if any(isinstance(thing, Bound) and thing.function.is_contextmanager for thing in callees):
                return True
        things = self.program.types.of(path, function)
        return not is_primitive(things) and any(
            isinstance(thing, Instance) and thing.cls.method("__enter__") is not None for thing in things
        )

    @cached_property
    def takers(self) -> tuple[FunctionInfo, ...]:
        """The functions that take a lock themselves or have a decorator do so, in source order."""
        taking = {function.id for function in self.program.flows.takers}.union(self.program.decorator_locks)
        return tuple(function for function in self.program.index.functions if function.id in taking)

    def taken(self, function: FunctionInfo) -> list[Reached[Taking]]:
        """All that a run of the function takes, the nearest first."""
        if function.id not in self._taken:
            # Of those that hold a lock it will be asked anyway: once for all is cheaper than one by one.
            self.work_out([function] if self._taken else [function, *self.holders])
        return self._taken[function.id]

    def work_out(self, functions: Sequence[FunctionInfo]) -> None:
        """See what runs of several functions take."""
        asked = [function for function in functions if function.id not in self._taken]
        self._taken |= reached(self.running, asked, self._first, self._is_dropped)

    def _first(self, function: FunctionInfo) -> list[Reached[Taking]]:
        """What the function itself takes, unless it has given that back before, or asked who holds it."""
        entries: dict[Hashable, Reached[Taking]] = {}
        for taking, state in self.own(function):
            way = self.running.way(function, taking.event)
            if taking.lock.location in state.dropped or self.is_asked_for(taking, function, taking.event):
                continue
            owner = owner_of(taking.lock, function, self.program.index)
            entry = Reached(taking, owner, (), way.certain, way.given)
            entries.setdefault(entry.key, entry)
        return list(entries.values())

    def _is_dropped(self, entry: Reached[Taking], site: CallSite) -> bool:
        """The caller has given the lock back before, or looked at who holds it: it is not taken twice then."""
        if self.is_asked_for(entry.fact, site.caller, site.event) or self._is_tried(entry.fact, site):
            return True
        return entry.fact.lock.location in self.program.flows.of(site.caller).at(site.event).dropped

    def _is_tried(self, taking: Taking, site: CallSite) -> bool:
        """`lock.acquire(*args, **kwargs)` in what is called with `blocking=False`: that is handed on."""
        if taking.function is not site.callee:
            return False
        asking = self.program.stores.facts[site.caller.id].call(site.event)
        if asking is None or not may_fail(asking):
            return False
        call = self.program.stores.facts[taking.function.id].call(taking.event)
        return call is not None and any(argument.name in ("*", "**") for argument in call.args)

    def is_asked_for(self, taking: Taking, function: FunctionInfo, event: int) -> bool:
        """Whether the way to an event led over a question who holds the lock."""
        asked = self.running.way(function, event).asked
        return bool(asked) and ("*" in asked or taking.lock.location.attribute in asked)

    def holds(self, function: FunctionInfo) -> bool:
        """Whether the function itself (or its decorator) holds a lock at any of its events."""
        return function.id in self.program.flows.holders or function.id in self.program.decorator_locks

    @cached_property
    def holders(self) -> list[FunctionInfo]:
        """The functions that hold a lock at any of their events, in source order."""
        return [function for function in self.program.index.functions if self.holds(function)]

    def held(self, function: FunctionInfo, event: int) -> list[Held]:
        """The locks that the function itself (or its decorator) holds at an event."""
        if not self.holds(function):
            return []
        must = self.program.flows.of(function).at(event).must
        decorating = self.program.decorator_locks.get(function.id, ())
        found = [self._held(hold, function) for hold in must]
        for lock in sorted(decorating, key=lambda lock: lock.location):
            if not any(held.lock.location == lock.location for held in found):
                found.append(Held(lock, owner_of(lock, function, self.program.index), function, function.ir.name_span))
        return [held for held in found if not held.lock.opaque]

    def _held(self, hold: Hold, function: FunctionInfo) -> Held:
        span = event_span(function, hold.region)
        return Held(hold.lock, owner_of(hold.lock, function, self.program.index), function, span)

    def through(self, site: CallSite) -> Iterator[Reached[Taking]]:
        """What the call at `site` takes, as its caller sees it; `certain` speaks of what comes after the call."""
        for entry in self.taken(site.callee):
            if not self._is_dropped(entry, site):
                carried = self.running.carried(entry, site)
                if carried is not None:
                    yield replace(carried, certain=entry.certain)

    @cached_property
    def _nesting(self) -> frozenset[str]:
        """The ids of the functions that may have nestings."""
        return self._callers_of_holders.union(f.id for f in (*self.takers, *self.holders))

    @cached_property
    def _callers_of_holders(self) -> frozenset[str]:
        incoming = self.program.calls.incoming
        return frozenset(site.caller.id for holder in self.holders for site in incoming.get(holder.id, ()))

    def nestings(self, function: FunctionInfo) -> list[Nesting]:
        """Every taking of the function and of what it calls, with each lock that is held then."""
        known = self._nestings.get(function.id)
        if known is None:
            known = list(self._nestings_of(function)) if function.id in self._nesting else []
            self._nestings[function.id] = known
        return known

    def _nestings_of(self, function: FunctionInfo) -> Iterator[Nesting]:
        for taking, _ in self.own(function):
            if not self.is_asked_for(taking, function, taking.event):
                then = Reached(taking, owner_of(taking.lock, function, self.program.index))
                for held in self.held(function, taking.event):
                    yield Nesting(function, taking.span, held, then)
        for site in self.running.outgoing(function) if self.holds(function) else ():
            yield from self._nested(function, site, self.held(function, site.event))
        if function.id in self._callers_of_holders:
            for callback in self.running.callbacks(function):
                yield from self._nested(function, callback.run, self._held_around(callback))

    def _nested(self, function: FunctionInfo, site: CallSite, here: list[Held]) -> Iterator[Nesting]:
        if here:
            for then in self.through(site):
                for held in here:
                    yield Nesting(function, event_span(function, site.event), held, then)

    def _held_around(self, callback: Callback) -> list[Held]:
        """What the callee holds where it runs a function that it was passed, as its caller sees it."""
        index = self.program.index
        return [
            replace(held, owner=substituted(held.owner, callback.site, index))
            for held in self.held(callback.site.callee, callback.call.id)
        ]
