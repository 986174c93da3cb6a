"""Annotations to the classes that they name."""

from __future__ import annotations

import ast

from racelint.knowledge.containers import CONTAINER_ANNOTATIONS
from racelint.model.summary import ELEMENT, Path, Value
from racelint.summarize.body import Body
from racelint.summarize.expressions import subscripts
from racelint.syntax.quick import parse_expression

_MAX_HINTS = 6


def annotation_paths(body: Body, annotation: ast.expr | None) -> Value:
    """The classes that an annotation names (`Optional[X]`, `X | None` and quoted names included).

    What a container holds comes after it, below it: of `list[X]` also `X[*]`.
    """
    if annotation is None:
        return ()
    return tuple(dict.fromkeys(_hinted(body, annotation)))[:_MAX_HINTS]


def _hinted(body: Body, node: ast.expr) -> list[Path]:
    if isinstance(node, ast.Name):
        owner = body.owner_of(node.id)
        holder = body.holder_of(owner) if owner is not None else None
        if owner is not None and owner.kind == "class" and holder is not None:
            return [(f"cls:{holder.qualname}", node.id)]
        return [(f"g:{node.id}",)]
    if isinstance(node, ast.Attribute):
        return [(*path, node.attr) for path in _hinted(body, node.value)]
    if isinstance(node, ast.BinOp):
        return _hinted(body, node.left) + _hinted(body, node.right)
    if isinstance(node, ast.Subscript):
        return _hinted_subscript(body, node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        quoted = parse_expression(node.value)
        return _hinted(body, quoted) if quoted is not None else []
    return []


def _hinted_subscript(body: Body, node: ast.Subscript) -> list[Path]:
    outer = _hinted(body, node.value)
    name = outer[0][-1].removeprefix("g:") if outer else ""
    if name in ("Optional", "Union", "Final", "ClassVar", "Annotated"):
        inner = subscripts(node)
        chosen = inner[:1] if name == "Annotated" else inner
        return [path for part in chosen for path in _hinted(body, part)]
    if name not in CONTAINER_ANNOTATIONS:
        return outer
    held = [part for part in subscripts(node) if not isinstance(part, ast.Constant) or part.value is not Ellipsis]
    return outer + [(*path, ELEMENT) for part in held[-1:] for path in _hinted(body, part)]
