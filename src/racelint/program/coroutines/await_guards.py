"""What may exclude other tasks while a coroutine awaits: locks, and all that may be one."""

from __future__ import annotations

from collections.abc import Iterable

from racelint.knowledge.locks import ACQUIRES
from racelint.model.summary import AnyNode, Path, With
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.things import Bound, Instance, Object

_MAX_DEPTH = 4
_EXCLUDING_WORDS = ("lock", "mutex", "sem", "guard", "exclusive", "serial", "transaction", "critical")


class AwaitGuards:
    """Answers for regions of coroutines."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._around: dict[tuple[str, int], list[AnyNode]] = {}
        self._called_under_one: dict[tuple[str, int], bool] = {}

    def around(self, function: FunctionInfo, event: int) -> list[AnyNode]:
        """The compound nodes that an event stands in, outermost first."""
        key = (function.id, event)
        if key not in self._around:
            self._around[key] = enclosing(place_of(function, event))
        return self._around[key]

    def span(self, function: FunctionInfo, first: int, last: int) -> bool:
        """Whether something that may exclude others is held from one event to another, here or by all callers."""
        flow = self.program.flows.of(function)
        regions = {(hold.lock.location, hold.region) for hold in flow.at(first).must if _may_be_lock(hold.lock)}
        if any((hold.lock.location, hold.region) in regions for hold in flow.at(last).must):
            return True
        outer = {id(node) for node in self.around(function, first)}
        shared = [node for node in self.around(function, last) if id(node) in outer]
        return self._excludes(shared, function) or self._always_called_under_one(function, 0)

    def _excludes(self, nodes: Iterable[AnyNode], function: FunctionInfo) -> bool:
        return any(self._may_exclude(node, function) for node in nodes if isinstance(node, With))

    def _may_exclude(self, node: With, function: FunctionInfo) -> bool:
        return not node.item.value or any(self._is_guard(path, function) for path in node.item.value)

    def _is_guard(self, path: Path, function: FunctionInfo) -> bool:
        things = self.program.types.of(path, function)
        if path[0].startswith("c:") and len(path) == 1:
            call = self.program.stores.facts[function.id].call(int(path[0][2:]))
            callees = self.program.types.of_value(call.func, function) if call is not None else ()
            managers = [t.function for t in callees if isinstance(t, Bound) and t.function.is_contextmanager]
            if managers:
                return any(self._takes_one(manager) for manager in managers)
        if not things:
            return self._is_named_so(path, function)
        if self.program.locks.facts_of(things) is not None:
            return True
        for thing in things:
            if isinstance(thing, Instance):
                enter = thing.cls.method("__aenter__") or thing.cls.method("__enter__")
                if _sounds_excluding(thing.cls.name) or (enter is not None and self._takes_one(enter)):
                    return True
            elif isinstance(thing, (Object, External)) and _sounds_excluding(thing.dotted.rpartition(".")[2]):
                return True
        return False

    def _is_named_so(self, path: Path, function: FunctionInfo) -> bool:
        """Nothing but its name, or that of what makes it, tells what an unknown object does."""
        call = self.program.stores.facts[function.id].made_by(path)
        names = [path] if call is None else [path, *call.func]
        return any(_sounds_excluding(part) for name in names for part in name)

    def _takes_one(self, function: FunctionInfo) -> bool:
        """A context manager, or `__aenter__`, that acquires something."""
        if _sounds_excluding(function.ir.name):
            return True
        for node in nodes_of(function.ir.body):
            if isinstance(node, With) and self._may_exclude(node, function):
                return True
        calls = self.program.stores.facts[function.id].calls
        return any(path[-1] in ACQUIRES for call in calls for path in call.func)

    def _always_called_under_one(self, function: FunctionInfo, depth: int) -> bool:
        key = (function.id, depth)
        if key not in self._called_under_one:
            self._called_under_one[key] = self._is_called_under_one(function, depth)
        return self._called_under_one[key]

    def _is_called_under_one(self, function: FunctionInfo, depth: int) -> bool:
        if self.program.decorator_locks.get(function.id):
            return True
        sites = [site for site in self.program.calls.incoming.get(function.id, []) if not site.weak]
        if not sites or depth > _MAX_DEPTH:
            return False
        return all(
            any(_may_be_lock(hold.lock) for hold in self.program.flows.of(site.caller).at(site.event).must)
            or self._excludes(self.around(site.caller, site.event), site.caller)
            or (site.caller is not function and self._always_called_under_one(site.caller, depth + 1))
            for site in sites
        )


def _may_be_lock(lock: Lock) -> bool:
    """A lock by its type, or what is entered and named like one."""
    return not lock.opaque or any(_sounds_excluding(field) for field in lock.location.fields)


def _sounds_excluding(name: str) -> bool:
    return any(word in name.lower() for word in _EXCLUDING_WORDS)
