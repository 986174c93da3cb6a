"""Plain objects that one process changes and another reads: each has a copy of its own, and the change is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from racelint.knowledge.containers import MUTATING_METHODS
from racelint.knowledge.processes import PLAIN_CONTAINERS
from racelint.knowledge.threads import STARTERS
from racelint.model.summary import ELEMENT, Access, Call, Path, Return, Span
from racelint.program.linked.processes import Child, Parent
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.names.thread_root import loops_around
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Constant, Instance, Object
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import SharedAccess


class Touch(msgspec.Struct, frozen=True):
    """A place where a process changes or reads the object."""

    function: FunctionInfo
    event: int
    span: Span
    path: Path


class LostChange(msgspec.Struct, frozen=True):
    """A change that the other side never sees, and where it looks. `by`: who makes it."""

    by: Literal["child", "parent"]
    child: Child
    change: Touch
    read: Touch
    subject: str


class PrivateCopies:
    """Finds them for every process root of the program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._of_function: dict[str, list[SharedAccess]] = {}

    def lost(self) -> Iterator[LostChange]:
        """In the order of the roots; one change may be found for several of them."""
        for child in self.program.children:
            if child.root.site_function is not None and child.root.site is not None:
                parent = Parent(self.program, child.root)
                yield from self._through_locations(child, parent)
                yield from self._through_arguments(child, parent)

    def _through_locations(self, child: Child, parent: Parent) -> Iterator[LostChange]:
        """Module variables, and attributes of the object whose method runs in the child."""
        mine = [a for function in child.functions.values() for a in self._plain(function) if self._is_copied(a, child)]
        changed: dict[Location, SharedAccess] = {}
        for access in sorted(mine, key=lambda a: (a.function.order, a.event)):
            if access.changes:
                changed.setdefault(access.location.container(), access)
        for location, change in changed.items():
            theirs = self._theirs(location, child, parent)
            read = next((a for a in theirs if not a.changes and parent.is_after(a.function, a.event)), None)
            told = all(self._is_handed_in(a, child) for a in mine if a.changes and a.location.container() == location)
            if read is not None and not told and not any(self._is_own_value(a, parent) for a in theirs):
                yield LostChange("child", child, _touch(change), _touch(read), str(location))
        for access in mine:
            if not access.changes and self._looks_again(access.function, access.event, child):
                yield from self._set_by_parent(access, child, parent, changed)

    @staticmethod
    def _is_handed_in(access: SharedAccess, child: Child) -> bool:
        """The child keeps what it was started with, for itself: it tells nobody anything."""
        names = {f"p:{param.name}" for param in child.root.target.ir.params}
        given = bool(access.value) and all(len(path) == 1 and path[0] in names for path in access.value)
        return access.deed == "write" and given and access.function is child.root.target

    def _set_by_parent(
        self, read: SharedAccess, child: Child, parent: Parent, changed: dict[Location, SharedAccess]
    ) -> Iterator[LostChange]:
        """The child looks at it again and again, the parent changes its own copy after the start."""
        location = read.location.container()
        if location in changed:
            return
        for access in self._theirs(location, child, parent):
            if access.changes and self._is_after_start(access, parent):
                yield LostChange("parent", child, _touch(access), _touch(read), str(location))
                return

    @staticmethod
    def _is_after_start(access: SharedAccess, parent: Parent) -> bool:
        own = access.path[0] == f"p:{access.function.self_name}" and access.function is not parent.home
        if (own and makes_self(access.function)) or not parent.is_after(access.function, access.event):
            return False  # what another object is made of is none of the child's copy
        if access.function is not parent.home:
            return True
        before_join = not parent.joins or access.event < max(parent.joins)
        return before_join and not parent.shares_a_loop(access.event)

    def _theirs(self, location: Location, child: Child, parent: Parent) -> list[SharedAccess]:
        """What the starting process does with a location, in source order; not what the child runs as well."""
        found = [
            access
            for access in self.program.shared.within(location)
            if access.function.id in parent.functions and access.function.id not in child.functions
        ]
        return sorted(found, key=lambda a: (a.function.order, a.event))

    @staticmethod
    def _is_own_value(access: SharedAccess, parent: Parent) -> bool:
        """The starting process gives it a value of its own after the start: it does not look for the child's."""
        return access.changes and access.function.ir.kind != "module" and parent.is_after(access.function, access.event)

    def _plain(self, function: FunctionInfo) -> list[SharedAccess]:
        if function.ir.name in ("__init__", "__new__", "__setstate__"):
            return []
        known = self._of_function.get(function.id)
        if known is None:
            accesses = self.program.shared.of(function)
            known = [access for access in accesses if self._is_plain(access, function)]
            self._of_function[function.id] = known
        return known

    def _is_plain(self, access: SharedAccess, function: FunctionInfo) -> bool:
        """A name of a module or an attribute, holding a built-in container or something that is replaced."""
        path = access.path
        while path and path[-1] == ELEMENT:
            path = path[:-1]
        things = [t for t in self.program.types.of(path, function) if not isinstance(t, Constant)]
        if access.location.content:
            return bool(things) and all(isinstance(t, Object) and t.dotted in PLAIN_CONTAINERS for t in things)
        return all(isinstance(t, Object) and t.dotted.startswith(("builtins.", "collections.")) for t in things)

    def _is_copied(self, access: SharedAccess, child: Child) -> bool:
        """Module and captured variables, and attributes reached through the object that the child was started with."""
        location = access.location
        if location.kind in ("global", "captured") or self._is_of_class(access):
            return True
        if location.kind != "attribute" or access.path[0] != f"p:{access.function.self_name}" or not access.path[1:]:
            return False
        target = child.root.target
        return target.cls is not None and access.function.cls is not None and self._is_same_object(access, child)

    def _is_of_class(self, access: SharedAccess) -> bool:
        """An attribute of a class, reached through the class itself."""
        path = access.path[: -len(access.location.fields)] if access.location.kind == "attribute" else ()
        things = self.program.types.of(path, access.function) if path else ()
        return bool(things) and all(isinstance(thing, ClassInfo) for thing in things)

    def _is_same_object(self, access: SharedAccess, child: Child) -> bool:
        """Whether `self` there is the root's own: every call on the way is one on `self`."""
        function = access.function
        while function is not child.root.target:
            site = child.sites.get(function.id)
            if site is None or site.receiver != (f"p:{site.caller.self_name}",):
                return False
            function = site.caller
        return True

    def _looks_again(self, function: FunctionInfo, event: int, child: Child) -> bool:
        """Read inside a loop, here or on the way from the root."""
        while True:
            if event in loops_around(function) or self._is_head(function, event):
                return True
            site = child.sites.get(function.id)
            if site is None or function is child.root.target:
                return False
            function, event = site.caller, site.event

    def _is_head(self, function: FunctionInfo, event: int) -> bool:
        heads = (node for loop in self.program.stores.facts[function.id].loops for node in loop.head)
        return any(isinstance(node, (Access, Call)) and node.id == event for node in heads)

    def _through_arguments(self, child: Child, parent: Parent) -> Iterator[LostChange]:
        """Containers and objects passed to the child."""
        for name, value in child.root.bindings.items():
            for path in value[:1]:
                if not self._is_plain_object(path, parent.home):
                    continue
                subject = f"{child.root.target.module.name}.{child.root.target.qualname}.{name}"
                change, reads = self._in_child((f"p:{name}",), child)
                look = next((read for read in reads if self._looks_again(read.function, read.event, child)), None)
                theirs = self._in_parent(path, parent)
                seen = next((touch for touch, changes in theirs if not changes), None)
                if change is not None and seen is not None:
                    yield LostChange("child", child, change, seen, subject)
                elif look is not None and change is None:
                    for touch, changes in theirs:
                        until_join = not parent.joins or touch.event < max(parent.joins)
                        if changes and until_join and not parent.shares_a_loop(touch.event):
                            yield LostChange("parent", child, touch, look, subject)
                            break

    def _is_plain_object(self, path: Path, function: FunctionInfo) -> bool:
        things = [t for t in self.program.types.of(path, function) if not isinstance(t, Constant)]
        return bool(things) and all(
            (isinstance(t, Object) and t.dotted in PLAIN_CONTAINERS)
            or (isinstance(t, Instance) and not t.cls.all_external_bases())
            for t in things
        )

    def _in_child(self, path: Path, child: Child) -> tuple[Touch | None, list[Touch]]:
        """The first change of the argument in the child, and its reads, followed into calls."""
        pending: list[tuple[FunctionInfo, Path]] = [(child.root.target, path)]
        seen: set[tuple[str, Path]] = set()
        change: Touch | None = None
        reads: list[Touch] = []
        while pending:
            function, held = pending.pop(0)
            if (function.id, held) in seen:
                continue
            seen.add((function.id, held))
            for touch, changes in self._touches(function, held):
                if not changes:
                    reads.append(touch)
                elif change is None:
                    change = touch
            for site in self.program.calls.outgoing[function.id]:
                if not site.weak and site.callee.id in child.functions:
                    pending.extend((site.callee, (f"p:{name}",)) for name, v in site.bindings.items() if held in v)
                    if site.receiver == held and site.callee.self_name:
                        pending.append((site.callee, (f"p:{site.callee.self_name}",)))
        return change, reads

    def _in_parent(self, path: Path, parent: Parent) -> list[tuple[Touch, bool]]:
        return [(t, c) for t, c in self._touches(parent.home, path) if t.event > parent.start]

    def _touches(self, function: FunctionInfo, path: Path) -> Iterator[tuple[Touch, bool]]:
        """What a function does with the object at a path: (where, whether it changes it), in source order."""
        last = 0
        for node in self.program.stores.facts[function.id].nodes:
            if isinstance(node, (Access, Call)):
                last = max(last, node.id)
            if (
                isinstance(node, Access)
                and node.path[: len(path)] == path
                and (len(node.path) > len(path) or node.kind == "iterate")
            ):
                yield Touch(function, node.id, node.span, node.path), node.kind in ("write", "delete")
            elif isinstance(node, Call) and any(len(p) > len(path) and p[: len(path)] == path for p in node.func):
                changes = node.func[0][-1] in MUTATING_METHODS and not self._is_ours(node, function)
                yield Touch(function, node.id, node.span, node.func[0][:-1]), changes
            elif isinstance(node, Call) and any(path in argument.value for argument in node.args):
                if not self._starts(node, function):
                    yield Touch(function, node.id, node.span, path), False
            elif isinstance(node, Return) and path in node.value:
                yield Touch(function, last, node.span, path), False

    def _starts(self, call: Call, function: FunctionInfo) -> bool:
        """Arguments of other processes, or calls of functions, which are followed on their own."""
        things = self.program.types.of_value(call.func, function)
        if any(isinstance(thing, External) and thing.dotted in STARTERS for thing in things):
            return True
        return self._is_ours(call, function)

    def _is_ours(self, call: Call, function: FunctionInfo) -> bool:
        return any(site.event == call.id for site in self.program.calls.outgoing[function.id])


def _touch(access: SharedAccess) -> Touch:
    return Touch(access.function, access.event, access.span, access.path)
