"""Generators that hand out a value, and wait to be asked for the next, with a lock held."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Loop, Span, Suspend
from racelint.program.flow.values import event_span, nodes_of
from racelint.program.linker import Program
from racelint.program.locking.lock_state import Hold
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo

_PLAIN_DECORATORS = frozenset({"staticmethod", "classmethod", "property", "override", "abstractmethod", "final"})
_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})


class HeldYield(msgspec.Struct, frozen=True):
    """`lock`, taken at `taken`, is held at the first of its yields."""

    function: FunctionInfo
    lock: Lock
    taken: Span
    switch: Suspend


def held_yields(program: Program) -> Iterator[HeldYield]:
    """In source order, the first yield of each critical section."""
    managers = _made_managers(program)
    for function in program.index.functions:
        if function.ir.is_generator and _is_iterated(function) and function.id not in managers:
            seen: set[tuple[Lock, int]] = set()
            for number, node in enumerate(program.stores.facts[function.id].yields):
                for hold in program.flows.of(function).at(-1 - number).must:
                    if (hold.lock, hold.region) not in seen and _is_kept(hold):
                        seen.add((hold.lock, hold.region))
                        yield HeldYield(function, hold.lock, event_span(function, hold.region), node)


def _is_iterated(function: FunctionInfo) -> bool:
    """No context manager, fixture or dependency, which hold a lock around somebody's block on purpose."""
    names = {path[-1].rpartition(":")[2] for decorator in function.ir.decorators for path in decorator.value}
    if not names <= _PLAIN_DECORATORS or (function.ir.decorators and not names):
        return False
    nodes = [node for node in nodes_of(function.ir.body) if isinstance(node, Suspend) and node.kind == "yield"]
    looped = any(isinstance(loop, Loop) and _yields(loop) for loop in nodes_of(function.ir.body))
    return looped or len(nodes) > 1 or function.ir.name in ("__iter__", "__aiter__")


def _yields(loop: Loop) -> bool:
    return any(isinstance(node, Suspend) and node.kind == "yield" for node in nodes_of(loop.body))


def _made_managers(program: Program) -> set[str]:
    """Generators that are given to `contextmanager(…)` by hand."""
    found: set[str] = set()
    for named in program.callees.named(_MANAGERS):
        for argument in named.call.args:
            entities = (program.index.entity_of(named.function.module, path) for path in argument.value)
            found.update(entity.id for entity in entities if isinstance(entity, FunctionInfo))
    return found


def _is_kept(hold: Hold) -> bool:
    """A lock that others wait for; a semaphore counts holders, a lock between processes is made for long work."""
    facts = hold.lock.facts
    return facts is not None and facts.family != "semaphore" and facts.world != "process"
