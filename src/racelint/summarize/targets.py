"""Assignment targets to write events."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from racelint.model.summary import ELEMENT, Path
from racelint.summarize.body import Body
from racelint.summarize.environment import Operand, extended, is_constant
from racelint.summarize.expressions import lower
from racelint.syntax.texts import key_text


def store(body: Body, target: cst.CSTNode, operand: Operand) -> None:
    """Bind a target: a name, attribute, subscript, or a tuple of targets."""
    if isinstance(target, cst.Name):
        body.store_name(target, operand)
    elif isinstance(target, (cst.Attribute, cst.Subscript)):
        path_base, field, key = _place(body, target)
        for path in extended(path_base, field)[:2]:
            body.access("write", path, target, deps=operand.deps, value=operand.value, key=key)
    elif isinstance(target, (cst.Tuple, cst.List)):
        _store_elements(body, target.elements, operand)
    elif isinstance(target, cst.StarredElement):
        store(body, target.value, operand)


def store_unpacked(body: Body, targets: cst.Tuple | cst.List, operands: Sequence[Operand]) -> None:
    """`a, b = x, y`: element by element."""
    for element, operand in zip(targets.elements, operands, strict=True):
        store(body, element.value, operand)


def _store_elements(body: Body, elements: Sequence[cst.BaseElement], operand: Operand) -> None:
    part = tuple((*path, ELEMENT) for path in operand.value if len(path) <= 5 and not is_constant(path))
    for element in elements:
        store(body, element.value, Operand(part, operand.deps))


def _place(body: Body, target: cst.Attribute | cst.Subscript) -> tuple[Operand, str, str]:
    base = lower(body, target.value)
    if isinstance(target, cst.Attribute):
        return base, target.attr.value, ""
    for element in target.slice:
        lower(body, element)
    return base, ELEMENT, key_text(target.slice)


def update(body: Body, node: cst.AugAssign) -> None:
    """`target op= value`: the target is read, the value computed, the target written."""
    target = node.target
    if isinstance(target, cst.Name):
        before = body.load_name(target)
        right = lower(body, node.value)
        deps = tuple(sorted({*before.deps, *right.deps}))
        body.store_name(target, Operand((), deps), augmented=True)
        return
    if not isinstance(target, (cst.Attribute, cst.Subscript)):
        return
    base, field, key = _place(body, target)
    paths: tuple[Path, ...] = extended(base, field)[:2]
    reads = [body.access("read", path, target, key=key) for path in paths]
    right = lower(body, node.value)
    deps = tuple(sorted({*reads, *right.deps}))
    for path in paths:
        body.access("write", path, target, deps=deps, key=key, augmented=True)


def delete(body: Body, target: cst.CSTNode) -> None:
    """`del` of attributes and elements; deleting a local ends its name."""
    if isinstance(target, (cst.Attribute, cst.Subscript)):
        base, field, key = _place(body, target)
        for path in extended(base, field)[:2]:
            body.access("delete", path, target, key=key)
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            delete(body, element.value)
    elif isinstance(target, cst.Name):
        owner = body.scope.owner_of(target.value)
        if owner is not None and owner.kind == "module":
            body.access("delete", (f"g:{target.value}",), target)
