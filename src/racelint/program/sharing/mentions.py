"""Where a variable may be accessed, by its name alone: what need not be looked at to find all that is done to it.

A location is accessed by an event that names its last field, or by one that names something which stands for it: a
property that returns the attribute, another name that an import gives it, the attribute that a maker hands it to, or
the call that gives out what a name holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from racelint.knowledge.containers import CHANGING_FUNCTIONS, MUTATING_METHODS, READING_METHODS, WRITING_METHODS
from racelint.model.summary import ELEMENT, Access, Call, Path
from racelint.program.flow.values import Stores
from racelint.program.names.index import FunctionInfo, Index
from racelint.program.objects.locations import ITSELF, Location, Locations
from racelint.program.sharing.shared import attribute_by_name

Mention = tuple[FunctionInfo, Access | Call]
"""An event and the function that it stands in."""

_CHANGING_NAMES = frozenset(name.rpartition(".")[2] for name in CHANGING_FUNCTIONS)
_CHANGING_METHODS = MUTATING_METHODS | WRITING_METHODS
_METHODS = _CHANGING_METHODS | READING_METHODS
_UNNAMED = ITSELF
"""The name of what only its root tells: `self` in a container, the result of a call."""


def may_change(event: Access | Call) -> bool:
    """Whether the event may write, delete or mutate something, as far as its form tells."""
    if type(event) is Access:
        return event.kind == "write" or event.kind == "delete"
    func = event.func
    return bool(func) and (func[0][-1] in _CHANGING_METHODS or (bool(event.args) and _is_changing_function(func)))


class Mentions:
    """The events of a program by what they name."""

    def __init__(self, index: Index, stores: Stores, locations: Locations) -> None:
        self.index = index
        self.stores = stores
        self.locations = locations

    def names_of(self, location: Location) -> list[str]:
        """All names of which an event has one that accesses the location."""
        names = [_name_of(location.fields)] if location.fields[0] != ITSELF else [_UNNAMED]
        for name in names:
            names += [other for other in self._aliases.get(name, ()) if other not in names]
        return names

    def of(self, name: str) -> list[Mention]:
        """The events that name it, in source order."""
        return self._by_name.get(name, [])

    def unnamed(self, function: FunctionInfo) -> list[Access | Call]:
        """The function's events that name nothing: what it has made or been given may be kept by a name of it."""
        return self._unnamed.get(function.id, [])

    @cached_property
    def _unnamed(self) -> dict[str, list[Access | Call]]:
        found: dict[str, list[Access | Call]] = {}
        for function, event in self.of(_UNNAMED):
            found.setdefault(function.id, []).append(event)
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[Mention]]:
        found: dict[str, list[Mention]] = {}
        for function in self.index.functions:
            for event in self.stores.facts[function.id].events.values():
                for path in (event.path,) if type(event) is Access else _accessed_by(event):
                    name = _name_of(path)
                    known = found.get(name)
                    if known is None:
                        found[name] = [(function, event)]
                    else:
                        known.append((function, event))
        return found

    @cached_property
    def _aliases(self) -> dict[str, dict[str, None]]:
        """By the name of a variable: other names by which it is accessed."""
        found: dict[str, dict[str, None]] = {}
        for name, other in (*self._properties(), *self._imported(), *self._handed_in(), *self._given_out()):
            if name != other:
                found.setdefault(name, {})[other] = None
        return found

    def _properties(self) -> Iterator[tuple[str, str]]:
        """`level` for the `_level` that it returns."""
        for cls in self.index.classes:
            for name, method in cls.own.items():
                if method.is_property:
                    for path in (path for node in self.stores.facts[method.id].returns for path in node.value):
                        yield path[-1], name

    def _imported(self) -> Iterator[tuple[str, str]]:
        """`from m import LIMIT as TOP`."""
        for module in self.index.all_modules:
            for name, entry in module.imports.items():
                yield entry.attribute, name

    def _handed_in(self) -> Iterator[tuple[str, str]]:
        """`self.rows = rows` in a constructor that is given `owner.items`."""
        for (_, attribute), entries in self.stores.attributes.items():
            for entry in entries:
                if entry.function.ir.name == "__init__":
                    for path in entry.value:
                        given = self.locations.types.arguments.get((entry.function.id, path[0][2:]), ())
                        for value, _ in given if len(path) == 1 else ():
                            yield from ((each[-1], attribute) for each in value if len(each) > 1)

    def _given_out(self) -> Iterator[tuple[str, str]]:
        """What is done to the result of `self.entries()` is done to the `_entries` that it returns."""
        for function in self.index.functions:
            path = self.locations.given_out(function)
            if path is not None:
                yield _name_of(path), _UNNAMED


def _accessed_by(call: Call) -> Iterable[Path]:
    """The paths of what the call may read or change, itself and not the function that it calls."""
    func, args = call.func, call.args
    if not func:
        return ()
    path = func[0]
    found: list[Path] = []
    if len(path) > 1:
        if path[-1] in _METHODS:
            found.append(path[:-1])
    elif path[0] in ("g:hasattr", "g:getattr"):
        found.append(attribute_by_name(call))
    elif path[0] == "g:iter" and args:
        found.extend(args[0].value[:1])
    if args and _is_changing_function(func):
        found.extend(args[0].value[:1])
    return filter(None, found)


def _is_changing_function(func: Iterable[Path]) -> bool:
    return any(path[-1].rpartition(":")[2] in _CHANGING_NAMES for path in func)


def _name_of(path: Path) -> str:
    """The last name of a path, `_UNNAMED` where there is none but that of a parameter or local."""
    name = path[-1]
    if name == ELEMENT:
        name = next((each for each in reversed(path) if each != ELEMENT), name)
    if ":" not in name:
        return name
    kind, _, rest = name.partition(":")
    return rest.rpartition(":")[2] if kind in ("g", "f") else _UNNAMED
