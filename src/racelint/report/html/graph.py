"""A layered drawing of a small directed graph (after Sugiyama, Tagawa and Toda 1981), as coordinates.

Locks point to those taken while they are held. An edge that closes a cycle does not count for the layering, so that
the order runs from left to right and what breaks it is seen to run back. One that passes over a layer has a place of
its own in it, so that it runs between the boxes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

COLUMN, ROW, BOX = 290, 72, (216, 46)
_SWEEPS = 4


class Box(msgspec.Struct, frozen=True):
    """A node; `x` and `y` are the upper left corner of its box, in pixels."""

    name: str
    x: float
    y: float


class Line(msgspec.Struct, frozen=True):
    """An edge as the `d` of an SVG path."""

    first: str
    second: str
    path: str


class Drawing(msgspec.Struct, frozen=True):
    """A picture of `width` by `height` pixels."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw(edges: Iterable[tuple[str, str]]) -> list[Drawing]:
    """A drawing of each connected part of the graph with these edges, by name; the same for the same edges."""
    pairs = sorted(set(edges))
    return [_drawn([pair for pair in pairs if pair[0] in part]) for part in _parts(pairs)]


def on_cycles(edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """The edges of the graph that lie on a cycle of it."""
    pairs = set(edges)
    while True:  # what nothing leads to, or what leads nowhere, is on none
        inner = {first for first, _ in pairs} & {second for _, second in pairs}
        kept = {pair for pair in pairs if inner.issuperset(pair)}
        if kept == pairs:
            break
        pairs = kept
    following: dict[str, set[str]] = {}
    for first, second in pairs:
        following.setdefault(first, set()).add(second)
    return {(first, second) for first, second in pairs if first in _reached(second, following)}


def _parts(pairs: Sequence[tuple[str, str]]) -> list[set[str]]:
    """The nodes of each part that edges, followed either way, hold together."""
    near: dict[str, set[str]] = {}
    for first, second in pairs:
        near.setdefault(first, set()).add(second)
        near.setdefault(second, set()).add(first)
    parts: list[set[str]] = []
    for name in sorted(near):
        if not any(name in part for part in parts):
            parts.append(_reached(name, near))
    return parts


def _drawn(pairs: Sequence[tuple[str, str]]) -> Drawing:
    layers, chains = _layers(pairs)
    places = {
        name: (12.0 + column * COLUMN, 40.0 + row * ROW)
        for column, layer in enumerate(layers)
        for row, name in enumerate(layer)
    }
    depth = max(len(layer) for layer in layers)
    return Drawing(
        width=24.0 + (len(layers) - 1) * COLUMN + BOX[0],
        height=56.0 + (depth - 1) * ROW + BOX[1],
        boxes=tuple(Box(name, *places[name]) for name in sorted({name for pair in pairs for name in pair})),
        lines=tuple(Line(*pair, _along([places[name] for name in chains.get(pair, pair)])) for pair in pairs),
    )


def _layers(edges: Sequence[tuple[str, str]]) -> tuple[list[list[str]], dict[tuple[str, str], list[str]]]:
    """The nodes by longest path from a source, each layer ordered by where its neighbours are.

    With them, for each edge that runs forward, the places that it passes: its two nodes, and one in each layer between.
    """
    names = sorted({name for edge in edges for name in edge})
    forward = _acyclic(edges)
    rank = dict.fromkeys(names, 0)
    for _ in names:
        for first, second in forward:
            rank[second] = max(rank[second], rank[first] + 1)
    layers: list[list[str]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for name in names:
        layers[rank[name]].append(name)
    chains: dict[tuple[str, str], list[str]] = {}
    for first, second in forward:
        between = range(rank[first] + 1, rank[second])
        passed = [f"\0{first}\0{second}\0{column}" for column in between]
        chains[first, second] = [first, *passed, second]
        for column, name in zip(between, passed, strict=True):
            layers[column].append(name)
    links = [*(link for chain in chains.values() for link in pairwise(chain)), *(e for e in edges if e not in chains)]
    for sweep in range(_SWEEPS):
        order = layers if sweep % 2 == 0 else layers[::-1]
        for near, layer in pairwise(order):
            layer.sort(key=_by_neighbours(layer, {name: row for row, name in enumerate(near)}, links).__getitem__)
    return layers, chains


def _acyclic(edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The edges without those that close a cycle of the ones before them."""
    following: dict[str, set[str]] = {}
    kept = []
    for first, second in edges:
        if first not in _reached(second, following):
            following.setdefault(first, set()).add(second)
            kept.append((first, second))
    return kept


def _reached(start: str, following: Mapping[str, set[str]]) -> set[str]:
    found, pending = {start}, [start]
    while pending:
        fresh = following.get(pending.pop(), set()) - found
        found |= fresh
        pending.extend(fresh)
    return found


def _by_neighbours(
    layer: Sequence[str], near: Mapping[str, int], edges: Sequence[tuple[str, str]]
) -> dict[str, tuple[float, int]]:
    """For each node the middle of its neighbours in the layer before, where it has any, and its row."""
    keys = {}
    for row, name in enumerate(layer):
        rows = [near[a if b == name else b] for a, b in edges if name in (a, b) and (a if b == name else b) in near]
        keys[name] = (sum(rows) / len(rows) if rows else float(row), row)
    return keys


def _along(places: Sequence[tuple[float, float]]) -> str:
    """A line from the first place to the last, straight through those between."""
    parts = [_curve(start, end) for start, end in pairwise(places)]
    return " ".join([parts[0], *(f"L{part[1:]}" for part in parts[1:])])


def _curve(start: tuple[float, float], end: tuple[float, float]) -> str:
    """From the right side of a box to the left of one further right, else in a bow over the boxes between."""
    (x1, y1), (x2, y2) = start, end
    width, height = BOX
    if x2 > x1:
        out, into = (x1 + width, y1 + height / 2), (x2 - 2, y2 + height / 2)
        reach = (into[0] - out[0]) / 2
        return _bow(out, (out[0] + reach, out[1]), (into[0] - reach, into[1]), into)
    top = min(y1, y2) - 34
    out, into = (x1 + width * 0.4, y1), (x2 + width * 0.6, y2 - 2)
    return _bow(out, (out[0], top), (into[0], top), into)


def _bow(*points: tuple[float, float]) -> str:
    """A cubic curve from the first point to the last."""
    start, *others = (f"{x:g},{y:g}" for x, y in points)
    return f"M{start} C{' '.join(others)}"
