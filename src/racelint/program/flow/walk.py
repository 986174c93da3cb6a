"""Where an event stands in the control-flow tree of its function, and what runs after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from racelint.model.summary import Access, AnyNode, Call, Jump, Loop, Raise, Return, Try, With
from racelint.program.flow.values import blocks_of, nodes_of
from racelint.program.names.index import FunctionInfo


class Place(msgspec.Struct, frozen=True):
    """A node that encloses an event; `block` is the list in it that holds the next inner one, at `position`."""

    node: AnyNode | None
    block: tuple[AnyNode, ...]
    position: int


def place_of(function: FunctionInfo, event: int) -> list[Place]:
    """From the function's body to the block that holds the event; empty where it is not found."""
    return _search(None, function.ir.body, event)


def _search(node: AnyNode | None, block: tuple[AnyNode, ...], event: int) -> list[Place]:
    for index, entry in enumerate(block):
        here = entry.id if type(entry) is Access or type(entry) is Call or type(entry) is With else None
        if here == event:
            return [Place(node, block, index)]
        for inner in blocks_of(entry):
            found = _search(entry, inner, event)
            if found:
                return [Place(node, block, index), *found]
    return []


def enclosing(places: list[Place]) -> list[AnyNode]:
    """The compound nodes around an event, outermost first."""
    return [place.node for place in places if place.node is not None]


def following(places: list[Place]) -> Iterator[AnyNode]:
    """What control may come to after the event, in order, each node once.

    A Loop that is come back to is given itself, as the turn that is decided there; what stands behind it follows.
    `continue` and `break` are followed, after a return or raise nothing is given.
    """
    jump = ""
    for place in reversed(places):
        in_body = isinstance(place.node, Loop) and place.block is place.node.body
        if not jump:
            for entry in place.block[place.position + 1 :]:
                yield entry
                if isinstance(entry, (Return, Raise)):
                    return
                if isinstance(entry, Jump):
                    jump = entry.kind
                    break
        if isinstance(place.node, Try) and place.block is not place.node.final:
            yield from place.node.final
        if in_body and isinstance(place.node, Loop):
            if jump != "break":
                yield place.node
                if place.node.infinite:
                    return
            jump = ""


def is_caught(nodes: Iterable[AnyNode], event: int, errors: Collection[str]) -> bool:
    """Whether the event stands in a `try` of which a handler names one of the errors; `""` stands for a bare one."""
    return any(
        isinstance(node, Try)
        and any(name in errors for handler in node.handlers for name in [p[-1] for p in handler.types] or [""])
        and any(isinstance(inner, (Access, Call)) and inner.id == event for inner in nodes_of(node.body))
        for node in nodes
    )


def contains(node: AnyNode, event: int) -> bool:
    """Whether the event stands inside a compound node."""
    return any(isinstance(n, (Access, Call, With)) and n.id == event for n in nodes_of((node,)))


def may_follow(function: FunctionInfo, first: int, last: int) -> bool:
    """Whether control may come from the one event to the other."""
    return any(contains(node, last) for node in following(place_of(function, first)))
