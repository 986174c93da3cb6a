"""Loops of which every turn is one short critical section."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.locks import RELEASES
from racelint.knowledge.threads import QUEUES
from racelint.model.summary import (
    ELEMENT,
    Access,
    AnyNode,
    Branch,
    Call,
    Jump,
    Loop,
    Path,
    Raise,
    Return,
    Suspend,
    Try,
    With,
)
from racelint.program.calling.calls import CallSite
from racelint.program.flow.values import nodes_of
from racelint.program.linked.computing import MANY_TURNS, Computing
from racelint.program.linked.numbers import number
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Member, Object

_SIGNALS = frozenset({"notify", "notify_all", "notifyAll", "wait", "wait_for"})


class HotLoop(msgspec.Struct, frozen=True):
    """`taken` is the With or the acquire; `turns` None where they cannot be counted.

    `through` is the call by which the loop comes to it, where another function takes the lock.
    """

    function: FunctionInfo
    loop: Loop
    lock: Lock
    taken: With | Call
    turns: int | None
    through: CallSite | None = None


class HotLoops:
    """Finds them in the functions that threads run."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.computing = Computing(program)

    def of(self, function: FunctionInfo) -> Iterator[HotLoop]:
        loops = self.program.stores.facts[function.id].loops
        taken = self._taken(function) if loops else {}
        for loop in loops:
            if loop.kind != "comprehension" and not loop.infinite and not loop.is_async:
                found = self._section(loop.body, taken, function) if taken else None
                turns = number(self.program, loop.turns, function)
                if found is not None and self._is_hot(loop, found, function):
                    yield HotLoop(function, loop, found[0], found[1], turns)
                elif turns is not None and turns >= MANY_TURNS:
                    yield from self._called(loop, turns, function)

    def _taken(self, function: FunctionInfo) -> dict[int, tuple[Lock, With | Call]]:
        taken = {}
        for lock, node, _ in self.program.flows.of(function).acquisitions:
            if isinstance(node, (With, Call)) and lock.facts is not None and lock.facts.world != "async":
                taken[node.id] = (lock, node)
        return taken

    def _called(self, loop: Loop, turns: int, function: FunctionInfo) -> Iterator[HotLoop]:
        """A body of one call of a function that is one critical section."""
        calls = [node for node in loop.body if isinstance(node, Call)]
        sites = [s for call in calls for s in self.program.calls.at(function, call.id)]
        if len(calls) != 1 or len(sites) != 1 or not all(isinstance(node, (Call, Access)) for node in loop.body):
            return
        site, callee = sites[0], sites[0].callee
        varies = site.receiver is not None and (ELEMENT in site.receiver or site.receiver[0].startswith(("l:", "c:")))
        if site.weak or varies or callee.ir.decorators or callee.ir.is_async or callee.ir.is_generator:
            return
        found = self._section(callee.ir.body, self._taken(callee), callee)
        if found is not None and not _waits(found[2]):
            yield HotLoop(function, loop, found[0], found[1], turns, site)

    def _section(
        self, body: tuple[AnyNode, ...], taken: dict[int, tuple[Lock, With | Call]], function: FunctionInfo
    ) -> tuple[Lock, With | Call, tuple[AnyNode, ...]] | None:
        """The one critical section of the body, if nothing but cheap steps stands outside of it."""
        starts = [
            (i, taken[node.id]) for i, node in enumerate(body) if isinstance(node, (With, Call)) and node.id in taken
        ]
        if len(starts) != 1:
            return None
        start, (lock, node) = starts[0]
        inside, end = self._covered(body, start, node)
        outside = (*body[:start], *body[end:])
        if end == 0 or not all(self._is_cheap(entry, function) for entry in outside):
            return None
        if self._varies(node, lock) or not all(self._is_short(entry, function) for entry in inside):
            return None
        return lock, node, inside

    @staticmethod
    def _covered(body: tuple[AnyNode, ...], start: int, node: With | Call) -> tuple[tuple[AnyNode, ...], int]:
        """What the lock covers and where that ends in `body`; 0 where the release is not in sight."""
        if isinstance(node, With):
            return node.body, start + 1
        path = node.func[0][:-1]
        for index in range(start + 1, len(body)):
            entry = body[index]
            if isinstance(entry, Call) and entry.func and entry.func[0][-1] in RELEASES and entry.func[0][:-1] == path:
                return body[start + 1 : index], index + 1
            if isinstance(entry, Try) and any(
                isinstance(last, Call) and last.func and last.func[0][:-1] == path for last in entry.final
            ):
                return (*body[start + 1 : index], *entry.body), index + 1
        return (), 0

    @staticmethod
    def _varies(node: With | Call, lock: Lock) -> bool:
        """A lock that may be another one at each turn."""
        path = node.item.value[0] if isinstance(node, With) else node.func[0][:-1]
        return lock.keyed or ELEMENT in path or path[0].startswith(("l:", "c:"))

    def _is_cheap(self, node: AnyNode, function: FunctionInfo) -> bool:
        if isinstance(node, Call):
            return self._is_cheap_call(node, function)
        return isinstance(node, Access)

    def _is_cheap_call(self, call: Call, function: FunctionInfo) -> bool:
        for path in call.func[:1]:
            for thing in self.program.types.of(path, function):
                if isinstance(thing, Member) and (thing.dotted in QUEUES or thing.name in _SIGNALS):
                    return thing.name in _SIGNALS
        callees = [site.callee for site in self.program.calls.outgoing[function.id] if site.event == call.id]
        if any(self.computing.has_work(callee) for callee in callees):
            return False
        return self.computing.is_pure_call(call, function)

    def _is_short(self, node: AnyNode, function: FunctionInfo) -> bool:
        """Cheap steps; what stands in a branch is the exception; a loop only to wait."""
        if isinstance(node, Branch):
            return not any(isinstance(inner, (Return, Jump, With, Suspend)) for inner in nodes_of((node,)))
        if isinstance(node, Loop):
            calls = [inner for inner in nodes_of(node.body) if isinstance(inner, Call)]
            return node.kind == "while" and bool(calls) and all(call.func[0][-1] in _SIGNALS for call in calls)
        return isinstance(node, Raise) or self._is_cheap(node, function)

    def _is_hot(self, loop: Loop, found: tuple[Lock, With | Call, tuple[AnyNode, ...]], function: FunctionInfo) -> bool:
        turns = number(self.program, loop.turns, function)
        if turns is not None:
            return turns >= MANY_TURNS
        if _waits(found[2]):
            return False
        if loop.kind == "while":
            return not loop.deps and loop.call < 0
        return loop.counted or self._is_in_memory(loop, function)

    def _keepers(self, container: Path, function: FunctionInfo) -> list[Object]:
        """What has something unknown as an attribute: the pipes of a process are no containers."""
        keepers = self.program.types.of(container[:-1], function) if len(container) > 1 else ()
        return [thing for thing in keepers if isinstance(thing, Object)]

    def _is_in_memory(self, loop: Loop, function: FunctionInfo) -> bool:
        """Not a file, a socket or a generator, whose steps cost more than the lock."""
        for path in loop.iterates:
            container = path[:-1] if path[-1] == ELEMENT else path
            if container[0].startswith(("c:", "v:")):
                return False
            things = [thing for thing in self.program.types.of(container, function) if isinstance(thing, Object)]
            things = things or self._keepers(container, function)
            if any(not thing.dotted.startswith(("builtins.", "collections.")) for thing in things):
                return False
            if any(thing.dotted == "builtins.generator" for thing in things):
                return False
        return bool(loop.iterates)


def _waits(section: tuple[AnyNode, ...]) -> bool:
    calls = (node for node in nodes_of(section) if isinstance(node, Call) and node.func)
    return any(call.func[0][-1] in ("wait", "wait_for") for call in calls)
