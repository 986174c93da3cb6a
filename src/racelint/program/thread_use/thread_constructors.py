"""Thread subclasses whose construction never comes to the constructor of the thread class, or comes there too late."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.threads import THREAD_BASES
from racelint.model.summary import Call, Path
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.names.thread_root import thread_kind

_MAX_DEPTH = 4
_KNOWN_BASES = frozenset({*THREAD_BASES, "builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"})
_NEEDS_BASE = frozenset({"daemon", "name"})
"""Properties of a thread, whose setters raise before the constructor has run."""


class SkippedConstructor(msgspec.Struct, frozen=True):
    """The chain of constructors of `cls` ends at `stops`; `early` is what that does before it goes on."""

    cls: ClassInfo
    stops: FunctionInfo
    base: str
    early: str = ""


class ThreadConstructors:
    """All such classes of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[SkippedConstructor]:
        """In source order, each broken constructor once, where it first breaks a class."""
        seen: set[str] = set()
        for cls in self.program.index.classes:
            base = self._thread_base(cls)
            if base is None:
                continue
            stops = self._stops(cls)
            if stops is not None and stops.ir.kind != "class" and stops.is_abstract and stops.ir.body:
                continue  # it raises itself: nobody makes one
            if stops is not None and stops.id not in seen:
                seen.add(stops.id)
                yield SkippedConstructor(cls, stops, base)
            own = cls.ir.methods.get("__init__")
            early = self._early(cls.module.functions[own]) if own is not None and stops is None else ""
            if own is not None and early and own not in seen:
                yield SkippedConstructor(cls, cls.module.functions[own], base, early)

    def _thread_base(self, cls: ClassInfo) -> str | None:
        """The thread class that it derives from, if all its other bases are known."""
        externals = cls.all_external_bases()
        threads = [name for name in externals if name in THREAD_BASES]
        if not threads or thread_kind(cls) is None or not set(externals) <= _KNOWN_BASES:
            return None
        return threads[0].rpartition(".")[2]

    def _stops(self, cls: ClassInfo) -> FunctionInfo | None:
        """The constructor that does not call on; None where the thread's own is reached, or may be."""
        for owner in self._chain(cls):
            constructor = self._constructor(owner)
            if constructor is not None:
                goes = "nothing" if constructor.ir.kind == "class" else self._calls_on(constructor, 0)
                if goes != "next":
                    return constructor if goes == "nothing" else None
        return None

    def _constructor(self, cls: ClassInfo) -> FunctionInfo | None:
        """Its own `__init__`; for a dataclass what that generates calls, or else the class itself."""
        if "__init__" in cls.ir.methods:
            return cls.module.functions[cls.ir.methods["__init__"]]
        if not self._is_dataclass(cls):
            return None
        return cls.module.functions[cls.ir.methods.get("__post_init__", cls.ir.qualname)]

    def _chain(self, cls: ClassInfo) -> list[ClassInfo]:
        """The classes of the program that come before the thread class in the method resolution order."""
        before: set[str] = set()
        for derived in cls.mro:
            mixins: list[ClassInfo] = []
            for value in derived.ir.bases:
                entity = self.program.index.entity_of(derived.module, value[0]) if value else None
                if isinstance(entity, External) and entity.dotted in THREAD_BASES:
                    break
                if isinstance(entity, ClassInfo):
                    if self._is_thread(entity):
                        break
                    mixins.append(entity)
            else:
                continue
            before |= {base.id for mixin in mixins for base in mixin.mro}
        return [owner for owner in cls.mro if self._is_thread(owner) or owner.id in before]

    @staticmethod
    def _is_thread(cls: ClassInfo) -> bool:
        return any(name in THREAD_BASES for name in cls.all_external_bases())

    def _is_dataclass(self, cls: ClassInfo) -> bool:
        for decorator in cls.ir.decorators:
            for path in decorator.value:
                entity = self.program.index.entity_of(cls.module, path)
                if isinstance(entity, External) and entity.dotted == "dataclasses.dataclass":
                    return True
        return False

    def _calls_on(self, function: FunctionInfo, depth: int) -> str:
        """`next`: it calls `super().__init__`; `base`: a class's by name; or `nothing`."""
        answer = "nothing"
        for call in self.program.stores.facts[function.id].calls:
            for path in call.func:
                if path[-1] == "__init__" and len(path) > 1:
                    return "next" if self._is_super(path, function) else "base"
                if self._is_alias(path, function):
                    return "base"
                if len(path) == 2 and path[0] == f"p:{function.self_name}" and depth < _MAX_DEPTH:
                    method = function.cls.method(path[1]) if function.cls is not None else None
                    if method is not None and method is not function:
                        inner = self._calls_on(method, depth + 1)
                        answer = inner if inner != "nothing" else answer
        return answer

    def _is_alias(self, path: Path, function: FunctionInfo) -> bool:
        """`thread_init(self)`, where that is a name for `Thread.__init__`."""
        things = self.program.types.of(path, function)
        return any(isinstance(thing, External) and thing.dotted.endswith(".__init__") for thing in things)

    def _is_super(self, path: Path, function: FunctionInfo) -> bool:
        call = self.program.stores.facts[function.id].made_by(path)
        return call is not None and any(value[-1] == "g:super" for value in call.func)

    def _early(self, function: FunctionInfo) -> str:
        """What needs the thread's constructor and comes before it: setting `daemon` or `name`, `start()`."""
        facts = self.program.stores.facts[function.id]
        calls = [call for call in facts.calls if call.func and call.func[0][-1] == "__init__" and len(call.func[0]) > 1]
        if not calls:
            return ""
        first = min(call.id for call in calls)
        own = f"p:{function.self_name}"
        early = [access for access in facts.accesses if access.kind == "write" and access.id < first]
        for access in early:
            root, *fields = access.path
            if root == own and len(fields) == 1 and self._is_property(fields[0], function):
                return f"sets `{fields[0]}`"
        return self._starts_first(facts.calls, own, first)

    @staticmethod
    def _starts_first(calls: list[Call], own: str, first: int) -> str:
        started = any(call.func[:1] == ((own, "start"),) and call.id < first for call in calls)
        return "calls `start()`" if started else ""

    @staticmethod
    def _is_property(name: str, function: FunctionInfo) -> bool:
        """A property of the thread class, that no class of the program overrides."""
        return name in _NEEDS_BASE and function.cls is not None and function.cls.method(name) is None
