"""Processes that are waited for before anybody takes what they put into a queue: they cannot end before that."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.processes import PIPED_QUEUES
from racelint.model.summary import Call, Path
from racelint.program.linked.processes import Child, Origin, Origins, closure
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import loops_around
from racelint.program.objects.things import Constant, Object

_PUTS = frozenset({"put", "put_nowait"})
_TAKES = frozenset({"get", "get_nowait"})
_MAX_DEPTH = 4


class UndrainedQueue(msgspec.Struct, frozen=True):
    """`join` waits for the child, which puts at `put` what is taken at `take` alone; `many`: it puts in a loop."""

    child: Child
    home: FunctionInfo
    join: Call
    put: tuple[FunctionInfo, Call]
    take: Call
    many: bool


class UndrainedQueues:
    """All of them, one for each join."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.children = program.children
        self.origins = Origins(program)

    def found(self) -> Iterator[UndrainedQueue]:
        """In the order of the children."""
        seen: set[tuple[str, int]] = set()
        for child in self.children:
            for function, event in child.root.joins:
                join = self.program.stores.facts[function.id].call(event)
                if join is None or join.args or (function.id, event) in seen:
                    continue
                found = self._at(join, function, child)
                if found is not None:
                    seen.add((function.id, event))
                    yield found

    def _at(self, join: Call, home: FunctionInfo, child: Child) -> UndrainedQueue | None:
        takes = list(self._uses(home, _TAKES, None))
        for function in child.functions.values():
            for origin, put in self._uses(function, _PUTS, child):
                mine = [take for place, take in takes if place == origin]
                if not mine or self._is_taken_elsewhere(origin, home) or self._is_let_go(origin):
                    continue
                many = put.id in loops_around(function)
                if all(take.id > join.id for take in mine) and (many or not _is_small(put)):
                    return UndrainedQueue(child, home, join, (function, put), mine[0], many)
        return None

    def _uses(
        self, function: FunctionInfo, names: frozenset[str], child: Child | None
    ) -> Iterator[tuple[Origin, Call]]:
        """Calls of methods of queues between processes, by what queue it is; without `child` those it leads to."""
        for path, place, call in self._calls(function, names, _MAX_DEPTH if child is not None else 0):
            if self._is_queue(path, place):
                for origin in sorted(self.origins.of(path, place, child)):
                    yield origin, call

    def _calls(
        self, function: FunctionInfo, names: frozenset[str], depth: int
    ) -> Iterator[tuple[Path, FunctionInfo, Call]]:
        """The receiver's path, where that path is meant, and the call here that makes or leads to the one meant."""
        facts = self.program.stores.facts[function.id]
        for call in facts.calls:
            for path in call.func[:1]:
                if len(path) > 1 and path[-1] in names:
                    yield path[:-1], function, call
        for site in self.program.calls.outgoing[function.id] if depth < _MAX_DEPTH else ():
            made = facts.call(site.event)
            if site.weak or made is None or site.callee is function:
                continue
            for path, place, _ in self._calls(site.callee, names, depth + 1):
                passed = site.bindings.get(path[0].removeprefix("p:")) if place is site.callee else None
                for given in passed or ():
                    yield (*given, *path[1:]), function, made
                if passed is None:
                    yield path, place, made

    def _is_queue(self, path: Path, function: FunctionInfo) -> bool:
        things = [t for t in self.program.types.of(path, function) if not isinstance(t, Constant)]
        return bool(things) and all(isinstance(t, Object) and t.dotted in PIPED_QUEUES for t in things)

    def _is_taken_elsewhere(self, origin: Origin, home: FunctionInfo) -> bool:
        """A thread or another process takes from it as well."""
        for root in self.program.roots:
            child = next((one for one in self.children if one.root is root), None)
            functions = child.functions if child is not None else closure(self.program, [root.target])
            if home.id not in functions:
                for function in functions.values():
                    if any(place == origin for place, _ in self._uses(function, _TAKES, child or Child(root))):
                        return True
        return False

    def _is_let_go(self, origin: Origin) -> bool:
        """`cancel_join_thread` has the child end without writing what is left."""
        letting = frozenset({"cancel_join_thread"})
        return any(
            place == origin
            for function in self.program.index.functions
            for child in (None, *self.children)
            if child is None or function.id in child.functions
            for place, _ in self._uses(function, letting, child)
        )


def _is_small(put: Call) -> bool:
    """A constant, or nothing but a few of them: that fits into any pipe."""
    values = [path for argument in put.args[:1] for path in argument.value]
    return bool(values) and all(path[0].startswith("k:") for path in values)
