"""What of a large state tells two outcomes apart: the fields in which they differ, and nothing around them."""

from __future__ import annotations

from collections.abc import Sequence

from .snapshot import Tree


def differing(tree: Tree, others: Sequence[Tree]) -> Tree:
    """The tree with the fields and keys left out that are alike in every other one, at any depth.

    Numbers of objects count only where nothing else differs: each object more that is met shifts all that follow.
    """
    plain = _without_numbers(tree)
    telling = [other for other in others if _without_numbers(other) != plain]
    return _pruned(plain, [_without_numbers(other) for other in telling]) if telling else tree


def _pruned(tree: Tree, others: Sequence[Tree]) -> Tree:
    if tree[0] not in ("object", "dict") or any(other[: len(tree) - 1] != tree[:-1] for other in others):
        return tree
    known = [dict(other[-1]) for other in others]
    kept = []
    for key, value in tree[-1]:
        unlike = [pairs[key] for pairs in known if key in pairs and pairs[key] != value]
        if unlike or any(key not in pairs for pairs in known):
            kept.append((key, _pruned(value, unlike) if unlike else value))
    return (*tree[:-1], tuple(kept))


def _without_numbers(tree: Tree) -> Tree:
    kind = tree[0]
    if kind == "same":
        return ("same", 0)
    if kind in ("list", "set"):
        return (kind, 0, tuple(map(_without_numbers, tree[2])), *tree[3:])
    if kind == "tuple":
        return (kind, tree[1], tuple(map(_without_numbers, tree[2])))
    if kind in ("dict", "object"):
        pairs = tuple((key, _without_numbers(value)) for key, value in tree[-1])
        return (kind, 0, *tree[2:-1], pairs)
    return tree
