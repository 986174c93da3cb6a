"""Double-checked locking that publishes too early: who checks without the lock finds the object half made.

`if self.table is None:` / `with self.lock:` / `if self.table is None:` / `self.table = {}` / `self.table[n] = …`; or a
flag that says that something is there, set before that is stored.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.containers import MUTATING_METHODS
from racelint.model.summary import Access, AnyNode, Call, Path, Span, With
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import place_of
from racelint.program.linked.double_checks import double_checks
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.sharing.compounds import Compound


class EarlyPublication(msgspec.Struct, frozen=True):
    """`check` decides without the lock; its act publishes, and what it stands for is completed at `later`."""

    function: FunctionInfo
    check: Compound
    later: Span


def early_publications(program: Program) -> Iterator[EarlyPublication]:
    """In source order."""
    for function in program.index.functions:
        if not function.ir.is_async:
            for check in double_checks(program, function):
                if all(hold.lock.opaque for hold in program.flows.of(function).at(check.act.event).must):
                    continue
                later = _completed_after(program, check, function)
                if later is not None:
                    yield EarlyPublication(function, check, later)


def _completed_after(program: Program, check: Compound, function: FunctionInfo) -> Span | None:
    """Where, still under the lock, the object is filled or what the flag stands for is stored."""
    written = program.stores.facts[function.id].events.get(check.act.event)
    if not isinstance(written, Access) or written.kind != "write":
        return None
    flag = written.value == (("k:True",),)
    told = _read_outside(program, check, function) if flag else frozenset()
    for node in _rest_of_with(function, written.id):
        if isinstance(node, Access) and node.kind == "write":
            if (flag and node.path in told) or (not flag and _is_inside(node.path, written.path)):
                return node.span
        elif isinstance(node, Call) and not flag and _fills(node, written.path):
            return node.span
    return None


def _read_outside(program: Program, check: Compound, function: FunctionInfo) -> frozenset[Path]:
    """What the function reads without any lock after the check: what the flag stands for."""
    flow = program.flows.of(function)
    accesses = program.stores.facts[function.id].accesses
    return frozenset(
        access.path
        for access in accesses
        if access.kind == "read" and access.id > check.act.event and not access.called and not flow.at(access.id).must
    )


def _rest_of_with(function: FunctionInfo, event: int) -> Iterator[AnyNode]:
    """What follows in the block of the innermost `with`, without the ways that leave it."""
    for place in reversed(place_of(function, event)):
        yield from nodes_of(place.block[place.position + 1 :])
        if isinstance(place.node, With):
            return


def _is_inside(path: Path, published: Path) -> bool:
    return len(path) == len(published) + 1 and path[: len(published)] == published


def _fills(call: Call, published: Path) -> bool:
    return any(path[:-1] == published and path[-1] in MUTATING_METHODS for path in call.func)
