"""Locks, events and queues for threads that are handed to a process, or that two processes both use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from racelint.knowledge.processes import SIGNALS, THREAD_ONLY
from racelint.model.summary import ELEMENT, Argument, Call, Path, Span, Value
from racelint.program.flow.values import Stored
from racelint.program.linked.processes import Child
from racelint.program.linked.start_methods import StartMethods
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.partials import partial_at
from racelint.program.objects.things import Instance, Object
from racelint.program.sharing.ownership import makes_self
from racelint.program.threads.roots import StartCall

_SPEAKS = frozenset({"set", "put", "put_nowait", "notify", "notify_all", "release", "clear", "task_done"})
_PICKLING = ("__getstate__", "__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__")
_PICKLES = ("spawn", "forkserver")
_POOLS = ("multiprocessing.Pool", "concurrent.futures.ProcessPoolExecutor")


class ThreadPrimitive(msgspec.Struct, frozen=True):
    """`dotted` is handed to a process at `span`, or made there and used by both sides at `uses`."""

    function: FunctionInfo
    span: Span
    dotted: str
    uses: tuple[tuple[FunctionInfo, Span], ...] = ()
    holder: str = ""
    """The attribute that has it, of an object that is handed over."""


class ThreadPrimitives:
    """All of them."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[ThreadPrimitive]:
        """What is passed to a process, then what is kept where both sides look."""
        yield from self._passed()
        seen: set[Location] = set()
        for child in self.program.children:
            for location, primitive in self._kept(child):
                if location not in seen:
                    seen.add(location)
                    yield primitive

    def _passed(self) -> Iterator[ThreadPrimitive]:
        p, methods = self.program, StartMethods(self.program)
        for start in p.start_calls:
            if start.starter.kind == "process":
                for dotted in self._among(self._given(start), start.function):
                    yield ThreadPrimitive(start.function, start.call.span, dotted)
                if not start.starter.deferred or methods.of(start.call, start.function) in _PICKLES:
                    yield from self._inside(start.call, start.function)
        for function, call in p.callees.calls(names=_POOLS):
            given = tuple(argument for argument in call.args if argument.name == "initargs")
            for dotted in self._among(given, function) if given else ():
                yield ThreadPrimitive(function, call.span, dotted)

    def _given(self, start: StartCall) -> tuple[Argument, ...]:
        """The arguments of the start, and of the `functools.partial` that it starts."""
        stores, types = self.program.stores, self.program.types
        partials = [partial_at(path, start.function, stores, types) for path in start.target]
        return (*start.call.args, *(argument for call in partials if call is not None for argument in call.args[1:]))

    def _inside(self, call: Call, function: FunctionInfo) -> Iterator[ThreadPrimitive]:
        """What objects of the program hold that are pickled for a task of a pool, whatever the start method."""
        values = [path for argument in call.args for path in argument.value]
        owners = [path[:-1] for path in values if len(path) > 1]  # of bound methods
        for path in (*values, *owners):
            for thing in self.program.types.of(path, function):
                held = self._held_by(thing.cls) if isinstance(thing, Instance) else None
                if held is not None:
                    yield ThreadPrimitive(function, call.span, held[1], (), held[0])
                    return

    def _held_by(self, cls: ClassInfo) -> tuple[str, str] | None:
        """An attribute that is a primitive, where the class does not say how it is pickled."""
        if any(cls.method(name) is not None for name in _PICKLING):
            return None
        for base in cls.mro:
            for (owner, name), entries in self.program.stores.attributes.items():
                for thing in self.program.types.of_stored(entries) if owner == base.id else ():
                    if isinstance(thing, Object) and thing.dotted in THREAD_ONLY:
                        return f"{cls.name}.{name}", thing.dotted
        return None

    def _among(self, args: tuple[Argument, ...], function: FunctionInfo) -> list[str]:
        """The primitives among the arguments and the elements of displays."""
        values: list[Value] = [argument.value for argument in args]
        displays = {path for value in values for path in value if path[0].startswith("v:")}
        for access in self.program.stores.facts[function.id].accesses:
            if access.kind == "write" and access.path[-1] == ELEMENT and access.path[:-1] in displays:
                values.append(access.value)
        return sorted({dotted for value in values for dotted in self._primitives(value, function)})

    def _primitives(self, value: Value, function: FunctionInfo) -> set[str]:
        things = self.program.types.of_value(value, function)
        return {thing.dotted for thing in things if isinstance(thing, Object) and thing.dotted in THREAD_ONLY}

    def _kept(self, child: Child) -> Iterator[tuple[Location, ThreadPrimitive]]:
        """An attribute or variable by which one side tells the other something."""
        inside = self._uses([*child.functions.values()])
        others = [f for f in self.program.index.functions if f.id not in child.functions and not makes_self(f)]
        outside = self._uses(others) if inside else {}
        for location, (name, function, span) in inside.items():
            told = outside.get(location)
            stores = self._stores(location)
            if told is None or (name in _SPEAKS) == (told[0] in _SPEAKS) or not self._is_of_process(location, child):
                continue
            made = [
                entry for entry in stores if self._primitives(entry.value, entry.function) and entry.access is not None
            ]
            if made and not any(entry.function.id in child.functions for entry in stores):
                access = made[0].access
                assert access is not None
                dotted = sorted(self._primitives(made[0].value, made[0].function))[0]
                uses = ((function, span), (told[1], told[2]))
                yield location, ThreadPrimitive(made[0].function, access.span, dotted, uses)

    @staticmethod
    def _is_of_process(location: Location, child: Child) -> bool:
        """A variable of a module, or an attribute of the object whose method is the process."""
        if location.kind == "global":
            return True
        cls = child.root.target.cls
        return cls is not None and any(location.owner == base.id for base in cls.mro)

    def _stores(self, location: Location) -> list[Stored]:
        stores = self.program.stores
        if location.kind == "attribute":
            return stores.attributes.get((location.owner, location.fields[0]), [])
        return stores.variables.get((location.owner, location.fields[0]), []) if location.kind == "global" else []

    def _uses(self, functions: list[FunctionInfo]) -> dict[Location, tuple[str, FunctionInfo, Span]]:
        """Calls of signals on what is kept somewhere, the first of each."""
        found: dict[Location, tuple[str, FunctionInfo, Span]] = {}
        for function in functions:
            for call in self._signals.get(function, ()):
                for path in call.func:
                    if len(path) > 1 and path[-1] in SIGNALS and self._primitives((path[:-1],), function):
                        location = self._location(path[:-1], function)
                        if location is not None:
                            found.setdefault(location, (path[-1], function, call.span))
        return found

    @cached_property
    def _signals(self) -> dict[FunctionInfo, list[Call]]:
        """By function: the calls that may be of a signal, by their names."""
        return self.program.callees.by_function(words=SIGNALS)

    def _location(self, path: Path, function: FunctionInfo) -> Location | None:
        location = self.program.locations.of(path, function)
        return location if location is not None and len(location.fields) == 1 else None
