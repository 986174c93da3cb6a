"""What is stored where: every value written to an attribute, variable, element or parameter, in source order."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from operator import attrgetter
from typing import Any

import msgspec

from racelint.knowledge.locks import LOCK_NAMES
from racelint.model.summary import (
    ELEMENT,
    Access,
    AnyNode,
    Branch,
    Call,
    Loop,
    Path,
    Raise,
    Return,
    Span,
    Suspend,
    Try,
    Value,
    With,
)
from racelint.program.names.index import ClassInfo, FunctionInfo, Index, Variable

_CHANGES = frozenset({"write", "delete"})


class Stored(msgspec.Struct, frozen=True):
    """A value and the function that it is written in."""

    value: Value
    function: FunctionInfo
    access: Access | None


def nodes_of(body: tuple[AnyNode, ...]) -> list[AnyNode]:
    """Every node of a control-flow tree, outer before inner, in source order."""
    found: list[AnyNode] = []
    _add_nodes(body, found)
    return found


def _add_nodes(body: tuple[AnyNode, ...], found: list[AnyNode]) -> None:
    for node in body:
        found.append(node)
        blocks = _BLOCKS.get(type(node))
        if blocks is not None:
            for block in blocks(node):
                if block:
                    _add_nodes(block, found)


def blocks_of(node: AnyNode) -> tuple[tuple[AnyNode, ...], ...]:
    """The blocks of a compound node in source order, none for a simple one."""
    blocks = _BLOCKS.get(type(node))
    return blocks(node) if blocks is not None else ()


def _blocks_of_try(node: Try) -> tuple[tuple[AnyNode, ...], ...]:
    return (node.body, *[handler.body for handler in node.handlers], node.orelse, node.final)


def _blocks_of_with(node: With) -> tuple[tuple[AnyNode, ...], ...]:
    return (node.body,)


_BLOCKS: dict[type[AnyNode], Callable[[Any], tuple[tuple[AnyNode, ...], ...]]] = {
    Branch: attrgetter("then", "orelse"),
    Loop: attrgetter("head", "body", "orelse"),
    Try: _blocks_of_try,
    With: _blocks_of_with,
}


class FunctionFacts:
    """The events of one function by number, and flat lists of the kinds that analyses look for."""

    def __init__(self, function: FunctionInfo) -> None:
        self.function = function
        self.accesses: list[Access] = []
        self.changes: list[Access] = []
        """The accesses that write or delete."""
        self.calls: list[Call] = []
        self.returns: list[Return] = []
        self.withs: list[With] = []
        self.loops: list[Loop] = []
        self.yields: list[Suspend] = []
        self.events: dict[int, Access | Call] = {}
        self._sort(function.ir.body)

    def _sort(self, body: tuple[AnyNode, ...]) -> None:
        for node in body:
            if type(node) is Access:
                self.accesses.append(node)
                self.events[node.id] = node
                if node.kind in _CHANGES:
                    self.changes.append(node)
            elif type(node) is Call:
                self.calls.append(node)
                self.events[node.id] = node
            elif type(node) is Return:
                self.returns.append(node)
            else:
                if type(node) is With:
                    self.withs.append(node)
                elif type(node) is Loop:
                    self.loops.append(node)
                elif type(node) is Suspend and node.kind == "yield":
                    self.yields.append(node)
                for block in blocks_of(node):
                    if block:
                        self._sort(block)

    @cached_property
    def nodes(self) -> tuple[AnyNode, ...]:
        """Every node, outer before inner, in source order."""
        return tuple(nodes_of(self.function.ir.body))

    @property
    def makes_lock(self) -> bool:
        """Whether a call has the name of one that makes a lock."""
        return any(path[-1].rpartition(":")[2] in LOCK_NAMES for call in self.calls for path in call.func)

    def call(self, number: int) -> Call | None:
        event = self.events.get(number)
        return event if type(event) is Call else None

    def made_by(self, path: Path) -> Call | None:
        """The call whose result the path hangs from; None where it hangs from something else."""
        return self.call(int(path[0][2:])) if path[0].startswith("c:") else None

    def raised_by(self, node: Raise) -> list[Path]:
        """What a `raise` names: the error itself, and the class that it is made of there."""
        made = (self.made_by(path) for path in node.types)
        return [*node.types, *(path for call in made if call is not None for path in call.func)]

    def stored_before(self, path: Path, event: int) -> bool:
        """Whether the function writes something to the path above the event."""
        return any(access.kind == "write" and access.path == path and access.id < event for access in self.accesses)

    def looked_up(self, path: Path) -> Path:
        """`table[*]` for the result of `table.get(key, …)` and `table.setdefault(key, …)`."""
        call = self.made_by(path) if len(path) == 1 else None
        if (
            call is None
            or len(call.func) != 1
            or len(call.func[0]) < 2
            or call.func[0][-1] not in ("get", "setdefault")
        ):
            return path
        return (*call.func[0][:-1], ELEMENT)

    def original(self, path: Path) -> Path:
        """Where the object at `path` was before the function put another one in its place."""
        while path[0].startswith("o:"):
            write = self.events[int(path[0][2:])]
            assert isinstance(write, Access)
            path = (*write.path, *path[1:])
        return path


class Stores:
    """All writes of the program by what they write to, as far as names alone can tell."""

    def __init__(self, index: Index) -> None:
        self.facts: dict[str, FunctionFacts] = {}
        self.attributes: dict[tuple[str, str], list[Stored]] = {}
        """By class id and attribute: writes through `self`, `cls`, the class's name and in its body."""
        self.variables: dict[tuple[str, str], list[Stored]] = {}
        """By module name and variable."""
        self.captured: dict[tuple[str, str, str], list[Stored]] = {}
        """By module name, function and variable."""
        self.elements: dict[tuple[str, ...], list[Stored]] = {}
        """By function id (or class id, module name) and the container's path there."""
        for function in index.functions:
            facts = self.facts[function.id] = FunctionFacts(function)
            for access in facts.changes:
                if access.kind == "write":
                    self._record(index, function, access)
            for call in facts.calls:
                self._record_added(index, function, call)

    def _record(self, index: Index, function: FunctionInfo, access: Access) -> None:
        path = access.path
        stored = Stored(access.value, function, access)
        if path[-1] == ELEMENT:
            self._record_element(index, function, path[:-1], stored)
            return
        root = path[0]
        if len(path) == 1:
            if root.startswith("g:"):
                entity = index.name(function.module, root[2:])
                module = entity.module if isinstance(entity, Variable) else function.module
                self.variables.setdefault((module.name, root[2:]), []).append(stored)
            elif root.startswith("f:"):
                _, qualname, name = root.split(":", 2)
                self.captured.setdefault((function.module.name, qualname, name), []).append(stored)
            return
        if len(path) == 2:
            cls = class_behind(index, function, root)
            if cls is not None:
                self.attributes.setdefault((cls.id, path[1]), []).append(stored)
                return
            entity = index.entity_of(function.module, path)
            if isinstance(entity, Variable):
                self.variables.setdefault((entity.module.name, entity.name), []).append(stored)

    def _record_element(self, index: Index, function: FunctionInfo, path: tuple[str, ...], stored: Stored) -> None:
        key = element_key(index, function, path)
        if key is not None:
            self.elements.setdefault(key, []).append(stored)

    def _record_added(self, index: Index, function: FunctionInfo, call: Call) -> None:
        for path in call.func[:1]:
            if len(path) < 2 or path[-1] not in ("append", "add", "appendleft", "setdefault", "insert", "put"):
                continue
            if call.args:
                value = call.args[-1].value
                container = self.facts[function.id].looked_up(path[:-1])
                self._record_element(index, function, container, Stored(value, function, None))


def class_behind(index: Index, function: FunctionInfo, root: str) -> ClassInfo | None:
    """The class whose instance, or itself, the root of a path is, by position alone (`self`, `cls`, a class name)."""
    kind, _, name = root.partition(":")
    if kind == "p" and function.cls is not None and name == function.self_name:
        return function.cls
    if kind == "f":
        qualname, _, variable = name.partition(":")
        owner = function.module.functions.get(qualname)
        if owner is not None and owner.cls is not None and variable == owner.self_name:
            return owner.cls
        return None
    if kind in ("cls", "g"):
        entity = index.entity_of(function.module, (root,))
        return entity if type(entity) is ClassInfo else None
    return None


def element_key(index: Index, function: FunctionInfo, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """Where the elements of the container at `path` are recorded; those of `d[k]` below those of `d`."""
    if len(path) > 1 and path[-1] == ELEMENT:
        outer = element_key(index, function, path[:-1])
        return (*outer, ELEMENT) if outer is not None else None
    root = path[0]
    if len(path) == 2:
        cls = class_behind(index, function, root)
        if cls is not None:
            return ("class", cls.id, path[1])
    if len(path) == 1 and root.startswith("g:"):
        return ("module", function.module.name, root[2:])
    if root.startswith(("v:", "l:", "p:", "c:")):
        return ("function", function.id, *path)
    if root.startswith("f:"):
        return ("captured", function.module.name, *path)
    return None


def event_span(function: FunctionInfo, event: int) -> Span:
    """The span of an event of a function; its name's where the event is not known."""
    if not function.spans:
        for node in nodes_of(function.ir.body):
            if isinstance(node, (Access, Call)):
                function.spans[node.id] = node.span
            elif type(node) is With:
                function.spans[node.id] = node.item.span
    return function.spans.get(event, function.ir.name_span)
