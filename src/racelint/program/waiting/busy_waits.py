"""Loops that do nothing but look again: at a flag that another thread sets, or at an object that can be waited for."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.threads import CLOCKS, WAITED_FOR
from racelint.model.summary import ELEMENT, Access, AnyNode, Branch, Call, Jump, Loop, Path, Return, Span, With
from racelint.program.flow.values import nodes_of
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.names.thread_root import thread_kind
from racelint.program.objects.things import Instance, Member
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import SharedAccess
from racelint.program.threads.test_cases import is_of_tests

_SLEEPS = frozenset({"time.sleep", "os.sched_yield"})
_LOOKS = CLOCKS | {"builtins.len"}


class BusyWait(msgspec.Struct, frozen=True):
    """The loop at `span` looks at `path`; `instead` waits for it; `setter` is where another thread changes it."""

    function: FunctionInfo
    span: Span
    path: Path
    sleeps: bool
    instead: str = ""
    setter: SharedAccess | None = None


class BusyWaits:
    """All of them."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[BusyWait]:
        """In source order."""
        for function in self.program.index.functions:
            loops = self.program.stores.facts[function.id].loops
            if not loops or function.ir.is_async or is_of_tests(function):
                continue
            for loop in loops:
                if loop.kind == "while" and not loop.is_async and not loop.counted:
                    wait = self._waits(loop, function)
                    if wait is not None:
                        yield wait

    def _waits(self, loop: Loop, function: FunctionInfo) -> BusyWait | None:
        body = self._unlocked(loop.body, function)
        test = loop.head if not loop.infinite else _before_leaving(body)
        if test is None or not all(self._is_idle(node, function) for node in body if not _leaves(node)):
            return None
        calls = [node for node in nodes_of(test) if isinstance(node, Call) and not self._is(node, function, _LOOKS)]
        sleeps = any(isinstance(node, Call) for node in body)
        if calls:
            instead = self._instead(calls[0], function) if len(calls) == 1 else ""
            return BusyWait(function, loop.span, calls[0].func[0][:-1], sleeps, instead) if instead else None
        for access in self.program.shared.of(function):
            if any(isinstance(node, Access) and node.id == access.event for node in nodes_of(test)):
                setter = self._setter(access, function)
                if setter is not None:
                    return BusyWait(function, loop.span, access.path, sleeps, "", setter)
        return None

    def _unlocked(self, body: tuple[AnyNode, ...], function: FunctionInfo) -> tuple[AnyNode, ...]:
        """The body with what stands under a lock in its place."""
        found: list[AnyNode] = []
        for node in body:
            if isinstance(node, With) and node.item.value:
                lock = self.program.locks.of(node.item.value[0], function)
                if lock is not None and not lock.opaque and not self._sleeps(node.body, function):
                    found.extend(node.body)
                    continue
            found.append(node)
        return tuple(found)

    def _sleeps(self, body: tuple[AnyNode, ...], function: FunctionInfo) -> bool:
        return any(isinstance(node, Call) and self._is(node, function, _SLEEPS) for node in nodes_of(body))

    def _is_idle(self, node: AnyNode, function: FunctionInfo) -> bool:
        """Looks, or sleeps."""
        if isinstance(node, Call):
            looks = self._instead(node, function) != "" or self._is(node, function, _LOOKS)
            return looks or self._is(node, function, _SLEEPS)
        return isinstance(node, Access) and node.kind == "read"

    def _is(self, call: Call, function: FunctionInfo, names: frozenset[str]) -> bool:
        things = self.program.types.of_value(call.func, function)
        return any(isinstance(thing, External) and thing.dotted in names for thing in things)

    def _instead(self, call: Call, function: FunctionInfo) -> str:
        """The method that waits for what `call` looks at; empty where there is none."""
        for path in call.func[:1]:
            for thing in self.program.types.of(path, function):
                if isinstance(thing, Member):
                    return WAITED_FOR.get((thing.dotted, thing.name), "")
            for thing in self.program.types.of(path[:-1], function) if len(path) > 1 else ():
                if isinstance(thing, Instance) and path[-1] == "is_alive" and thread_kind(thing.cls) is not None:
                    return "join"
        return ""

    def _setter(self, look: SharedAccess, function: FunctionInfo) -> SharedAccess | None:
        """A change on a thread that the loop does not run on, constructors left out."""
        reach = self.program.reach
        mine = {context.root for context in reach.of(function)}
        inside = look.location.below(ELEMENT)
        shared = self.program.shared
        changes: list[SharedAccess] = [*shared.at(look.location), *(shared.at(inside) if inside is not None else ())]
        for access in changes:
            if not access.changes or access.function is function or makes_self(access.function):
                continue
            theirs = {context.root for context in reach.of(access.function)}
            if theirs and mine and theirs != mine and any(root is not None for root in theirs | mine):
                return access
        return None


def _before_leaving(body: tuple[AnyNode, ...]) -> tuple[AnyNode, ...] | None:
    """What a `while True` looks at: all before its first `if …: break`."""
    for index, node in enumerate(body):
        if _leaves(node):
            return body[:index]
    return None


def _leaves(node: AnyNode) -> bool:
    """`if …: break`."""
    if not isinstance(node, Branch):
        return False
    ways = (*node.then, *node.orelse)
    return bool(ways) and all(isinstance(way, (Jump, Return)) for way in ways)
