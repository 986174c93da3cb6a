"""Which locks are held where: a must-lockset dataflow over the control-flow tree of one function.

Lock effects of called functions (a helper that leaves the lock held, a context manager's block) are theirs, computed
once.
"""

from __future__ import annotations

from functools import cached_property

from msgspec.structs import replace

from racelint.knowledge.locks import ACQUIRES, READERS_AND_WRITERS, RELEASES
from racelint.model.summary import (
    Access,
    AnyNode,
    Branch,
    Call,
    Loop,
    Path,
    With,
)
from racelint.program.calling.calls import CallGraph, CallSite
from racelint.program.calling.raising import Raising
from racelint.program.flow.interpreter import Event, Interpreter
from racelint.program.flow.values import Stores
from racelint.program.locking.lock_state import EMPTY, NO_EFFECT, Effect, Hold, LockFlow, LockState
from racelint.program.locking.locks import Lock, Locks
from racelint.program.locking.substitution import owner_of, substituted
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Bound, Instance
from racelint.program.objects.types import Types

_READING_OR_WRITING = frozenset(READERS_AND_WRITERS) | frozenset(READERS_AND_WRITERS.values())


class LockFlows:
    """Flows of all functions, computed on demand."""

    def __init__(self, stores: Stores, types: Types, locks: Locks, calls: CallGraph) -> None:
        self.stores = stores
        self.types = types
        self.locks = locks
        self.calls = calls
        self.raising = Raising(types, calls)
        self._flows: dict[str, LockFlow] = {}
        self._effects: dict[str, Effect] = {}
        self._touching: dict[str, bool] = {}

    def of(self, function: FunctionInfo) -> LockFlow:
        """The flow of one function; recursion through lock effects is cut with no effect."""
        known = self._flows.get(function.id)
        if known is None:
            known = self._flows[function.id] = LockFlow(function)
            if self._touches_locks(function):
                solved = _Solver(self, function).solve()
                known = self._flows[function.id] = solved
        return known

    @cached_property
    def takers(self) -> tuple[FunctionInfo, ...]:
        """The functions that take a lock themselves, in source order."""
        return tuple(f for f in self._touching_locks if (flow := self.of(f)).acquisitions or flow.entrances)

    @cached_property
    def releasers(self) -> tuple[FunctionInfo, ...]:
        """Those that give one back by hand, in source order."""
        return tuple(f for f in self._touching_locks if self.of(f).releases)

    @cached_property
    def holders(self) -> frozenset[str]:
        """The ids of those that certainly hold a lock at some event of theirs."""
        states = ((f.id, state) for f in self._touching_locks for state in self.of(f).before.values())
        return frozenset(name for name, state in states if state.must)

    @cached_property
    def acting(self) -> tuple[FunctionInfo, ...]:
        """The functions that do something to the locks of their callers, in source order."""
        return tuple(f for f in self._touching_locks if self.effect(f) != NO_EFFECT)

    @cached_property
    def _touching_locks(self) -> tuple[FunctionInfo, ...]:
        """All functions of which there is more to say than that they hold nothing, in source order."""
        return tuple(f for f in self.types.index.functions if self.of(f).before)

    def _touches_locks(self, function: FunctionInfo) -> bool:
        known = self._touching.get(function.id)
        if known is None:
            self._touching[function.id] = False
            facts = self.stores.facts[function.id]
            known = bool(facts.withs) or any(
                path[-1] in ACQUIRES or path[-1] in RELEASES for call in facts.calls for path in call.func
            )
            known = known or any(self.effect(site.callee) != NO_EFFECT for site in self._plain_calls(function))
            self._touching[function.id] = known
        return known

    def _plain_calls(self, function: FunctionInfo) -> list[CallSite]:
        return [site for site in self.calls.outgoing[function.id] if not site.weak and not site.callee.ir.is_async]

    def effect(self, function: FunctionInfo) -> Effect:
        """What a call does to the locks of its caller."""
        known = self._effects.get(function.id)
        if known is None:
            self._effects[function.id] = NO_EFFECT
            if function.ir.is_generator or function.ir.kind in ("class", "module"):
                return self._effects[function.id]
            flow = self.of(function)
            ends = [exit_.state for exit_ in flow.exits if exit_.kind == "return"]
            if ends:
                state = ends[0]
                for other in ends[1:]:
                    state = state.joined(other)
                held = tuple(hold for hold in state.must if _outlives(hold.lock))
                dropped = frozenset(d for d in state.dropped if d.kind != "captured")
                certain = {hold.lock.location for hold in held}
                perhaps = frozenset(d for d in state.may - certain if d.kind != "captured")
                self._effects[function.id] = Effect(held, dropped, perhaps)
            known = self._effects[function.id]
        return known

    def seen_from(self, site: CallSite, lock: Lock) -> Lock:
        """A lock of the callee with the base that the caller knows."""
        index = self.types.index
        return replace(lock, base=substituted(owner_of(lock, site.callee, index), site, index) or ())

    def entered(self, path: Path, function: FunctionInfo) -> list[Lock] | None:
        """The locks held in the block of `with path:`; None where that is not known and may be some."""
        things = self.types.of(path, function)
        known = self._by_context_manager(path, function)
        if known is not None:
            return known
        for thing in things:
            if isinstance(thing, Instance) and not self.locks.classes.is_lock(thing.cls):
                enter = thing.cls.method("__enter__") or thing.cls.method("__aenter__")
                if enter is not None:
                    return [hold.lock for hold in self.effect(enter).held] or self._enter_effect(enter)
        lock = self.locks.of(path, function)
        if lock is not None:
            return [lock]
        return []

    def _enter_effect(self, enter: FunctionInfo) -> list[Lock] | None:
        """An `__enter__` that calls something unknown named acquire may hold a lock."""
        for site in self.calls.outgoing[enter.id]:
            if site.callee.ir.name in ACQUIRES:
                return [hold.lock for hold in self.effect(site.callee).held]
        return []

    def _by_context_manager(self, path: Path, function: FunctionInfo) -> list[Lock] | None:
        if len(path) != 1 or not path[0].startswith("c:"):
            return None
        call = self.stores.facts[function.id].call(int(path[0][2:]))
        if call is None:
            return None
        for path in call.func[:1]:
            if len(path) > 1 and path[-1] in _READING_OR_WRITING:
                lock = self.locks.of(path[:-1], function)
                if lock is not None and lock.facts is not None and lock.facts.family == "reader-writer":
                    return [lock]
        managers = [thing.function for thing in self.types.of_value(call.func, function) if isinstance(thing, Bound)]
        managers = [manager for manager in managers if manager.is_contextmanager]
        if any(self._is_entrance(manager) for manager in managers):
            lock = self.locks.of(call.func[0][:-1], function)
            return [lock] if lock is not None else None
        return self._held_at_yield(managers[0]) if managers else None

    def _is_entrance(self, manager: FunctionInfo) -> bool:
        """Another way into a lock of the program's own make: what gives that back at its end has it until then."""
        facts = self.stores.facts[manager.id]
        if manager.cls is None or not self.locks.classes.is_lock(manager.cls) or not facts.yields:
            return False
        return any(call.func == ((f"p:{manager.self_name}", "release"),) for call in facts.calls)

    def _held_at_yield(self, manager: FunctionInfo) -> list[Lock]:
        states = [
            self.of(manager).before.get(-1 - index) for index, _ in enumerate(self.stores.facts[manager.id].yields)
        ]
        found = [state for state in states if state is not None]
        if not found:
            return []
        state = found[0]
        for other in found[1:]:
            state = state.joined(other)
        return [hold.lock for hold in state.must]


def _outlives(lock: Lock) -> bool:
    return lock.location.kind != "captured"


class _Solver(Interpreter[LockState]):
    """One function's interpretation."""

    def __init__(self, flows: LockFlows, function: FunctionInfo) -> None:
        super().__init__()
        self.flows = flows
        self.function = function
        self.flow = LockFlow(function)
        self.effects = {site.event: site for site in flows._plain_calls(function)}
        self.yields = {id(node): -1 - index for index, node in enumerate(flows.stores.facts[function.id].yields)}
        self.conditional: dict[int, Lock] = {}
        self._added: dict[int, list[Lock]] = {}
        self._stacked: dict[Path, list[Lock]] = {}
        """By ExitStack: what it takes, and gives back at its end."""
        self._seen: set[tuple[str, int]] = set()

    def solve(self) -> LockFlow:
        self.flow.exits = self.run(self.function.ir.body, EMPTY)
        return self.flow

    def _record(self, event: int, state: LockState) -> None:
        before = self.flow.before.get(event)
        self.flow.before[event] = state if before is None else before.joined(state)

    def joined(self, left: LockState, right: LockState) -> LockState:
        return left.joined(right)

    def event(self, node: Event, state: LockState) -> LockState:
        if type(node) is Call:
            return self._call(node, state)
        if type(node) is Access:
            self._record(node.id, state)
            if not self.flows.raising.access(node, self.function):
                return state
        elif id(node) in self.yields:
            self._record(self.yields[id(node)], state)
        self.leave("raise", node, state)
        return state

    def _call(self, node: Call, state: LockState) -> LockState:
        self._record(node.id, state)
        for path in node.func[:1]:
            name = path[-1]
            if len(path) > 1 and name in ACQUIRES:
                lock = self._receiver_lock(path)
                if lock is not None:
                    return self._acquire(node, lock, state)
            elif len(path) > 1 and name in RELEASES:
                lock = self._receiver_lock(path)
                if lock is not None:
                    self._note(self.flow.releases, lock, node, state)
                    return state.released(lock)
            elif name == "enter_context" and node.args:
                for inner in node.args[0].value[:1]:
                    for lock in self.flows.entered(inner, self.function) or ():
                        if ("enter", node.id) not in self._seen:
                            self.flow.entrances.append((lock, node, state))
                        self._stacked.setdefault(path[:-1], []).append(lock)
                        state = state.acquired(Hold(lock, node.id, "with"))
                    self._seen.add(("enter", node.id))
        if self.flows.raising.call(node, self.function):
            self.leave("raise", node, state)
        site = self.effects.get(node.id)
        if site is not None and site.callee is not self.function:
            effect = self.flows.effect(site.callee)
            for location in sorted(effect.dropped):
                state = state.given_back(location)
            for hold in effect.held:
                state = state.acquired(Hold(self.flows.seen_from(site, hold.lock), node.id, "call"))
            state = LockState(state.must, state.may | effect.perhaps, state.dropped)
        return state

    def _receiver_lock(self, path: Path) -> Lock | None:
        lock = self.flows.locks.of(path[:-1], self.function)
        if lock is None or not lock.opaque:
            return lock
        things = self.flows.types.of(path[:-1], self.function)
        return lock if not things else None

    def _note(self, notes: list[tuple[Lock, Call, LockState]], lock: Lock, node: Call, state: LockState) -> None:
        if ("release", node.id) not in self._seen:
            self._seen.add(("release", node.id))
            notes.append((lock, node, state))

    def _acquire(self, node: Call, lock: Lock, state: LockState) -> LockState:
        if lock.facts is not None and lock.facts.world == "async" and not node.awaited:
            return state.perhaps(lock)
        self._acquisition(lock, node, node.id, state)
        if may_fail(node, lock):
            self.conditional[node.id] = lock
            return state.perhaps(lock)
        return state.acquired(Hold(lock, node.id, "acquire"))

    def _acquisition(self, lock: Lock, node: AnyNode, number: int, state: LockState) -> None:
        if ("acquire", number) not in self._seen:
            self._seen.add(("acquire", number))
            self.flow.acquisitions.append((lock, node, state))

    def split(self, node: Branch | Loop, state: LockState) -> tuple[LockState, LockState]:
        """`if lock.acquire(timeout=1):`."""
        lock = self.conditional.get(node.call)
        if lock is None:
            return state, state
        failed = state.released(lock)
        return state.acquired(Hold(lock, node.call, "acquire")), LockState(failed.must, failed.may, state.dropped)

    def entered(self, node: With, state: LockState) -> LockState:
        self._record(node.id, state)
        inside = state
        added: list[Lock] = []
        for path in node.item.value[:1]:
            for lock in self.flows.entered(path, self.function) or ():
                self._acquisition(lock, node, node.id, state)
                if not inside.holds(lock):
                    inside = inside.acquired(Hold(lock, node.id, "with"))
                    added.append(lock)
        for path in node.item.value[1:]:
            for lock in self.flows.entered(path, self.function) or ():
                inside = inside.perhaps(lock)
                other = {held.identity for held in added if held.location != lock.location}
                added = [held for held in added if held.location == lock.location]
                inside = inside.without(other)
        self._added[node.id] = added
        return inside

    def left(self, node: With, inside: LockState, before: LockState) -> LockState:
        """What the `with` took is released."""
        stacked = (lock for path in node.item.value[:1] for lock in self._stacked.get(path, ()))
        added = [*self._added[node.id], *stacked]
        locations = {lock.location for lock in added}
        left = inside.without({lock.identity for lock in added})
        gone = locations - {hold.lock.location for hold in left.must}
        return LockState(left.must, left.may - gone, left.dropped - locations)


def may_fail(call: Call, lock: Lock | None = None) -> bool:
    """`acquire(False)`, `acquire(blocking=…)`, `acquire(timeout=…)`: the answer says whether it is held.

    What a family of locks is asked for is a key.
    """
    if lock is not None and lock.facts is not None and lock.facts.by_key:
        return False
    for position, argument in enumerate(call.args):
        if argument.name in ("blocking", "block", "") and position <= 1:
            if argument.name != "" or position == 0:
                if argument.value != (("k:True",),):
                    return True
            else:
                return True
        if argument.name in ("timeout", "waittime"):
            return True
    return False
