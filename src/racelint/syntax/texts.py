"""The text of simple expressions, for comparing keys and conditions."""

from __future__ import annotations

import ast


def key_text(node: ast.expr) -> str:
    """The text of a name, constant, dotted name or tuple of them; empty for what two evaluations may tell apart."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Constant):
        return constant_text(node)
    if isinstance(node, ast.Attribute):
        base = key_text(node.value)
        return f"{base}.{node.attr}" if base else ""
    if isinstance(node, ast.Tuple):
        parts = [key_text(element) for element in node.elts]
        return ",".join(parts) if parts and all(parts) else ""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = key_text(node.operand)
        return f"-{inner}" if inner else ""
    return ""


def constant_text(node: ast.Constant) -> str:
    """A literal as `repr` spells it, however the source does; empty for `...` and imaginary numbers."""
    return "" if node.value is ... or isinstance(node.value, complex) else repr(node.value)
