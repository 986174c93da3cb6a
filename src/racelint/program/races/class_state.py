"""Mutable class attributes that instances change through `self`, as if each had its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import msgspec

from racelint.knowledge.containers import CONTAINERS, MUTATING_METHODS
from racelint.model.finding import Evidence
from racelint.model.summary import ELEMENT, Access, Call, Path
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.names.thread_root import loops_around
from racelint.program.objects.families import descendants
from racelint.program.objects.things import Object
from racelint.program.sharing.ownership import makes_self

_SHARED_ON_PURPOSE = re.compile(
    r"cache|memo|regist|pool|instances|singleton|shared|global|known|plugin|handlers|hooks|lock|map$|table$|counter"
)
_COPIED_DEFAULTS = re.compile(
    r"dataclass|attrs?\b|pydantic|BaseModel|BaseSettings|msgspec|enum\.|NamedTuple|TypedDict|ctypes|traitlets|sqlalchemy"
)
"""Bases, metaclasses and decorators that make something else of the class body's assignments."""

_METACLASSES = frozenset({"builtins.type", "abc.ABCMeta", "enum.EnumMeta"})


class ClassState(msgspec.Struct, frozen=True):
    """`declared` is the assignment in the class body, `changed` a change through `self` in `method`."""

    cls: ClassInfo
    declared: Access
    method: FunctionInfo
    changed: Access | Call
    evidence: Evidence

    @property
    def name(self) -> str:
        return self.declared.path[-1]

    @property
    def body(self) -> FunctionInfo:
        """The class's body, where the attribute is declared."""
        return self.cls.module.functions[self.cls.ir.qualname]


class ClassStates:
    """Finds them for every class of the program that threads use and that has several instances."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def all(self) -> Iterator[ClassState]:
        """In source order, one per attribute."""
        for cls in self.program.index.classes:
            if self._is_special(cls):
                continue
            for declared in self._declared(cls):
                found = self._judged(cls, declared)
                if found is not None:
                    yield found

    def _judged(self, cls: ClassInfo, declared: Access) -> ClassState | None:
        name = declared.path[-1]
        family = [*cls.mro, *descendants(cls)]
        changes = list(self._changes(cls, name))
        if not changes or self._is_bound_elsewhere(family, declared) or self._is_singleton(cls):
            return None
        for method, changed in changes:
            evidence = self._evidence(method)
            if evidence is not None:
                meant = self._through_class(family, name)
                return None if meant else ClassState(cls, declared, method, changed, evidence)
        return None

    def _declared(self, cls: ClassInfo) -> Iterator[Access]:
        """Containers that the class body itself binds, once each."""
        body = cls.module.functions.get(cls.ir.qualname)
        if body is None or body.ir.kind != "class":
            return
        written = [a for a in self.program.stores.facts[body.id].accesses if a.kind == "write" and len(a.path) == 2]
        for access in written:
            name = access.path[1]
            if name.isupper() or name.startswith("__") or _SHARED_ON_PURPOSE.search(name.lower()):
                continue
            things = self.program.types.of_value(access.value, body)
            mutable = bool(things) and all(isinstance(t, Object) and t.dotted in CONTAINERS for t in things)
            if mutable and sum(other.path == access.path for other in written) == 1:
                yield access

    def _changes(self, cls: ClassInfo, name: str) -> Iterator[tuple[FunctionInfo, Access | Call]]:
        """What methods of the class and of those derived from it do in place to `self.NAME`."""
        for owner in (cls, *descendants(cls)):
            for method in owner.own.values():
                if not method.self_name or method.is_classmethod:
                    continue
                path = (f"p:{method.self_name}", name)
                for event in self.program.stores.facts[method.id].events.values():
                    if _changes_in_place(event, path):
                        yield method, event

    def _is_bound_elsewhere(self, family: list[ClassInfo], declared: Access) -> bool:
        """Some code gives instances a value of their own, or a derived class a container of its own."""
        name = declared.path[-1]
        for cls in family:
            entries = self.program.stores.attributes.get((cls.id, name), [])
            entries = entries + self.program.types.late_attributes.get((cls.id, name), [])
            for entry in entries:
                if entry.access is not declared and entry.access is not None and not entry.access.augmented:
                    return True
        return False

    def _through_class(self, family: list[ClassInfo], name: str) -> bool:
        """Named through the class anywhere: then that it is shared is meant."""
        return any(
            isinstance(thing, ClassInfo) and thing in family
            for base, function in self._bases_of_fields.get(name, ())
            for thing in self.program.types.of(base, function)
        )

    @cached_property
    def _bases_of_fields(self) -> dict[str, list[tuple[Path, FunctionInfo]]]:
        """By attribute name: what it is taken from, and where."""
        found: dict[str, dict[tuple[Path, str], FunctionInfo]] = {}
        for function in self.program.index.functions:
            facts = self.program.stores.facts[function.id]
            paths = [access.path for access in facts.accesses] + [path for call in facts.calls for path in call.func]
            for path in paths:
                for index in range(1, len(path)):
                    if path[index] != ELEMENT and not (index == 1 and function.ir.kind == "class"):
                        found.setdefault(path[index], {})[path[:index], function.id] = function
        return {name: [(base, function) for (base, _), function in bases.items()] for name, bases in found.items()}

    def _evidence(self, method: FunctionInfo) -> Evidence | None:
        """A thread runs the method, or the class was declared to be used by several."""
        contexts = self.program.reach.of(method)
        if any(context.root is not None for context in contexts) and not makes_self(method):
            return "thread"
        if method.cls is not None and any(self.program.contracts.covers_class(c) for c in method.cls.mro):
            return "contract"
        return None

    @staticmethod
    def _is_special(cls: ClassInfo) -> bool:
        """The class body is read by something that copies, or the class makes its one instance itself.

        What a metaclass keeps is meant for all of its classes.
        """
        decorators = [path[-1] for decorator in cls.ir.decorators for path in decorator.value]
        metaclasses = [path[-1] for path in cls.ir.metaclass]
        if any(_COPIED_DEFAULTS.search(name) for name in (*cls.all_external_bases(), *decorators)):
            return True
        if not _METACLASSES.isdisjoint(cls.all_external_bases()):
            return True
        return bool(metaclasses or decorators) or cls.method("__new__") is not None

    def _is_singleton(self, cls: ClassInfo) -> bool:
        """Made at one place that runs once; a class that nobody here makes is its users' to make as they like."""
        sites = self.program.callees.makings.get(cls.id, [])
        if len(sites) != 1 or descendants(cls):
            return False
        maker, call = sites[0]
        once = maker.ir.kind == "module" or maker.ir.name in ("main", "setup", "create_app")
        return once and call.id not in loops_around(maker)


def _changes_in_place(event: Access | Call, path: Path) -> bool:
    if type(event) is Call:
        return any(func[:-1] == path and func[-1] in MUTATING_METHODS for func in event.func)
    if event.kind in ("write", "delete"):
        return event.path == (*path, ELEMENT) or (event.path == path and event.augmented)
    return False
