"""Summaries to a Program: the one object that rules see."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from racelint.config.settings import Settings
from racelint.knowledge.locks import LOCK_DECORATORS, LOCK_FREE_DECORATORS
from racelint.model.source import SourceFile
from racelint.model.summary import Decorator, ModuleSummary
from racelint.program.calling.calls import CallGraph, bind
from racelint.program.flow.values import Stores
from racelint.program.locking.lock_places import LockPlaces
from racelint.program.locking.locks import Lock, Locks
from racelint.program.locking.locksets import LockFlows
from racelint.program.names.declared import declared_roots
from racelint.program.names.index import External, FunctionInfo, Index
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.anchors import Anchors
from racelint.program.objects.callees import Callees
from racelint.program.objects.locations import Location, Locations
from racelint.program.objects.things import Bound
from racelint.program.objects.thread_values import ThreadValues
from racelint.program.objects.types import Types
from racelint.program.sharing.accesses import SharedAccesses
from racelint.program.sharing.call_state import CallStates
from racelint.program.sharing.compounds import Compounds
from racelint.program.sharing.contracts import Contracts
from racelint.program.sharing.effects import Effects
from racelint.program.sharing.object_uses import ObjectUses
from racelint.program.sharing.ownership import Ownership
from racelint.program.threads.alternatives import Alternatives
from racelint.program.threads.locked_calls import LockedCalls
from racelint.program.threads.ordering import Ordering
from racelint.program.threads.reach import Reach
from racelint.program.threads.roots import StartCall, find_initializers, find_roots, start_calls
from racelint.program.threads.thread_objects import ThreadObjects

if TYPE_CHECKING:
    from racelint.program.coroutines.await_guards import AwaitGuards
    from racelint.program.coroutines.switch_points import SwitchPoints
    from racelint.program.coroutines.tasks import Tasks
    from racelint.program.linked.condition_uses import ConditionUses
    from racelint.program.linked.processes import Child
    from racelint.program.linked.takings import Takings
    from racelint.program.linked.tenures import Tenures
    from racelint.program.lock_use.lock_order import LockOrder
    from racelint.program.races.suspects import Suspects

_OURS = __name__.rpartition(".")[0]


class Program:
    """The linked summaries of one scan and every analysis over them, each computed when first asked for."""

    def __init__(self, modules: Sequence[tuple[SourceFile, ModuleSummary]], settings: Settings) -> None:
        self.settings = settings
        ordered = sorted(modules, key=lambda pair: pair[0].display)
        self.index = Index(ordered)
        self.stores = Stores(self.index)
        self.types = Types(self.index, self.stores)
        self.calls = CallGraph(self.index, self.stores, self.types)
        self.roots: list[ThreadRoot] = self._find_roots()
        self.types.settle()
        self.locations = Locations(self.index, self.stores, self.types)
        self.locks = Locks(self.stores, self.types, self.locations, self.settings.extra_locks)
        self.flows = LockFlows(self.stores, self.types, self.locks, self.calls)
        self.ordering = Ordering(self.stores)

    def _find_roots(self) -> list[ThreadRoot]:
        """Twice: what the first round finds to be passed to a thread tells the types of its parameters."""
        roots = self._roots_now()
        fresh = False
        for root in roots:
            for name, value in root.bindings.items():
                if root.site_function is not None:
                    self.types.learn(root.target, name, value, root.site_function)
                    fresh = True
        for found in find_initializers(self.index, self.stores, self.types, self.calls):
            for name, value in found.bindings.items():
                self.types.learn(found.target, name, value, found.maker)
                fresh = True
        if not fresh:
            return roots
        self.calls.resolve_all()
        return self._roots_now()

    def _roots_now(self) -> list[ThreadRoot]:
        found = find_roots(self.index, self.stores, self.types, self.calls)
        declared = declared_roots(self.index, self.settings.extra_thread_roots)
        return (
            sorted([*found, *declared], key=lambda root: (root.target.order, root.kind, root.id)) if declared else found
        )

    @cached_property
    def ownership(self) -> Ownership:
        return Ownership(self.stores, self.types, self.calls, self.roots)

    @cached_property
    def reach(self) -> Reach:
        return Reach(
            self.index,
            self.stores,
            self.calls,
            self.flows,
            self.ownership,
            self.roots,
            self.decorator_locks,
            self.anchors,
            self.contracts,
        )

    @cached_property
    def locked_calls(self) -> LockedCalls:
        return LockedCalls(self.reach)

    @cached_property
    def thread_objects(self) -> ThreadObjects:
        return ThreadObjects(self.index, self.stores, self.types, self.callees, self.reach, self.roots)

    @cached_property
    def callees(self) -> Callees:
        return Callees(self.index, self.stores, self.types)

    @cached_property
    def thread_values(self) -> ThreadValues:
        return ThreadValues(self.types, self.callees)

    @cached_property
    def start_calls(self) -> tuple[StartCall, ...]:
        return tuple(start_calls(self.index, self.stores, self.types, self.calls, self.callees))

    @cached_property
    def alternatives(self) -> Alternatives:
        return Alternatives(self.calls)

    @cached_property
    def contracts(self) -> Contracts:
        return Contracts(self.index, self.settings)

    @cached_property
    def lock_places(self) -> LockPlaces:
        return LockPlaces(self.index, self.stores, self.types, self.locks)

    @cached_property
    def anchors(self) -> Anchors:
        return Anchors(self.index, self.stores, self.types, self.roots)

    @cached_property
    def shared(self) -> SharedAccesses:
        return SharedAccesses(self.index, self.stores, self.types, self.locations)

    @cached_property
    def compounds(self) -> Compounds:
        return Compounds(self.stores, self.calls, self.shared, self.effects)

    @cached_property
    def call_states(self) -> CallStates:
        return CallStates(self.effects, self.compounds, self.thread_values)

    @cached_property
    def effects(self) -> Effects:
        return Effects(self.stores, self.calls, self.shared)

    @cached_property
    def object_uses(self) -> ObjectUses:
        return ObjectUses(
            self.index,
            self.stores,
            self.types,
            self.locations,
            self.shared,
            self.effects,
            self.lock_places,
            self.contracts,
        )

    @cached_property
    def suspects(self) -> Suspects:
        from racelint.program.races.suspects import Suspects

        return Suspects(self)

    @cached_property
    def lock_order(self) -> LockOrder:
        from racelint.program.lock_use.lock_order import LockOrder

        return LockOrder(self)

    @cached_property
    def conditions(self) -> ConditionUses:
        from racelint.program.linked.condition_uses import ConditionUses

        return ConditionUses(self)

    @cached_property
    def takings(self) -> Takings:
        from racelint.program.linked.takings import Takings

        return Takings(self)

    @cached_property
    def tenures(self) -> Tenures:
        from racelint.program.linked.tenures import Tenures

        return Tenures(self)

    @cached_property
    def switch_points(self) -> SwitchPoints:
        from racelint.program.coroutines.switch_points import SwitchPoints

        return SwitchPoints(self)

    @cached_property
    def await_guards(self) -> AwaitGuards:
        from racelint.program.coroutines.await_guards import AwaitGuards

        return AwaitGuards(self)

    @cached_property
    def tasks(self) -> Tasks:
        from racelint.program.coroutines.tasks import Tasks

        return Tasks(self)

    @cached_property
    def children(self) -> tuple[Child, ...]:
        """Every process that the program starts."""
        from racelint.program.linked.processes import reached_by

        return tuple(reached_by(self, root) for root in self.roots if root.kind == "process")

    @cached_property
    def decorator_locks(self) -> dict[str, frozenset[Lock]]:
        """Locks that a decorator (or a `holds` directive) holds around a function's whole body, by function id."""
        found: dict[str, frozenset[Lock]] = {}
        for function in self.index.functions:
            locks = {lock for decorator in function.ir.decorators for lock in self._held_by(decorator, function)}
            locks |= self._declared(function)
            if locks:
                found[function.id] = frozenset(locks)
        return found

    def _held_by(self, decorator: Decorator, function: FunctionInfo) -> set[Lock]:
        named = self._named_in(decorator, function)
        if named is not None:
            return {named}
        scope = self._defining(function)
        found: set[Lock] = set()
        for thing in self.types.of_value(decorator.value, scope):
            if type(thing) is External and not _is_harmless(thing.dotted):
                found.add(_opaque(thing.dotted))
            elif type(thing) is Bound:
                held = self._held_in_wrapper(thing.function, function)
                found |= {self._of_decoration(lock, thing.function, decorator, function) for lock in held}
        return found

    def _named_in(self, decorator: Decorator, function: FunctionInfo) -> Lock | None:
        """`@locked(lock="_state_lock")`: a decorator that is given the name of a lock of the object is to hold it."""
        for argument in decorator.args if function.self_name else ():
            for path in argument.value:
                name = path[0].removeprefix("k:str:").strip("'\"")
                if path[0].startswith("k:str:") and name.isidentifier():
                    lock = self.locks.of((f"p:{function.self_name}", name), function)
                    if lock is not None and lock.facts is not None:
                        return lock
        return None

    def _of_decoration(self, lock: Lock, maker: FunctionInfo, decorator: Decorator, function: FunctionInfo) -> Lock:
        """Of a lock that the decorator was given, that one; one that it makes is made for each function."""
        place = lock.location
        home = f"{maker.module.name}:{maker.qualname}"
        if place.kind != "captured" or not (place.owner == home or place.owner.startswith(f"{home}.")):
            return lock
        if len(place.fields) == 1 and place.owner == home and decorator.called:
            for value in bind(maker, decorator.args, bound=False).get(place.fields[0], ()):
                given = self.locks.of(value, self._defining(function))
                return given if given is not None else _opaque(str(place))
        if len(place.fields) > 1:
            return lock
        return replace(lock, location=Location("captured", function.id, place.fields))

    def _defining(self, function: FunctionInfo) -> FunctionInfo:
        if function.cls is not None:
            return function.module.functions.get(function.cls.ir.qualname, function)
        parent = function.module.functions.get(function.ir.parent)
        return parent or function.module.functions["<module>"]

    def _held_in_wrapper(self, decorator: FunctionInfo, function: FunctionInfo, depth: int = 0) -> set[Lock]:
        """The locks held where the decorator's wrapper calls the function it wraps."""
        found: set[Lock] = set()
        params = [param.name for param in decorator.ir.params]
        for inner in decorator.module.functions.values():
            if inner.ir.parent != decorator.qualname:
                continue
            wrapped = {f"f:{decorator.qualname}:{name}" for name in params}
            flow = self.flows.of(inner)
            for call in self.stores.facts[inner.id].calls:
                if any(path[0] in wrapped and len(path) == 1 for path in call.func):
                    for hold in flow.at(call.id).must:
                        found.add(self._on_self(hold.lock, inner, function))
            if depth == 0 and not found:
                found |= self._held_in_wrapper(inner, function, 1)
        return found

    def _on_self(self, lock: Lock, wrapper: FunctionInfo, function: FunctionInfo) -> Lock:
        """`self._lock` in a wrapper is the lock of the decorated method's own class."""
        location = lock.location
        if location.kind == "captured" and function.cls is not None and len(location.fields) == 2:
            first = wrapper.ir.params[0].name if wrapper.ir.params else ""
            if location.fields[0] in (first, "[*]", "args") and function.self_name:
                actual = self.locks.of((f"p:{function.self_name}", location.fields[1]), function)
                if actual is not None:
                    return actual
        return lock

    def _declared(self, function: FunctionInfo) -> set[Lock]:
        found: set[Lock] = set()
        for directive in function.module.summary.directives:
            near = directive.line == function.ir.name_span[0] or (
                directive.own_line and directive.line == function.ir.span[0] - 1
            )
            if directive.verb == "holds" and near:
                parts = directive.argument.split(".")
                root = f"p:{parts[0]}" if parts[0] == function.self_name else f"g:{parts[0]}"
                lock = self.locks.of((root, *parts[1:]), function)
                if lock is not None:
                    found.add(lock)
        return found


def _is_harmless(dotted: str) -> bool:
    """Decorators that are known to hold no lock: the standard library's, and those of known frameworks."""
    return dotted not in LOCK_DECORATORS and dotted.partition(".")[0] in LOCK_FREE_DECORATORS


def _opaque(dotted: str) -> Lock:
    return Lock(Location("global", dotted, ("synchronized",)), None, True)


def link(modules: Sequence[tuple[SourceFile, ModuleSummary]], settings: Settings) -> Program:
    """Link the summaries of one scan."""
    return Program(modules, settings)


def unlink(program: Program) -> None:
    """Free all that a program has worked out: nothing may be asked of it any more.

    It is full of references that go in circles, which nothing else than a search for cycles would free.
    """
    for module in program.index.all_modules:
        for cls in module.classes.values():
            cls.derive([])
            cls.own.clear()
            cls.bases.clear()
            cls.subclasses.clear()
            cls.descendants = None
        for function in module.functions.values():
            function.meanings.clear()
            function.questions.clear()
            function.overridden = None
        module.functions.clear()
        module.classes.clear()
    pending: list[object] = [program]
    while pending:
        kept = vars(pending.pop())
        pending += [value for value in kept.values() if _is_analysis(value)]
        kept.clear()


def _is_analysis(value: object) -> bool:
    """Whether it belongs to one program: no plain data, which several may share."""
    ours = type(value).__module__.startswith(_OURS) and not isinstance(value, Struct)
    return ours and hasattr(value, "__dict__")
