"""Processes: what a child runs, what the program itself runs, and in what order they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from racelint.model.summary import Path, Value
from racelint.program.calling.calls import CallSite
from racelint.program.flow.walk import contains
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.objects.locations import Location

_MAX_DEPTH = 5
Origin = tuple[str, ...]
"""Where an object comes from: a location, or the call that made it."""


class Child(msgspec.Struct):
    """A process root with all functions it reaches, each with the calls that lead to it and the locks held there."""

    root: ThreadRoot
    functions: dict[str, FunctionInfo] = {}
    sites: dict[str, CallSite] = {}
    held: dict[str, frozenset[Lock]] = {}
    perhaps: set[str] = set()
    """Functions that are called, by all that is known, with more locks than are certain."""

    @property
    def runs(self) -> int:
        """1, or 2 for `several`."""
        return 2 if self.root.many else 1


def reached_by(program: Program, root: ThreadRoot) -> Child:
    """All that a root runs."""
    child = Child(root)
    child.functions[root.target.id] = root.target
    child.held[root.target.id] = program.decorator_locks.get(root.target.id, frozenset())
    queue = deque([root.target])
    while queue:
        function = queue.popleft()
        for site in program.calls.outgoing[function.id]:
            if site.weak:
                continue
            state = program.flows.of(function).at(site.event)
            held = child.held[function.id] | {hold.lock for hold in state.must}
            unsure = state.may - {hold.lock.location for hold in state.must} or _is_in_a_helper(program, site)
            if function.id in child.perhaps or unsure:
                child.perhaps.add(site.callee.id)
            if site.callee.id not in child.functions:
                child.functions[site.callee.id] = site.callee
                child.sites[site.callee.id] = site
                child.held[site.callee.id] = held
                queue.append(site.callee)
            else:
                child.held[site.callee.id] &= held
    return child


def _is_in_a_helper(program: Program, site: CallSite) -> bool:
    """Inside of `with helper():`, a context manager of the program that holds something itself: a lock perhaps."""
    facts = program.stores.facts
    blocks = facts[site.caller.id].withs
    outgoing = program.calls.outgoing[site.caller.id] if blocks else ()
    helpers = {f"c:{helper.event}" for helper in outgoing if facts[helper.callee.id].withs}
    return any(
        any(path[0] in helpers for path in block.item.value) and any(contains(node, site.event) for node in block.body)
        for block in blocks
    )


def closure(program: Program, functions: Iterable[FunctionInfo]) -> dict[str, FunctionInfo]:
    """The functions and all that they call, spawned code left out."""
    found = {function.id: function for function in functions}
    queue, outgoing = deque(found.values()), program.calls.outgoing
    while queue:
        for site in outgoing[queue.popleft().id]:
            callee = site.callee
            if callee.id not in found and not site.weak:
                found[callee.id] = callee
                queue.append(callee)
    return found


def callers_of(program: Program, function: FunctionInfo) -> dict[str, FunctionInfo]:
    """The functions that lead to a call of it, itself included."""
    found = {function.id: function}
    queue = deque([function])
    while queue:
        for site in program.calls.incoming.get(queue.popleft().id, []):
            if not site.weak and site.caller.id not in found:
                found[site.caller.id] = site.caller
                queue.append(site.caller)
    return found


class Parent:
    """What the starting process itself runs, and what of it comes after the start of one child."""

    def __init__(self, program: Program, root: ThreadRoot) -> None:
        assert root.site_function is not None and root.site is not None
        self.program = program
        self.root = root
        self.home = root.site_function
        own = [event for function, event in root.starts if function is self.home]
        self.start = min(own, default=root.site.id)
        self.joins = [event for function, event in root.joins if function is self.home]
        self.leading = callers_of(program, self.home)
        self.functions = closure(program, self.leading.values())
        self._loops = {event: {id(loop) for loop in loops} for event, loops in loops_around(self.home).items()}

    def is_after(self, function: FunctionInfo, event: int, depth: int = 0) -> bool:
        """Whether the event is seen to run after the child's start, on the starting process."""
        if function is self.home:
            return event > self.start
        if function.id not in self.functions or depth > _MAX_DEPTH:
            return False
        if function.id in self.leading:
            to_home = [s.event for s in self.program.calls.outgoing[function.id] if s.callee.id in self.leading]
            if any(event > site for site in to_home):
                return True
        sites = self.program.calls.incoming.get(function.id, [])
        return any(
            not s.weak and self.is_after(s.caller, s.event, depth + 1) for s in sites if s.caller is not function
        )

    def shares_a_loop(self, event: int) -> bool:
        """Whether an event of the starting function runs again before the next start."""
        return bool(self._loops.get(event, set()) & self._loops.get(self.start, set()))


class Origins:
    """Follows a path through parameters, arguments and constructor calls to what it was made as."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def of(self, path: Path, function: FunctionInfo, child: Child | None = None, depth: int = 0) -> frozenset[Origin]:
        """All that `path` may be; empty where something is not known."""
        root, *fields = path
        if root.startswith("p:") and not fields and root[2:] != function.self_name:
            return self._of_parameter(root[2:], function, child, depth)
        location = self.program.locations.of(path, function)
        if location is not None:
            return self._of_location(location, depth)
        return frozenset({(function.id, *path)})

    def of_memory(self, path: Path, function: FunctionInfo, child: Child | None = None) -> frozenset[Origin]:
        """What the memory is; that of `SharedMemory(name=name)` is the memory whose name was passed."""
        call = self.program.stores.facts[function.id].made_by(path)
        named = [value for argument in call.args if argument.name == "name" for value in argument.value] if call else []
        constants = frozenset({("memory", value[0]) for value in named if value[0].startswith("k:str:")})
        found = {origin for value in named for origin in self.of(value, function, child)}
        return constants or frozenset(o[:-1] for o in found if o[-1] == "name") or self.of(path, function, child)

    def _of_location(self, location: Location, depth: int) -> frozenset[Origin]:
        """A variable is what is stored in it, where that is one thing."""
        stores = self.program.stores
        entries = stores.variables.get((location.owner, location.fields[0]), []) if location.kind == "global" else []
        if location.kind == "attribute":
            entries = stores.attributes.get((location.owner, location.fields[0]), [])
        known: Value = tuple(path for entry in entries for path in entry.value)
        single = len(location.fields) == 1 and len(entries) == 1 and len(known) == 1
        if single and depth < _MAX_DEPTH and known[0][0].startswith("p:"):
            return self.of(known[0], entries[0].function, None, depth + 1)
        return frozenset({(location.kind, location.owner, *location.fields)})

    def _of_parameter(self, name: str, function: FunctionInfo, child: Child | None, depth: int) -> frozenset[Origin]:
        if depth >= _MAX_DEPTH:
            return frozenset()
        passed: list[tuple[Value, FunctionInfo]] = []
        inner = child
        if child is not None and function is child.root.target and name in child.root.bindings:
            assert child.root.site_function is not None
            passed, inner = [(child.root.bindings[name], child.root.site_function)], None
        elif child is not None and function.id in child.sites:
            site = child.sites[function.id]
            passed = [(site.bindings.get(name, ()), site.caller)]
        else:
            passed, inner = list(self.program.types.arguments.get((function.id, name), [])), None
        found: set[Origin] = set()
        for value, caller in passed:
            for path in value:
                found |= self.of(path, caller, inner, depth + 1)
        return frozenset(found)
