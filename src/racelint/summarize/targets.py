"""Assignment targets to write events."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from racelint.model.summary import ELEMENT, WHOLE, Path
from racelint.summarize.body import Body
from racelint.summarize.dispatch import lower
from racelint.summarize.environment import Operand, extended, is_constant
from racelint.summarize.expressions import subscripts
from racelint.syntax.texts import key_text


def store(body: Body, target: ast.expr, operand: Operand) -> None:
    """Bind a target: a name, attribute, subscript, or a tuple of targets."""
    if isinstance(target, ast.Name):
        body.store_name(target.id, body.span(target), operand)
    elif isinstance(target, (ast.Attribute, ast.Subscript)):
        base, field, key = _place(body, target)
        span = body.span(target)
        for path in extended(base, field)[:2]:
            body.write(path, span, operand, key=key)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _store_elements(body, target.elts, operand)
    elif isinstance(target, ast.Starred):
        store(body, target.value, operand)


def store_unpacked(body: Body, targets: ast.Tuple | ast.List, operands: Sequence[Operand]) -> None:
    """`a, b = x, y`: element by element, names first, since what they get was read before anything is replaced."""
    pairs = zip(targets.elts, operands, strict=True)
    for element, operand in sorted(pairs, key=lambda pair: not isinstance(pair[0], ast.Name)):
        store(body, element, operand)


def _store_elements(body: Body, elements: Sequence[ast.expr], operand: Operand) -> None:
    part = tuple((*path, ELEMENT) for path in operand.value if len(path) <= 5 and not is_constant(path))
    for element in elements:
        inner = element.value if isinstance(element, ast.Starred) else element
        store(body, inner, Operand(part, operand.deps))


def _place(body: Body, target: ast.Attribute | ast.Subscript) -> tuple[Operand, str, str]:
    base = lower(body, target.value)
    if isinstance(target, ast.Attribute):
        return base, target.attr, ""
    for element in subscripts(target):
        lower(body, element)
    return base, ELEMENT, WHOLE if _is_whole(target.slice) else key_text(target.slice)


def _is_whole(index: ast.expr) -> bool:
    """`[:]`."""
    return isinstance(index, ast.Slice) and index.lower is None and index.upper is None and index.step is None


def update(body: Body, node: ast.AugAssign) -> None:
    """`target op= value`: the target is read, the value computed, the target written."""
    target = node.target
    if isinstance(target, ast.Name):
        before = body.load_name(target.id, target)
        body.store_name(target.id, body.span(target), _combined(before.deps, lower(body, node.value)), augmented=True)
        return
    base, field, key = _place(body, target)
    span = body.span(target)
    paths: tuple[Path, ...] = extended(base, field)[:2]
    reads = [body.access("read", path, span, key=key) for path in paths]
    combined = _combined(reads, lower(body, node.value))
    for path in paths:
        body.write(path, span, combined, key=key, augmented=True)


def _combined(reads: Sequence[int], right: Operand) -> Operand:
    """What `target op= right` stores, where `reads` are those of the target."""
    return Operand((), tuple(sorted({*reads, *right.deps})), (*right.parts, *right.value))


def delete(body: Body, target: ast.expr) -> None:
    """`del` of attributes and elements; deleting a local ends its name."""
    if isinstance(target, (ast.Attribute, ast.Subscript)):
        base, field, key = _place(body, target)
        span = body.span(target)
        for path in extended(base, field)[:2]:
            body.access("delete", path, span, key=key)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            delete(body, element)
    elif isinstance(target, ast.Name):
        owner = body.owner_of(target.id)
        if owner is not None and owner.kind == "module":
            body.access("delete", (f"g:{target.id}",), body.span(target))
