"""Whether a stretch of code may run under a lock: what the lock analysis knows against it."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from racelint.fixes.reasons import runs_locked
from racelint.fixes.strangers import Strangers
from racelint.knowledge.containers import CHANGING_FUNCTIONS
from racelint.knowledge.raising import NEVER_RAISES
from racelint.model.summary import AnyNode, Call, Loop, Span, Suspend, With
from racelint.program import Program
from racelint.program.calling.calls import CallSite
from racelint.program.flow.values import nodes_of
from racelint.program.linked.blocking import BlockingCalls
from racelint.program.linked.computing import Computing
from racelint.program.locking.locks import Lock
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.objects.spelling import spelled_call
from racelint.program.objects.things import Member, Object, Thing


def _is_exception(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


_PRIMITIVES = ("Lock", "RLock", "Condition", "Event", "Semaphore", "BoundedSemaphore", "Barrier", "Thread", "Timer")
_CONTAINERS = ("deque", "defaultdict", "OrderedDict", "Counter")
_QUIET = (
    NEVER_RAISES
    | CHANGING_FUNCTIONS.keys()
    | {"builtins.hasattr", "builtins.getattr", "builtins.setattr"}
    | {f"threading.{name}" for name in _PRIMITIVES}
    | {f"collections.{name}" for name in _CONTAINERS}
    | {f"builtins.{name}" for name, value in vars(builtins).items() if _is_exception(value)}
)
_TELLING = frozenset({("concurrent.futures.Future", "cancel")})
"""They run the callbacks of the object at once, which may come back for the lock."""
_QUIET_METHODS = frozenset(
    {"is_set", "set", "is_alive", "locked", "notify", "notify_all", "cancel", "done", "qsize", "release"}
)


class Extent(NamedTuple):
    """Lines of a file from `first` to `last`, but for what stands at `without`."""

    first: int
    last: int
    without: Span | None = None

    def holds(self, span: Span) -> bool:
        """Whether something that begins at `span` is part of it."""
        left_out = self.without is not None and self.without[:2] <= span[:2] < self.without[2:]
        return self.first <= span[0] <= self.last and not left_out


class Examination(NamedTuple):
    """`obstacles` forbid the lock, `cautions` leave it to a person, `doubts` make it unsafe: clauses with the reason.

    `nested`: the code comes to another stretch that is to take the same lock.
    """

    obstacles: tuple[str, ...]
    doubts: tuple[str, ...]
    nested: bool
    cautions: tuple[str, ...] = ()

    @property
    def weight(self) -> tuple[int, int, int]:
        """How much speaks against the lock, the gravest first."""
        return len(self.obstacles), len(self.cautions), len(self.doubts)


class LockSafety:
    """Examines stretches for one lock (None: one that is yet to be made), which `takers` are going to take.

    `reentrant`: the lock is to become a reentrant one.
    """

    def __init__(
        self, program: Program, lock: Lock | None, takers: Iterable[FunctionInfo], *, reentrant: bool = False
    ) -> None:
        self.program = program
        self.released = lock
        self.lock = None if reentrant else lock
        self.takers = {function.id for function in takers}
        self.computing = Computing(program)
        self.blocking = BlockingCalls(program)
        self.strangers = Strangers(program, lock)

    def examine(
        self, function: FunctionInfo, extent: Extent, opened: Collection[int] = (), steps: Iterable[Span] = ()
    ) -> Examination:
        """What speaks against holding the lock there; on the lines `opened` a `with` on the lock goes away.

        What was handed in may come back for the lock: it is called there only where one of `steps` needs its answer.
        """
        needed = self._needed(function, tuple(steps))
        sites = [s for s in self.program.calls.outgoing[function.id] if extent.holds(self._span(function, s))]
        obstacles = [*self._suspensions(function, extent), *self.retakings(function, extent, opened)]
        doubts, cautions = [], []
        flow = self.program.flows.of(function)
        for call in self.program.stores.facts[function.id].calls:
            locked = self.released is not None and flow.at(call.id).hold(self.released.location) is not None
            if extent.holds(call.span) and not locked and call.span[0] not in opened:
                name = f"`{spelled_call(call, self.program.stores.facts[function.id])}`"
                blocking = self.blocking.reached(call, function)
                if blocking is not None and blocking.blocking.kind != "file":
                    obstacles.append(f"{name} may wait, and would with the lock held")
                elif call.id not in needed and (against := self.strangers.reason(call, function)):
                    cautions.append(f"{name} runs {against}")
                elif not self._is_quiet(call, function):
                    doubts.append(runs_locked(name))
        nested = any(self._reaches_taker(site.callee, set()) for site in sites)
        return Examination(_once(obstacles), _once(doubts), nested, _once(cautions))

    def _needed(self, function: FunctionInfo, steps: tuple[Span, ...]) -> set[int]:
        """The calls that stand in a step, or whose answer it uses."""
        facts = self.program.stores.facts[function.id]
        made = {dep for a in facts.accesses for step in steps if is_inside(a.span, step) for dep in a.deps}
        return made | {call.id for call in facts.calls for step in steps if is_inside(call.span, step)}

    def retakings(self, function: FunctionInfo, extent: Extent, opened: Collection[int] = ()) -> Iterator[str]:
        """Where the lock is held already, taken again or given back: a thread or a task would wait for itself."""
        for site in self.program.calls.outgoing[function.id]:
            if extent.holds(self._span(function, site)):
                yield from self._taken(site)
        yield from self._held(function, extent)
        yield from self._taken_here(function, extent, opened)
        yield from self._given_back(function, extent)

    def _span(self, function: FunctionInfo, site: CallSite) -> Span:
        event = self.program.stores.facts[function.id].events.get(site.event)
        return event.span if event is not None else (0, 0, 0, 0)

    @staticmethod
    def _suspensions(function: FunctionInfo, extent: Extent) -> Iterator[str]:
        for node in nodes_of(function.ir.body):
            suspends = isinstance(node, Suspend) or (isinstance(node, (Loop, With)) and node.is_async)
            if suspends and extent.holds(span_of_node(node)):
                yield "others run at an `await` or `yield` there, with the lock held"

    def _held(self, function: FunctionInfo, extent: Extent) -> Iterator[str]:
        """The lock is held already, by a caller or by the function itself."""
        if self.lock is None or self.lock.reentrant:
            return
        location = self.lock.location
        if any(location in {lock.location for lock in c.held} for c in self.program.reach.of(function)):
            yield f"a caller holds `{self.lock.short}` already"
        flow = self.program.flows.of(function)
        for event in self.program.stores.facts[function.id].events.values():
            hold = flow.at(event.id).hold(location) if extent.holds(event.span) else None
            if hold is not None and not self._is_taken_inside(function, hold.region, extent):
                yield f"`{self.lock.short}` is held there already"

    def _is_taken_inside(self, function: FunctionInfo, region: int, extent: Extent) -> bool:
        return any(
            isinstance(node, (Call, With)) and node.id == region and extent.holds(span_of_node(node))
            for _, node, _ in self.program.flows.of(function).acquisitions
        )

    def _taken(self, site: CallSite) -> Iterator[str]:
        if self.lock is None or self.lock.reentrant:
            return
        for entry in self.program.takings.through(site):
            if entry.fact.lock.location == self.lock.location:
                yield f"`{site.callee.ir.name}()` takes `{self.lock.short}` itself"

    def _taken_here(self, function: FunctionInfo, extent: Extent, opened: Collection[int]) -> Iterator[str]:
        if self.lock is None or self.lock.reentrant:
            return
        for lock, node, _ in self.program.flows.of(function).acquisitions:
            span = span_of_node(node)
            if lock.location == self.lock.location and extent.holds(span) and span[0] not in opened:
                yield f"`{self.lock.short}` is taken inside, too"

    def _given_back(self, function: FunctionInfo, extent: Extent) -> Iterator[str]:
        """By a call: the end of a `with` block stays with its block."""
        for lock, node, _ in self.program.flows.of(function).releases:
            mine = self.released is not None and lock.location == self.released.location
            if mine and isinstance(node, Call) and extent.holds(node.span):
                yield f"`{lock.short}` is given back inside"

    def _reaches_taker(self, function: FunctionInfo, seen: set[str]) -> bool:
        if function.id in self.takers:
            return True
        if function.id in seen:
            return False
        seen.add(function.id)
        return any(self._reaches_taker(site.callee, seen) for site in self.program.calls.outgoing[function.id])

    def _is_quiet(self, call: Call, function: FunctionInfo) -> bool:
        """Only computes, or makes a plain object: nothing that could call back or wait."""
        if self.computing.is_pure_call(call, function):
            return True
        things = self.program.types.of_value(call.func, function)
        return bool(things) and all(self._is_quiet_thing(thing, call, function) for thing in things)

    def _is_quiet_thing(self, thing: Thing, call: Call, function: FunctionInfo) -> bool:
        if isinstance(thing, External):
            return thing.dotted in _QUIET
        if isinstance(thing, Member):
            return thing.name in _QUIET_METHODS and (thing.dotted, thing.name) not in _TELLING
        if isinstance(thing, ClassInfo):
            made = [site.callee for site in self.program.calls.outgoing[function.id] if site.event == call.id]
            return _QUIET.issuperset(thing.all_external_bases()) and all(
                self.computing.is_pure(callee) for callee in made
            )
        return isinstance(thing, Object) and thing.dotted.startswith("builtins.")


def _once(clauses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clauses))


def is_inside(span: Span, outer: Span) -> bool:
    """Whether something stands within something else."""
    return outer[:2] <= span[:2] and span[2:] <= outer[2:]


def span_of_node(node: AnyNode) -> Span:
    """Where a node of the control flow stands: a `with` at what it enters."""
    return node.item.span if isinstance(node, With) else node.span
