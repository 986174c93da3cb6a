"""Context managers that take something, hand over to their block, and give it back only where the block does not raise.

The block's exception is raised at the `yield`: what follows it outside of a `try` is skipped. What is taken may be a
lock of any make: `self.acquire()`, `lock.acquire()`, `client.acquire_lock(name)`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import AnyNode, Call, Path, Span, Suspend, Try
from racelint.program.flow.values import blocks_of, nodes_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo


class UnprotectedYield(msgspec.Struct, frozen=True):
    """What `taking` takes, `giving` gives back after the yield at `switch`, unless that raises."""

    function: FunctionInfo
    taking: Call
    switch: Span
    giving: Call


def unprotected_yields(program: Program) -> Iterator[UnprotectedYield]:
    """In source order, one for each context manager."""
    for function in program.index.functions:
        if function.is_contextmanager:
            found = _of(function, program.stores.facts[function.id].calls)
            if found is not None:
                yield found


def _of(function: FunctionInfo, calls: list[Call]) -> UnprotectedYield | None:
    for switch, around in _yields(function.ir.body, ()):
        for taking in calls:
            back = _way_back(taking)
            if not back or taking.span > switch.span:
                continue
            gives = [call for call in calls if back in call.func]
            after = [call for call in gives if call.span > switch.span]
            if after and len(after) == len(gives) and not any(_is_rescued(call, around) for call in after):
                return UnprotectedYield(function, taking, switch.span, after[0])
    return None


def _way_back(call: Call) -> Path:
    """`self.release_lock` for `self.acquire_lock`; empty for a call that takes nothing."""
    path = call.func[0] if call.func else ()
    if not path or "acquire" not in path[-1]:
        return ()
    return (*path[:-1], path[-1].replace("acquire", "release"))


def _yields(block: tuple[AnyNode, ...], around: tuple[Try, ...]) -> Iterator[tuple[Suspend, tuple[Try, ...]]]:
    """Each yield with the `try` statements whose body it stands in."""
    for node in block:
        if isinstance(node, Suspend) and node.kind == "yield":
            yield node, around
        for position, inner in enumerate(blocks_of(node)):
            in_body = isinstance(node, Try) and position == 0
            yield from _yields(inner, (*around, node) if isinstance(node, Try) and in_body else around)


def _is_rescued(call: Call, around: tuple[Try, ...]) -> bool:
    return any(
        inner is call
        for node in around
        for block in (node.final, *(handler.body for handler in node.handlers))
        for inner in nodes_of(block)
    )
