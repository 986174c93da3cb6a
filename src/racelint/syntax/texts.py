"""The text of simple expressions, for comparing keys and conditions."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst


def key_text(node: cst.CSTNode | Sequence[cst.SubscriptElement]) -> str:
    """The text of a name, constant, dotted name or tuple of them; empty for what two evaluations may tell apart."""
    if isinstance(node, cst.CSTNode):
        return _text(node)
    parts = [_text(element.slice.value) if isinstance(element.slice, cst.Index) else "" for element in node]
    return ",".join(parts) if all(parts) else ""


def _text(node: cst.CSTNode) -> str:
    if isinstance(node, (cst.Name, cst.Integer, cst.Float, cst.SimpleString)):
        return node.value
    if isinstance(node, cst.Attribute):
        base = _text(node.value)
        return f"{base}.{node.attr.value}" if base else ""
    if isinstance(node, cst.Tuple):
        parts = [_text(element.value) for element in node.elements]
        return ",".join(parts) if parts and all(parts) else ""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        inner = _text(node.expression)
        return f"-{inner}" if inner else ""
    return ""
