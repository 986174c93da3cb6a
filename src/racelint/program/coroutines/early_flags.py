"""Flags that say too early that something is done: set under a lock, before the awaited work, and believed outside it.

`if self.fresh:` / `async with lock:` / `if self.fresh:` / `self.fresh = False` / `await work()`: who comes meanwhile
does not wait for the lock, since the flag says that there is nothing to wait for.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.coroutines import ENDINGS
from racelint.model.summary import AnyNode, Loop, Span, Suspend, With
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import Place, place_of
from racelint.program.linked.double_checks import double_checks
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.sharing.compounds import Compound


class EarlyFlag(msgspec.Struct, frozen=True):
    """`outer` checks the flag without the lock; its act sets it, and then other tasks run at `switch`."""

    outer: Compound
    switch: Span


class EarlyFlags:
    """All such flags of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.points = program.switch_points

    def found(self) -> Iterator[EarlyFlag]:
        """In source order."""
        for function in self.program.index.functions:
            if function.ir.is_async and function.ir.name not in ENDINGS:
                yield from self._of(function)

    def _of(self, function: FunctionInfo) -> Iterator[EarlyFlag]:
        for compound in double_checks(self.program, function):
            act = compound.act
            constant = bool(act.value) and all(path[0] in ("k:True", "k:False") for path in act.value)
            switch = self._switch_after(function, act.event) if constant else None
            if switch is not None:
                yield EarlyFlag(compound, switch)

    def _switch_after(self, function: FunctionInfo, event: int) -> Span | None:
        """The first switch point that follows in the block of the innermost `with`, handlers left out."""
        for place in reversed(place_of(function, event)):
            for node in self._rest(place):
                for inner in nodes_of((node,)):
                    if self.points.lets_run(inner, function) and isinstance(inner, (Suspend, Loop, With)):
                        return inner.item.span if isinstance(inner, With) else inner.span
            if isinstance(place.node, With):
                return None
        return None

    @staticmethod
    def _rest(place: Place) -> tuple[AnyNode, ...]:
        return place.block[place.position + 1 :]
