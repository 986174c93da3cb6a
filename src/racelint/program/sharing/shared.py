"""Accesses to locations that other threads may reach: what one event does, the raw material of the RL1 rules."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from racelint.knowledge.containers import (
    CHANGING_FUNCTIONS,
    CONTAINERS,
    MUTATING_METHODS,
    READING_METHODS,
    RESIZING_METHODS,
    SELF_GUARDED,
    STREAMS,
    WRITING_METHODS,
)
from racelint.knowledge.locks import LOCK_FACTORIES
from racelint.model.summary import ELEMENT, WHOLE, Access, Call, Path, Span, Value
from racelint.program.flow.values import Stores
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.locations import ITSELF, Location, Locations
from racelint.program.objects.published import Published
from racelint.program.objects.things import Bound, Constant, Instance, Object, Thing
from racelint.program.objects.types import Types

_CHANGING_NAMES = frozenset(name.rpartition(".")[2] for name in CHANGING_FUNCTIONS)
_READING_BY_NAME = ((("g:hasattr",),), (("g:getattr",),))
_BY_NAME = (*_READING_BY_NAME, (("g:setattr",),))
_OF_ONE_CALL = frozenset({"v:", "k:"})
"""What a call of the function has for itself: displays and constants."""
Deed = Literal["read", "write", "delete", "mutate", "iterate"]


class SharedAccess(msgspec.Struct, frozen=True):
    """One access of a location by one event. `resizes`: a mutation that changes the container's size."""

    event: int
    deed: Deed
    location: Location
    path: Path
    span: Span
    function: FunctionInfo
    key: str = ""
    deps: tuple[int, ...] = ()
    augmented: bool = False
    value: Value = ()
    method: str = ""
    called: bool = False
    outer_key: str = ""
    """The key of the row, where an element of an element is accessed."""

    @property
    def changes(self) -> bool:
        return self.deed in ("write", "delete", "mutate")

    @property
    def resizes(self) -> bool:
        return self.deed == "delete" or (self.deed == "mutate" and self.method in RESIZING_METHODS)


class SharedEvents:
    """What events of functions access: of one event at a time."""

    def __init__(self, stores: Stores, types: Types, locations: Locations) -> None:
        self.types = types
        self.locations = locations
        self.stores = stores

    def of(self, met: Access | Call, function: FunctionInfo, published: Published) -> SharedAccess | None:
        """The access that the event is, if it is one of what others may reach."""
        event = self._as_kept(met, function, published)
        return self._plain(event, function) if type(event) is Access else self._by_method(event, function)

    def _as_kept(self, event: Access | Call, function: FunctionInfo, published: Published) -> Access | Call:
        """The event with the path by which the object is kept that a call gave out, or that was made and stored."""
        if type(event) is Access:
            path = event.path
            return replace(event, path=self._kept(path, event, function, published)) if _is_made(path) else event
        if len(event.func) == 1 and len(event.func[0]) > 1 and _is_made(event.func[0]):
            path = event.func[0]
            return replace(event, func=((*self._kept(path[:-1], event, function, published), path[-1]),))
        return event

    def _kept(self, path: Path, event: Access | Call, function: FunctionInfo, published: Published) -> Path:
        found = published.path_of(path, event)
        if found[0][:2] == "c:":
            found = (*self.stores.facts[function.id].looked_up(found[:1]), *found[1:])
        return self.locations.kept(found, function) if found[0][:2] == "c:" else found

    def _plain(self, event: Access, function: FunctionInfo) -> SharedAccess | None:
        if event.path[0][:2] in _OF_ONE_CALL:
            return None
        location = self.locations.of(event.path, function)
        if location is None or self._is_property(event, function) or self._is_overridden(event, location, function):
            return None
        deed: Deed = "iterate" if event.kind == "iterate" else "read" if event.kind == "test" else event.kind
        if deed == "iterate":
            inner = location.below(ELEMENT)
            if inner is None or not self._is_container(event.path, function):
                return None
            location = inner
        elif (deed == "read" and self._is_inert(event.path, function)) or (
            location.content and not self._is_container(event.path[:-1], function)
        ):
            return None
        if event.key == WHOLE:
            return self._on_all(event, deed, location, function)
        return SharedAccess(
            event.id,
            deed,
            location,
            (*event.path, ELEMENT) if deed == "iterate" else event.path,
            event.span,
            function,
            event.key,
            event.deps,
            event.augmented,
            event.value,
            event.key if deed == "iterate" else "",
            event.called,
        )

    @staticmethod
    def _on_all(event: Access, deed: Deed, location: Location, function: FunctionInfo) -> SharedAccess:
        """`del items[:]` clears the list; another value for all elements is a write of any."""
        found = SharedAccess(event.id, deed, location, event.path, event.span, function, deps=event.deps)
        if deed == "delete":
            return replace(found, deed="mutate", method="clear")
        return replace(found, augmented=event.augmented, value=event.value, called=event.called)

    @staticmethod
    def _is_overridden(event: Access, location: Location, function: FunctionInfo) -> bool:
        """`self[k]` in a container whose class defines what that does; or `self` as such."""
        if location.fields[0] != ITSELF or location.kind != "attribute" or function.cls is None:
            return False
        names = {"read": "__getitem__", "write": "__setitem__", "delete": "__delitem__", "iterate": "__iter__"}
        bare = len(event.path) == 1 and event.kind != "iterate"
        return bare or function.cls.method(names.get(event.kind, "")) is not None

    def _is_property(self, event: Access, function: FunctionInfo) -> bool:
        """What a property computes is no variable; its getter and setter are calls."""
        path = event.path
        if len(path) < 2 or path[-1] not in self.locations.index.properties:
            return False
        for thing in self.types.of(path[:-1], function):
            if type(thing) is Instance:
                method = thing.cls.method(path[-1])
                if method is not None and method.is_property:
                    if event.kind == "read" and self.locations.behind_property(thing.cls, path[-1]):
                        return False
                    return not self._is_updated(path, function)
        return False

    def _is_updated(self, path: Path, function: FunctionInfo) -> bool:
        """`self.level += 1` through a property reads and writes in two steps, whatever lies behind it."""
        return any(access.augmented and access.path == path for access in self.stores.facts[function.id].accesses)

    def _by_name(self, call: Call, function: FunctionInfo) -> SharedAccess | None:
        """`hasattr(self, "x")` and `getattr(self, "x", None)` read `self.x`."""
        path = attribute_by_name(call) if call.func[:1] in _READING_BY_NAME else ()
        location = self.locations.of(path, function) if path else None
        if location is None:
            return None
        return SharedAccess(call.id, "read", location, path, call.span, function, deps=call.deps)

    def _by_iter(self, call: Call, function: FunctionInfo) -> SharedAccess | None:
        """`iter(self.items)` fails at its next step where the container was resized."""
        if call.func[:1] != (("g:iter",),) or not call.args:
            return None
        for path in call.args[0].value[:1]:
            base = self.locations.of(path, function)
            location = base.below(ELEMENT) if base is not None else None
            if location is not None and self._is_container(path, function):
                return SharedAccess(call.id, "iterate", location, (*path, ELEMENT), call.span, function, deps=call.deps)
        return None

    def _by_function(self, call: Call, function: FunctionInfo) -> SharedAccess | None:
        """`heapq.heappush(self.jobs, job)` changes what `self.jobs` holds."""
        if not any(path[-1].rpartition(":")[2] in _CHANGING_NAMES for path in call.func):
            return None
        for thing in self.types.of_value(call.func, function):
            method = CHANGING_FUNCTIONS.get(thing.dotted, "") if isinstance(thing, External) else ""
            for path in call.args[0].value[:1] if method else ():
                base = self.locations.of(path, function)
                location = base.below(ELEMENT) if base is not None else None
                if location is not None:
                    place = (*path, ELEMENT)
                    return SharedAccess(call.id, "mutate", location, place, call.span, function, method=method)
        return None

    def _by_method(self, call: Call, function: FunctionInfo) -> SharedAccess | None:
        """`self.items.append(x)` changes what `self.items` holds."""
        if call.func and len(call.func[0]) == 1:
            named = self._by_name(call, function) or self._by_iter(call, function)
            if named is not None:
                return named
        by_function = self._by_function(call, function) if call.args else None
        if by_function is not None:
            return by_function
        for path in call.func[:1]:
            if len(path) < 2 or path[0][:2] in _OF_ONE_CALL:
                continue
            method = path[-1]
            if method in WRITING_METHODS and self._is_stream(path[:-1], function):
                return self._written(call, path, function)
            if method not in MUTATING_METHODS and method not in READING_METHODS:
                continue
            base = self.locations.of(path[:-1], function)
            location = base.below(ELEMENT) if base is not None else None
            if location is None or not self._is_container(path[:-1], function, method):
                continue
            if location.fields[0] == ITSELF and self._calls_own(path, function):
                continue
            deed: Deed = "mutate" if method in MUTATING_METHODS else "read"
            return SharedAccess(
                call.id,
                deed,
                location,
                (*path[:-1], ELEMENT),
                call.span,
                function,
                call.key,
                call.deps,
                False,
                (),
                method,
            )
        return None

    @staticmethod
    def _calls_own(path: Path, function: FunctionInfo) -> bool:
        """`self.pop(k)` in a container whose class defines `pop`; `super().pop(k)` is the container's."""
        return path[0].startswith("p:") and function.cls is not None and function.cls.method(path[-1]) is not None

    def _written(self, call: Call, path: Path, function: FunctionInfo) -> SharedAccess | None:
        base = self.locations.of(path[:-1], function)
        location = base.below(ELEMENT) if base is not None else None
        if location is None:
            return None
        place = (*path[:-1], ELEMENT)
        return SharedAccess(call.id, "mutate", location, place, call.span, function, method=path[-1])

    def _is_stream(self, path: Path, function: FunctionInfo) -> bool:
        """A buffer or file made here by the standard library: writing to it changes it."""
        return any(
            isinstance(thing, Object) and (thing.dotted.startswith("io.") or thing.dotted in STREAMS)
            for thing in self.types.of(path, function)
        )

    def _is_container(self, path: Path, function: FunctionInfo, method: str = "") -> bool:
        """A built-in container, or something unknown that is used like one."""
        things = self.types.of(path, function)
        known = [thing for thing in things if type(thing) is not Constant]
        if self._is_super(path, function):
            return True
        if not known:
            return method in ("", "append", "popleft", "setdefault", "appendleft", "popitem", "extend", "pop", "add")
        return any(
            type(t) is Object and (t.dotted in CONTAINERS or t.dotted == "builtins.generator") for t in known
        ) or any(type(t) is Instance and set(t.cls.all_external_bases()) & CONTAINERS for t in known)

    def _is_super(self, path: Path, function: FunctionInfo) -> bool:
        call = self.stores.facts[function.id].made_by(path)
        return len(path) == 1 and call is not None and call.func[:1] == (("g:super",),)

    def _is_inert(self, path: Path, function: FunctionInfo) -> bool:
        """Loads of methods, locks and objects that guard themselves."""
        things: tuple[Thing, ...] = self.types.of(path, function)
        return bool(things) and all(
            type(t) is Bound or (type(t) is Object and (t.dotted in LOCK_FACTORIES or t.dotted in SELF_GUARDED))
            for t in things
        )


def attribute_by_name(call: Call) -> Path:
    """`self.x` for `hasattr(self, "x")` and its kin; nothing where the name is not written there."""
    if call.func[:1] not in _BY_NAME or len(call.args) < 2 or not call.args[0].value:
        return ()
    names = [path[0][6:].strip("'\"") for path in call.args[1].value if path[0].startswith("k:str:")]
    return (*call.args[0].value[0], names[0]) if names and names[0].isidentifier() else ()


def _is_made(path: Path) -> bool:
    return path[0][:2] in ("c:", "v:")
