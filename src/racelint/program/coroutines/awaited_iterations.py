"""Containers that a coroutine awaits in the middle of iterating, and that other tasks resize meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import AnyNode, Jump, Loop, Raise, Return, Span
from racelint.program.coroutines.switch_points import span_of_switch
from racelint.program.flow.values import blocks_of, nodes_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.sharing.containers import kind_of, may_resize
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import SharedAccess


class AwaitedIteration(msgspec.Struct, frozen=True):
    """Other tasks run at `switch`, between two turns of the iteration; `change` is what one of them may do there."""

    iteration: SharedAccess
    switch: Span
    change: SharedAccess


class AwaitedIterations:
    """All of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.points = program.switch_points
        self.guards = program.await_guards
        self.tasks = program.tasks

    def found(self) -> Iterator[AwaitedIteration]:
        """In source order."""
        for function in self.program.index.functions:
            if function.ir.is_async and self._is_run_by_tasks(function):
                for access in self.program.shared.of(function):
                    if access.deed == "iterate" and kind_of(access, self.program.types) == "dict":
                        yield from self._broken(access)

    def _is_run_by_tasks(self, function: FunctionInfo) -> bool:
        """By some of several; not by the one alone that the loop is started for."""
        return any(entry.kind != "main" for entry in self.tasks.entries(function))

    def _broken(self, access: SharedAccess) -> Iterator[AwaitedIteration]:
        function = access.function
        if access.location.kind == "attribute" and not self._is_of_shared(access):
            return
        for loop in nodes_of(function.ir.body):
            if isinstance(loop, Loop) and access.path in loop.iterates and not loop.is_async:
                switch = self._switch_in(loop.body, function)
                change = self._change_elsewhere(access) if switch is not None else None
                if switch is not None and change is not None:
                    yield AwaitedIteration(access, switch, change)
                    return

    def _is_of_shared(self, access: SharedAccess) -> bool:
        """Of an object that several tasks are likely to have: the coroutine's own."""
        cls = access.function.cls
        own = len(access.path) == 3 and access.path[0] == f"p:{access.function.self_name}"
        return own and cls is not None and self.tasks.sharing.is_shared(cls)

    def _switch_in(self, block: tuple[AnyNode, ...], function: FunctionInfo) -> Span | None:
        """The first switch point of a loop's body after which the loop goes on."""
        last = block[-1] if block else None
        if isinstance(last, (Return, Raise)) or (isinstance(last, Jump) and last.kind == "break"):
            return None
        for node in block:
            if self.points.lets_run(node, function):
                return span_of_switch(node)
            for inner in blocks_of(node):
                found = self._switch_in(inner, function)
                if found is not None:
                    return found
        return None

    def _change_elsewhere(self, iteration: SharedAccess) -> SharedAccess | None:
        """Another function that resizes the container; locks that both hold, or that may be one, exclude it."""
        if self.guards.span(iteration.function, iteration.event, iteration.event):
            return None
        for access in self.program.shared.at(iteration.location):
            if may_resize(access) and _is_elsewhere(access.function, iteration.function):
                return access
        return None


def _is_elsewhere(function: FunctionInfo, iterating: FunctionInfo) -> bool:
    return function is not iterating and function.ir.kind == "function" and not makes_self(function)
