"""Guarded containers that leave their lock alive: returned or stored as they are, or as a view that follows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from racelint.knowledge.containers import CONTAINERS
from racelint.model.finding import Evidence
from racelint.model.summary import ELEMENT, Access, Path, Return, Value
from racelint.program.flow.values import FunctionFacts
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo, directives_at
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Constant, Object
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.sharing.ownership import makes_self
from racelint.program.threads.users import is_public

_VIEWS = frozenset({"keys", "values", "items"})
_MAPPINGS = frozenset({"dict", "defaultdict", "OrderedDict", "Counter", "WeakValueDictionary", "WeakKeyDictionary"})
_LAZY = frozenset({"iter", "reversed", "enumerate", "map", "filter", "zip"})

_AT_RETURN = 1 << 60
"""After every event of a function."""

Shape = Literal["itself", "view"]


class EscapingReference(msgspec.Struct, frozen=True):
    """`function` hands `location` out at `node`, which `changed` changes in place with `guard` held.

    No `guard`: a live view of what another thread changes without any lock.
    """

    function: FunctionInfo
    node: Return | Access
    location: Location
    shape: Shape
    guard: Location | None
    changed: Record
    evidence: Evidence


Leaving = tuple[FunctionInfo, Return | Access, Shape]


class EscapingReferences:
    """Finds them for every location whose guard is known."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.races = program.suspects.races
        self._leaving: dict[Location, list[Leaving]] = {}
        for function in program.index.functions:
            self._note(function)

    def all(self) -> Iterator[EscapingReference]:
        """One per function and location, in source order of the locations."""
        for group in self.races.groups:
            leaving = self._leaving.get(group.location)
            guard = self.program.suspects.guards.of(group) if leaving else None
            if not leaving:
                continue
            if guard is None:
                yield from self._live_views(group, leaving)
                continue
            changed = min(self._changes_under(group, guard), key=lambda record: record.order, default=None)
            seen: set[str] = set()
            for function, node, shape in leaving if changed is not None else ():
                if function.id in seen or self._is_for_holders(function, guard):
                    continue
                if isinstance(node, Return) and not self._is_changed_later(group, guard, function):
                    continue
                seen.add(function.id)
                assert changed is not None
                yield EscapingReference(function, node, group.location, shape, guard, changed, group.evidence)

    def _live_views(self, group: Group, leaving: list[Leaving]) -> Iterator[EscapingReference]:
        """Views of a container that a thread of the program resizes while whoever got one goes through it."""
        for function, node, shape in leaving:
            if _is_of_mapping(function):
                continue
            changed = self._changed_by_thread(group, function) if shape == "view" else None
            if changed is not None and isinstance(node, Return):
                yield EscapingReference(function, node, group.location, shape, None, changed, "thread")
                return

    def _changed_by_thread(self, group: Group, function: FunctionInfo) -> Record | None:
        """A change of the size by a thread that runs on after the function has returned."""
        handed_out = [context for context in self.program.reach.of(function) if context.root is None]
        for record in group.changes:
            root = record.context.root
            inserts = record.access.deed == "write" and record.access.path[-1] == ELEMENT
            if root is None or record.perhaps or not (record.access.resizes or inserts):
                continue
            if any(self.program.ordering.may_overlap(root, context, _AT_RETURN) for context in handed_out):
                return record
        return None

    def _note(self, function: FunctionInfo) -> None:
        """What a public function lets out."""
        if not _is_open(function):
            return
        facts = self.program.stores.facts[function.id]
        nodes: list[tuple[Return | Access, Value]] = [(node, node.value) for node in facts.returns]
        nodes += [(a, a.value) for a in facts.accesses if a.kind == "write" and self._is_elsewhere(a, function)]
        for node, value in nodes:
            for path, shape in self._handed(value, function):
                location = self.program.locations.of(path, function)
                own = self._is_own(path, function) or (shape == "view" and path[0].startswith(("c:", "v:", "f:")))
                if location is None or not own or not self._is_container(path, function):
                    continue
                if not self._is_replaced(function, location):
                    self._leaving.setdefault(location, []).append((function, node, shape))

    def _handed(self, value: Value, function: FunctionInfo, depth: int = 0) -> Iterator[tuple[Path, Shape]]:
        """The containers that a value is or follows; displays are looked into."""
        facts = self.program.stores.facts[function.id]
        for path in value:
            if path[0].startswith("v:") and len(path) == 1 and depth < 2:
                for access in facts.accesses:
                    if access.kind == "write" and access.path == (*path, ELEMENT):
                        yield from self._handed(access.value, function, depth + 1)
                        yield from _gone_through(path[0], access, facts)
            elif path[0].startswith("c:") and len(path) == 1:
                yield from self._viewed(int(path[0][2:]), function, depth)
            elif path[-1] != ELEMENT:
                yield path, "itself"

    def _viewed(self, event: int, function: FunctionInfo, depth: int) -> Iterator[tuple[Path, Shape]]:
        """`d.items()`, `iter(d)`, `filter(f, d.values())`."""
        call = self.program.stores.facts[function.id].call(event)
        if call is None or depth > 2:
            return
        for func in call.func:
            if func[-1] in _VIEWS and len(func) > 1:
                things = self.program.types.of(func[:-1], function)
                if any(isinstance(t, Object) and t.dotted.rpartition(".")[2] in _MAPPINGS for t in things):
                    yield func[:-1], "view"
            elif len(func) == 1 and func[0].removeprefix("g:") in _LAZY:
                for argument in call.args:
                    for path, _ in self._handed(argument.value, function, depth + 1):
                        yield path, "view"

    def _is_own(self, path: Path, function: FunctionInfo) -> bool:
        """An attribute of the object itself (or of a class), or a variable of a module."""
        return (path[0].startswith("g:") and len(path) <= 2) or (
            bool(function.self_name) and path[0] == f"p:{function.self_name}"
        )

    def _is_elsewhere(self, access: Access, function: FunctionInfo) -> bool:
        """A place that others have and the lock does not cover: an attribute of another object, or a global."""
        root = access.path[0]
        if access.augmented or root.startswith(("v:", "l:", "k:", "c:")) or makes_self(function):
            return False
        if root == f"p:{function.self_name}":
            return len(access.path) > 2 and access.path[2] != ELEMENT
        return access.path[-1] != ELEMENT and not (root.startswith("f:") and len(access.path) == 1)

    def _is_container(self, path: Path, function: FunctionInfo) -> bool:
        things = [t for t in self.program.types.of(path, function) if t != Constant("None")]
        return bool(things) and all(isinstance(t, Object) and t.dotted in CONTAINERS for t in things)

    def _is_replaced(self, function: FunctionInfo, location: Location) -> bool:
        """The function, or one that it calls, puts another container there: what it hands out is nobody else's."""
        sites = [site for site in self.program.calls.outgoing[function.id] if not site.weak]
        called = [site.callee for site in sites if not makes_self(site.callee)]
        return any(
            access.location == location and access.deed in ("write", "delete")
            for caller in (function, *called)
            for access in self.program.shared.of(caller)
        )

    @staticmethod
    def _changes_under(group: Group, guard: Location) -> list[Record]:
        """All changes in place with the guard held."""
        return [
            record
            for record in group.changes
            if record.access.location.content
            and guard in record.locations_held
            and not makes_self(record.access.function)
        ]

    def _is_changed_later(self, group: Group, guard: Location, function: FunctionInfo) -> bool:
        """Whether somebody changes it after the function has returned: not threads that it has joined all."""
        return any(
            record.context.root is None
            or any(
                self.program.ordering.may_overlap(record.context.root, context, _AT_RETURN)
                for context in self.program.reach.of(function)
            )
            for record in self._changes_under(group, guard)
        )

    def _is_for_holders(self, function: FunctionInfo, guard: Location) -> bool:
        """Declared so, or all callers in sight are of the class and hold the guard around the call."""
        if any(directive.verb == "holds" for directive in directives_at(function.module, function.ir.name_span[0])):
            return True
        sites = [site for site in self.program.calls.incoming.get(function.id, []) if not site.weak]
        inside = [site for site in sites if site.caller.cls is not None and site.caller.cls is function.cls]
        return bool(sites) and len(inside) == len(sites) and all(self._holds(s.caller, s.event, guard) for s in sites)

    def _holds(self, function: FunctionInfo, event: int, guard: Location) -> bool:
        return any(hold.lock.location == guard for hold in self.program.flows.of(function).at(event).must)


def _gone_through(made: str, element: Access, facts: FunctionFacts) -> Iterator[tuple[Path, Shape]]:
    """What a generator expression goes through, when somebody asks it to; `element` is what it yields."""
    if made.endswith(":generator"):
        start = int(made.split(":")[1])
        for access in facts.accesses:
            if access.kind == "iterate" and start < access.id < element.id:
                yield access.path, "view"


def _is_of_mapping(function: FunctionInfo) -> bool:
    """`__iter__`, or a view of a class that is a mapping itself: it is as live as those of a dict, and as unlocked."""
    name = function.ir.name
    mapping = function.cls is not None and function.cls.method("__getitem__") is not None
    return name in ("__iter__", "__reversed__") or (mapping and name in _VIEWS)


def _is_open(function: FunctionInfo) -> bool:
    """Called by anybody: a public function or method, or `__iter__`."""
    if function.ir.is_generator or function.is_contextmanager or function.ir.is_async:
        return False
    name = function.ir.name
    return is_public(function) and (not name.startswith("__") or name in ("__iter__", "__reversed__"))
