"""Read-modify-write of values in shared memory, and which processes run it at once."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.processes import PROXIES, SHARED_MEMORY, SHARED_NUMBERS
from racelint.model.summary import ELEMENT, Access, Call, Path, With
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linked.processes import Child, Origin, Origins, Parent
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Constant, Object


class Update(msgspec.Struct):
    """One `value.value += 1` and the children that run it without a lock; `by_parent`: so does their starter."""

    function: FunctionInfo
    access: Access
    children: list[Child] = []
    by_parent: bool = False

    @property
    def runs(self) -> int:
        return sum(child.runs for child in self.children) + self.by_parent


class SharedValues:
    """All updates, grouped by the value that they change."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.children = program.children
        self.origins = Origins(program)

    def raced(self) -> Iterator[list[Update]]:
        """The updates of each value that two processes may make at once."""
        groups: dict[Origin, dict[tuple[str, int], Update]] = {}
        for function in self.program.index.functions if self.children else ():
            for access in self._updates(function):
                for origin, child in self._runners(function, access):
                    found = groups.setdefault(origin, {})
                    update = found.setdefault((function.id, access.id), Update(function, access))
                    if child is None:
                        update.by_parent = True
                    else:
                        update.children.append(child)
        for group in groups.values():
            updates = list(group.values())
            if sum(update.runs for update in updates) > 1 and any(update.children for update in updates):
                yield updates

    def _updates(self, function: FunctionInfo) -> Iterator[Access]:
        facts = self.program.stores.facts[function.id]
        for access in facts.changes:
            if access.kind != "write" or len(access.path) < 2 or not access.deps:
                continue
            if access.path in access.value:
                continue  # what was taken out is put back as it is
            again = any(_reads(facts.events.get(dep), access) for dep in access.deps)
            simple = access.augmented or access.key or access.path[-1] != ELEMENT
            if again and simple and self._is_shared(access, function) and not self._is_own_slot(access, function):
                yield access

    @staticmethod
    def _is_own_slot(access: Access, function: FunctionInfo) -> bool:
        """`array[index]` with the index passed in: each process is given one of its own."""
        return access.path[-1] == ELEMENT and any(param.name == access.key for param in function.ir.params)

    def _is_shared(self, access: Access, function: FunctionInfo) -> bool:
        things = [t for t in self.program.types.of(_memory(access), function) if not isinstance(t, Constant)]
        kinds = SHARED_NUMBERS | PROXIES | (SHARED_MEMORY if access.path[-1] == ELEMENT else frozenset())
        return bool(things) and all(isinstance(t, Object) and t.dotted in kinds for t in things)

    def _runners(self, function: FunctionInfo, access: Access) -> Iterator[tuple[Origin, Child | None]]:
        if self._is_locked(function, access):
            return
        base = _memory(access)
        homes: dict[str, Parent] = {}
        for child in self.children:
            locked = function.id in child.perhaps or excludes(child.held.get(function.id, frozenset()))
            if function.id in child.functions and not locked:
                for origin in sorted(self.origins.of_memory(base, function, child)):
                    if ELEMENT not in origin and not any(part.startswith("l:") for part in origin):
                        yield origin, child
            if child.root.site_function is not None:
                homes.setdefault(child.root.site_function.id, Parent(self.program, child.root))
        for parent in homes.values():
            if self._overlaps(parent, function, access):
                for origin in sorted(self.origins.of_memory(base, function)):
                    yield origin, None

    @staticmethod
    def _overlaps(parent: Parent, function: FunctionInfo, access: Access) -> bool:
        """Whether the starting process makes the update between the start and the join."""
        if function is not parent.home or access.id < parent.start:
            return False
        return not parent.joins or access.id < min(parent.joins)

    def _is_locked(self, function: FunctionInfo, access: Access) -> bool:
        if held_between_processes(self.program, function, access.id):
            return True
        around = enclosing(place_of(function, access.id))
        return any(isinstance(node, With) and node.item.value == (access.path[:-1],) for node in around)


def _memory(access: Access) -> Path:
    """The value, or the shared memory that `memory.buf[0]` is of."""
    return access.path[:-2] if access.path[-2:-1] == ("buf",) else access.path[:-1]


def _reads(event: Access | Call | None, write: Access) -> bool:
    """The very element that is written afterwards: by its name or key, or with `get`."""
    if isinstance(event, Call):
        getting = (*write.path[:-1], "get")
        return write.path[-1] == ELEMENT and event.func == (getting,) and event.key == write.key != ""
    return event is not None and event.kind == "read" and event.path == write.path and event.key == write.key


def held_between_processes(program: Program, function: FunctionInfo, event: int) -> bool:
    """Whether a lock between processes is held there, or one may be."""
    state = program.flows.of(function).at(event)
    if excludes(frozenset(hold.lock for hold in state.must)):
        return True
    return bool(state.may - {hold.lock.location for hold in state.must})


def excludes(held: frozenset[Lock]) -> bool:
    """A lock between processes, or one that may be: the value's own is not known by its type."""
    return any(lock.facts is None or lock.facts.world == "process" for lock in held)
