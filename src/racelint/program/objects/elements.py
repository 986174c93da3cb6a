"""What a container holds: what is put in, what the containers hold that it was made from, what it makes on demand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from racelint.knowledge.returns import HANDING_FUNCTIONS, HANDING_METHODS, TAKING_METHODS
from racelint.model.summary import ELEMENT, Call, Path, Value
from racelint.program.flow.values import FunctionFacts, Stored, element_key
from racelint.program.names.index import ClassInfo, External, FunctionInfo, Variable
from racelint.program.objects.annotated_elements import annotated_elements
from racelint.program.objects.things import Instance, Object, Thing

if TYPE_CHECKING:
    from racelint.program.objects.types import Types

MAX_SITES = 8
"""Places of a program that are looked at for one answer."""


class Elements:
    """Answers for the containers at access paths, with what `types` says of paths."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._stores = types.stores

    def of(self, path: Path, function: FunctionInfo) -> list[Thing]:
        """What an element of the container at the path may be."""
        types = self._types
        key = element_key(types.index, function, path)
        found = types.of_stored(self._stores.elements.get(key, [])) if key is not None else []
        stored = self._stored_at(path, function)[:MAX_SITES]
        for entry in stored:
            for value in entry.value:
                if value != path and not value[0].startswith("k:"):
                    found.extend(types.of((*value, ELEMENT), entry.function))
        found.extend(self._made_on_demand([Stored((path,), function, None), *stored]))
        found.extend(annotated_elements(types, path, function))
        call = self._stores.facts[function.id].made_by(path)
        if call is not None:
            rest = path[1:]
            for container in passed_on(call):
                found.extend(types.of((*container, *rest, ELEMENT), function))
        return found

    def _made_on_demand(self, containers: list[Stored]) -> Iterator[Thing]:
        """What a `defaultdict(Lock)` makes for a key that is not there yet."""
        for entry in containers:
            for value in entry.value:
                call = self._stores.facts[entry.function.id].made_by(value) if len(value) == 1 else None
                if call is None or not call.args or not self._is_defaultdict(call, entry.function):
                    continue
                for thing in self._types.of_value(call.args[0].value, entry.function):
                    if isinstance(thing, External):
                        yield Object(thing.dotted)
                    elif isinstance(thing, ClassInfo):
                        yield Instance(thing)

    def _is_defaultdict(self, call: Call, function: FunctionInfo) -> bool:
        things = self._types.of_value(call.func, function)
        return any(isinstance(thing, External) and thing.dotted == "collections.defaultdict" for thing in things)

    def _stored_at(self, path: Path, function: FunctionInfo) -> list[Stored]:
        """What is stored under a path: its elements are those of the containers that are put there."""
        index, stores = self._types.index, self._stores
        if path[-1] == ELEMENT:
            key = element_key(index, function, path[:-1])
            return stores.elements.get(key, []) if key is not None else []
        if len(path) == 1:
            entity = index.entity_of(function.module, path) if path[0].startswith("g:") else None
            if type(entity) is Variable:
                return stores.variables.get((entity.module.name, entity.name), [])
            return []
        found: list[Stored] = []
        for thing in self._types.of(path[:-1], function):
            if isinstance(thing, (Instance, ClassInfo)):
                cls = thing.cls if type(thing) is Instance else thing
                for owner in cls.mro:
                    found.extend(stores.attributes.get((owner.id, path[-1]), []))
        return found


def container_behind(path: Path, facts: FunctionFacts) -> Path:
    """Where the program keeps what a path reaches: an element of `d` for `d.get(key)` and for one of `list(d)`."""
    for _ in range(3):
        call = facts.made_by(path)
        inside = passed_on(call) if call is not None else ()
        if not inside:
            break
        path = (*inside[0], *path[1:])
    return path


def passed_on(call: Call) -> Value:
    """The containers whose elements a call hands on: `list(d)`, `d.values()`, `d.copy()`, `d.pop(k)`."""
    for path in call.func[:1]:
        if len(path) > 1 and path[-1] in HANDING_METHODS:
            return (path[:-1],)
        if len(path) > 1 and path[-1] in TAKING_METHODS:
            return ((*path[:-1], ELEMENT),)
        if len(path) == 1 and path[0].removeprefix("g:") in HANDING_FUNCTIONS and call.args:
            return call.args[0].value
    return ()
