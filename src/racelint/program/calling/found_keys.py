"""Elements that are known to be there: `if key in counts: counts[key]`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, repeat

from racelint.model.summary import ELEMENT, Access, AnyNode, Branch, Loop, Path, leaves
from racelint.program.flow.values import blocks_of, nodes_of

Key = tuple[Path, str]
"""The path of elements, and a subscript as it is written."""
Keys = frozenset[Key]
_NONE: Keys = frozenset()


def found_keys(body: Sequence[AnyNode]) -> frozenset[int]:
    """The reads and deletions of elements that an `in` around them, or before them, has found.

    What takes elements out in between by other names is not seen: whoever holds the container's lock rules others out.
    """
    found: set[int] = set()
    _walk(body, _NONE, {}, found)
    return frozenset(found)


def _walk(nodes: Sequence[AnyNode], keys: Keys, tests: dict[int, Key], found: set[int]) -> None:
    for node in nodes:
        if isinstance(node, Access):
            keys = _after(node, keys, tests, found)
            continue
        blocks = blocks_of(node)
        gone = _taken_out(blocks)
        before = keys - gone if isinstance(node, Loop) else keys
        then, orelse = _arms(node, tests) if isinstance(node, Branch) else (_NONE, _NONE)
        for block, known in zip(blocks, chain((then, orelse), repeat(_NONE)), strict=False):
            _walk(block, before | known, tests, found)
        keys -= gone
        if isinstance(node, Branch) and leaves(node.then):
            keys |= orelse


def _after(node: Access, keys: Keys, tests: dict[int, Key], found: set[int]) -> Keys:
    """The keys that are there after an access, which is noted where they say that it finds its element."""
    if node.path[-1] != ELEMENT or not node.key:
        return keys
    key = (node.path, node.key)
    if node.kind == "test":
        tests[node.id] = key
    elif key in keys:
        found.add(node.id)
    return keys - {key} if node.kind == "delete" else keys


def _arms(node: Branch, tests: dict[int, Key]) -> tuple[Keys, Keys]:
    """The keys that are there in `then` and in `orelse`."""
    conditions = node.parts or ((node,) if node.test == "in" else ())
    asked = [(part.negated, dep) for part in conditions if part.test == "in" for dep in part.deps if dep in tests]
    there = frozenset(tests[dep] for negated, dep in asked if not negated)
    missing = frozenset(tests[dep] for negated, dep in asked if negated)
    if node.otherwise:
        return _NONE, there
    return there, _NONE if node.parts else missing


def _taken_out(blocks: Iterable[tuple[AnyNode, ...]]) -> Keys:
    """The keys that some way through the blocks deletes."""
    nodes = (node for block in blocks for node in nodes_of(block))
    return frozenset((node.path, node.key) for node in nodes if isinstance(node, Access) and node.kind == "delete")
