"""Locks that are taken in the middle of other code: by `__del__`, weak reference callbacks and signal handlers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import msgspec

from racelint.knowledge.finalizers import LOCKING_QUEUE_METHODS, REFERENCE_CALLBACKS
from racelint.knowledge.locks import ACQUIRES, RELEASES, LockFacts
from racelint.knowledge.threads import LOCKED_QUEUES
from racelint.model.summary import Call, Path, Value
from racelint.program.linked.primitives import is_member_of
from racelint.program.linked.reached import Reached, reached
from racelint.program.linked.takings import Taking
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.locking.substitution import Owner, owner_of
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.callees import Named
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Bound

_MAX_CALLS = 5
_QUEUE = LockFacts("lock", False)


class Interrupter(msgspec.Struct, frozen=True):
    """A function that runs in the middle of others."""

    kind: Literal["__del__", "weakref callback", "signal handler"]
    function: FunctionInfo


class Interruption(msgspec.Struct, frozen=True):
    """`interrupter` takes a lock that its own thread may hold already."""

    interrupter: Interrupter
    taken: Reached[Taking]

    @property
    def of_queue(self) -> bool:
        """Whether it is a queue's own lock."""
        return self.taken.fact.lock.facts is _QUEUE


class Finalizers:
    """All interrupters of the program and what they take."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def interruptions(self) -> Iterator[Interruption]:
        """In source order of the interrupters, one for each place where a lock is taken."""
        seen = set()
        interrupters = [*self._interrupters()]
        self.program.takings.work_out([interrupter.function for interrupter in interrupters])
        for interrupter in interrupters:
            name = interrupter.function.id
            for taken in (*self.program.takings.taken(interrupter.function), *self._queues.get(name, ())):
                place = (taken.fact.function.id, taken.fact.event)
                if place not in seen and self._may_be_held(interrupter, taken):
                    seen.add(place)
                    yield Interruption(interrupter, taken)

    def _interrupters(self) -> Iterator[Interrupter]:
        registering: dict[FunctionInfo, list[Named]] = {}
        for named in self.program.callees.named(REFERENCE_CALLBACKS):
            registering.setdefault(named.function, []).append(named)
        for function in self.program.index.functions:
            if function.ir.name == "__del__" and function.cls is not None:
                yield Interrupter("__del__", function)
            for named in registering.get(function, ()):
                value = _argument(named.call, *REFERENCE_CALLBACKS[named.dotted])
                for thing in self.program.types.of_value(value, function):
                    if isinstance(thing, Bound):
                        yield Interrupter("weakref callback", thing.function)
        for root in self.program.roots:
            if root.kind == "finalizer":
                yield Interrupter("weakref callback", root.target)
            elif root.kind == "signal":
                yield Interrupter("signal handler", root.target)

    def _may_be_held(self, interrupter: Interrupter, taken: Reached[Taking]) -> bool:
        """Whether other code holds that lock of an object which is still in use."""
        lock = taken.fact.lock
        if lock.facts is None or lock.facts.own or lock.reentrant or lock.nameless or len(taken.chain) > _MAX_CALLS:
            return False
        if lock.facts.world == "async":
            return False
        if interrupter.kind == "__del__" and self._dies_too(taken.owner, interrupter.function):
            return False
        if lock.facts is _QUEUE:
            return True
        return any(
            interrupter.kind == "signal handler" or busy
            for name, busy in self._holders.get(lock.location, ())
            if name != interrupter.function.id or self.program.calls.incoming.get(name)
        )

    def _dies_too(self, owner: Owner, finalizer: FunctionInfo) -> bool:
        """The lock of the object that is collected, or of one that only it ever had: nobody is left to hold it."""
        if not owner or owner[0] != f"p:{finalizer.self_name}" or finalizer.cls is None:
            return False
        if len(owner) == 1:
            return True
        stores = self.program.stores
        entries = [e for cls in finalizer.cls.mro for e in stores.attributes.get((cls.id, owner[1]), [])]
        values = [value for entry in entries for value in entry.value if value[0] != "k:None"]
        return bool(values) and all(len(value) == 1 and value[0].startswith(("c:", "v:")) for value in values)

    @cached_property
    def _holders(self) -> dict[Location, set[tuple[str, bool]]]:
        """Who takes a lock, and whether they call anything while they hold it: else nothing is collected meanwhile."""
        found: dict[Location, set[tuple[str, bool]]] = {}
        for function in self.program.takings.takers:
            taken = {taking.lock.location for taking, _ in self.program.takings.own(function)}
            flow = self.program.flows.of(function)
            for location in taken:
                calls = [call for call in self.program.stores.facts[function.id].calls if not _is_of_lock(call)]
                busy = any(flow.at(call.id).hold(location) is not None for call in calls)
                found.setdefault(location, set()).add((function.id, busy))
        return found

    @cached_property
    def _queues(self) -> dict[str, list[Reached[Taking]]]:
        """Uses of queues whose lock is not reentrant, by all functions that come to them."""
        own: dict[str, list[Reached[Taking]]] = {}
        for function, call in self.program.callees.written(*LOCKING_QUEUE_METHODS):
            path = call.func[0]
            if len(path) > 1 and path[-1] in LOCKING_QUEUE_METHODS and self._is_of_queue(path, function):
                location = self.program.locations.of(path[:-1], function)
                if location is not None:
                    lock = Lock(location, _QUEUE, self.program.locks.is_shared(location), path[:-2])
                    owner = owner_of(lock, function, self.program.index)
                    taking = Taking(lock, function, call.id, call.span)
                    own.setdefault(function.id, []).append(Reached(taking, owner))
        if not own:
            return {}
        functions = [interrupter.function for interrupter in self._interrupters()]
        return reached(self.program.takings.running, functions, lambda function: own.get(function.id, ()))

    def _is_of_queue(self, path: Path, function: FunctionInfo) -> bool:
        return is_member_of(self.program, path, function, LOCKED_QUEUES)


def _is_of_lock(call: Call) -> bool:
    return bool(call.func) and call.func[0][-1] in ACQUIRES | RELEASES


def _argument(call: Call, position: int, keyword: str) -> Value:
    plain = [argument for argument in call.args if not argument.name]
    for argument in call.args:
        if argument.name == keyword:
            return argument.value
    return plain[position].value if len(plain) > position else ()
