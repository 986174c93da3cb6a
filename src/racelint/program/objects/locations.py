"""Locations: what an access path means for the whole program, independent of the function it stands in.

Instances of one class are not told apart (as in Infer's RacerD): a location is an attribute of a class, a module
global or a captured variable, with the fields below it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from racelint.knowledge.containers import CONTAINERS, SELF_GUARDED
from racelint.knowledge.locks import LOCK_FACTORIES
from racelint.model.summary import ELEMENT, Path, Value
from racelint.program.flow.values import Stores
from racelint.program.names.index import ClassInfo, External, FunctionInfo, Index, ModuleInfo, Variable
from racelint.program.objects.things import Bound, Instance, Object
from racelint.program.objects.thread_values import is_thread_local
from racelint.program.objects.types import Types

_MAX_DEPTH = 4
ITSELF = "self"
"""The field that stands for what an object holds that is a container itself."""


class Location(msgspec.Struct, frozen=True, order=True, cache_hash=True):
    """`owner` is a class id, a module name or `module:function`; `fields` what lies below it."""

    kind: Literal["attribute", "global", "captured"]
    owner: str
    fields: tuple[str, ...]

    @property
    def content(self) -> bool:
        """Whether this is what a container holds rather than a name that holds a value."""
        return self.fields[-1] == ELEMENT

    def container(self) -> Location:
        """The variable that holds the container of a content location, or itself."""
        fields = self.fields
        if fields[-1] != ELEMENT:
            return self
        while len(fields) > 1 and fields[-1] == ELEMENT:
            fields = fields[:-1]
        return Location(self.kind, self.owner, fields)

    def below(self, field: str) -> Location | None:
        if len(self.fields) >= _MAX_DEPTH:
            return None
        return Location(self.kind, self.owner, (*self.fields, field))

    @property
    def attribute(self) -> str:
        """The name that a person would say: the last field that is not an element."""
        named = [field for field in self.fields if field != ELEMENT]
        return named[-1] if named else self.fields[0]

    @property
    def short(self) -> str:
        """As a person would write it, without the module: `Account.money`, `CACHE`."""
        text = ".".join(self.fields).replace(f".{ELEMENT}", ELEMENT)
        return f"{self.owner.rpartition(':')[2]}.{text}" if self.kind == "attribute" else text

    def __str__(self) -> str:
        owner = self.owner.replace(":", ".")
        text = ".".join(self.fields).replace(f".{ELEMENT}", ELEMENT)
        return f"{owner}.{text}" if owner else text


def distinct_names(locations: Iterable[Location]) -> dict[Location, str]:
    """A name for each location, short where no other has the same short one."""
    unique = set(locations)
    shorts = Counter(location.short for location in unique)
    return {location: location.short if shorts[location.short] == 1 else str(location) for location in unique}


class Locations:
    """Canonical locations of access paths, memoised."""

    def __init__(self, index: Index, stores: Stores, types: Types) -> None:
        self.index = index
        self.stores = stores
        self.types = types
        self._known: dict[tuple[str, Path], Location | None] = {}
        self._same: dict[Location, Location] = {}
        """One object for each: what is identical is equal without a look inside."""
        self._owners: dict[tuple[str, str], str] = {}
        self._gifts: dict[str, Path | None] = {}
        self._aliases: dict[tuple[str, str], Location | None] = {}

    def of(self, path: Path, function: FunctionInfo) -> Location | None:
        """The location of `path` in `function`; None for locals and for what is not known."""
        key = (function.id, path)
        try:
            return self._known[key]
        except KeyError:
            self._known[key] = None  # where it hangs on itself
            found = self._resolve(path, function)
            location = self._known[key] = found if found is None else self._same.setdefault(found, found)
            return location

    def _resolve(self, path: Path, function: FunctionInfo) -> Location | None:
        if len(path) == 1:
            return self._itself(path[0], function) or self._variable(path[0], function)
        field = path[-1]
        if field == ELEMENT:
            container = self.of(path[:-1], function)
            return container.below(ELEMENT) if container is not None else None
        for thing in self.types.of(path[:-1], function):
            if type(thing) is Object and thing.dotted in SELF_GUARDED:
                return None
            if (type(thing) is Instance or type(thing) is ClassInfo) and is_thread_local(thing):
                return None
            if type(thing) is Instance:
                behind = self.behind_property(thing.cls, field)
                if behind is not None:
                    return self.of((*path[:-1], *behind), function)
                owner = self.owner_of(thing.cls, field)
                return self._handed_in(owner, field) or Location("attribute", owner, (field,))
            if type(thing) is ClassInfo:
                return Location("attribute", self.owner_of(thing, field), (field,))
            if type(thing) is ModuleInfo:
                entity = self.index.attribute_of(thing, field)
                if type(entity) is Variable:
                    return Location("global", entity.module.name, (entity.name,))
                return None
            if type(thing) is External:
                return None
        base = self.of(path[:-1], function)
        return base.below(field) if base is not None else None

    def _itself(self, root: str, function: FunctionInfo) -> Location | None:
        """The object that is a container itself: `self` in a class derived from dict."""
        cls = function.cls
        if cls is None or function.is_classmethod or not set(cls.all_external_bases()) & CONTAINERS:
            return None
        call = self.stores.facts[function.id].made_by((root,))
        if root != f"p:{function.self_name}" and (call is None or call.func[:1] != (("g:super",),)):
            return None
        owner = next(base for base in reversed(cls.mro) if set(base.external_bases) & CONTAINERS)
        return Location("attribute", owner.id, (ITSELF,))

    def _handed_in(self, owner: str, field: str) -> Location | None:
        """Where the container or lock lives that every maker of the class gives it, if that is one place."""
        key = (owner, field)
        if key not in self._aliases:
            self._aliases[key] = None
            self._aliases[key] = self._find_origin(owner, field)
        return self._aliases[key]

    def _find_origin(self, owner: str, field: str) -> Location | None:
        origins: set[Location | None] = set()
        for entry in self.stores.attributes.get((owner, field), []):
            if len(entry.value) != 1 or len(entry.value[0]) != 1 or entry.function.ir.name != "__init__":
                return None
            root = entry.value[0][0]
            for value, caller in self.types.arguments.get((entry.function.id, root[2:]), []):
                origins.add(self._shared_at(value, caller))
            if not root.startswith("p:"):
                return None
        return origins.pop() if len(origins) == 1 else None

    def _shared_at(self, value: Value, function: FunctionInfo) -> Location | None:
        """The location of a value that is a container or a lock kept by an object."""
        if len(value) != 1 or len(value[0]) < 2:
            return None
        things = self.types.of(value[0], function)
        if not any(isinstance(t, Object) and (t.dotted in CONTAINERS or t.dotted in LOCK_FACTORIES) for t in things):
            return None
        location = self.of(value[0], function)
        return location if location is not None and location.kind == "attribute" and not location.content else None

    def behind_property(self, cls: ClassInfo, name: str) -> Path | None:
        """The attribute of `self` that a property of the class returns as it is: `_x` for `return self._x`.

        Or one of what `self` has for each thread: `_local`, `x` for `return self._local.x`.
        """
        method = cls.method(name)
        if method is None or not method.is_property:
            return None
        returned = {value for node in self.stores.facts[method.id].returns for value in node.value}
        if len(returned) != 1:
            return None
        path = returned.pop()
        if len(path) < 2 or path[0] != f"p:{method.self_name}" or ELEMENT in path:
            return None
        if len(self.stores.facts[method.id].events) >= len(path):
            return None
        per_thread = (t for t in self.types.of(path[:-1], method) if isinstance(t, (Instance, ClassInfo)))
        return path[1:] if len(path) == 2 or any(map(is_thread_local, per_thread)) else None

    def kept(self, path: Path, function: FunctionInfo) -> Path:
        """The path by which its keeper has what a call gives out as it is; any other path as it stands.

        `self._entries` for the result of `self.entries()` that returns it, or of a context manager that yields it.
        """
        call = self.stores.facts[function.id].made_by(path)
        if call is None or len(call.func) != 1:
            return path
        things = self.types.of_value(call.func, function)
        if len(things) != 1 or not isinstance(thing := things[0], Bound):
            return path
        given = self.given_out(thing.function)
        if given is None:
            return path
        if given[0].startswith("g:"):
            return (*given, *path[1:]) if thing.function.module is function.module else path
        receiver = call.func[0][:-1]
        return (*self.kept(receiver, function), *given[1:], *path[1:]) if receiver else path

    def given_out(self, function: FunctionInfo) -> Path | None:
        """The attribute of `self`, or the global, that the function returns or yields as it is."""
        if function.id not in self._gifts:
            self._gifts[function.id] = self._find_gift(function)
        return self._gifts[function.id]

    def _find_gift(self, function: FunctionInfo) -> Path | None:
        facts = self.stores.facts[function.id]
        ir = function.ir
        if function.is_contextmanager == ir.is_generator and len(ir.decorators) == function.is_contextmanager:
            nodes = facts.yields if ir.is_generator else facts.returns
            given = {path for node in nodes for path in node.value if not path[0].startswith("k:")}
            path = given.pop() if len(given) == 1 else ("",)
            own = len(path) > 1 and path[0] == f"p:{function.self_name}"
            return path if ELEMENT not in path and (own or (len(path) == 1 and path[0].startswith("g:"))) else None
        return None

    def _variable(self, root: str, function: FunctionInfo) -> Location | None:
        if root.startswith("g:"):
            entity = self.index.name(function.module, root[2:])
            if type(entity) is Variable:
                return Location("global", entity.module.name, (entity.name,))
        elif root.startswith("f:"):
            _, qualname, name = root.split(":", 2)
            return Location("captured", f"{function.module.name}:{qualname}", (name,))
        return None

    def owner_of(self, cls: ClassInfo, attribute: str) -> str:
        """The id of the most basic class that stores the attribute, so that a base and its children agree."""
        key = (cls.id, attribute)
        if key not in self._owners:
            owner = cls.id
            for base in cls.mro:
                if (base.id, attribute) in self.stores.attributes or attribute in base.ir.hints:
                    owner = base.id
            self._owners[key] = owner
        return self._owners[key]
