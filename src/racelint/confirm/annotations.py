"""An expression for an annotation: tables for the ordinary types, the builder for the project's own."""

from __future__ import annotations

import ast
from collections.abc import Callable

from racelint.confirm.outline import ClassOutline, ModuleOutline, last_name
from racelint.confirm.project import Project
from racelint.confirm.vocabulary import BY_TYPE, CONTAINERS, TRANSPARENT

DEPTH = 6
"""Nested type arguments and aliases followed."""

MakeInstance = Callable[[ModuleOutline, ClassOutline], str]
Reference = Callable[[ModuleOutline, str], str]


class AnnotationReader:
    """Reads annotations of one project; `make` builds project classes, `refer` names them in a fragment.

    `make` raises to say that a class cannot be built, and that goes through to the caller.
    """

    def __init__(self, project: Project, make: MakeInstance, refer: Reference) -> None:
        self.project = project
        self.make = make
        self.refer = refer

    def expression(self, node: ast.expr, module: ModuleOutline, depth: int = 0) -> str | None:
        """The text of a value of this type, None where the annotation does not tell."""
        if depth > DEPTH:
            return None
        if isinstance(node, ast.Constant):
            return self._constant(node, module, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._first([node.left, node.right], module, depth)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, module, depth)
        name = last_name(node)
        if name in ("Callable", "LambdaType", "FunctionType"):
            return "lambda *args, **kwargs: 1"
        own = self.project.find_class(module, ast.unparse(node)) if name else None
        if own is not None:
            return self.make(*own)
        if name in CONTAINERS:
            return CONTAINERS[name].format("1" if "ict" not in name and "apping" not in name else "'key'", "1")
        if name in ("tuple", "Tuple"):
            return "(1, 1)"
        if name in BY_TYPE:
            return BY_TYPE[name]
        return self._alias(name, module, depth)

    def project_class(self, node: ast.expr | None, module: ModuleOutline) -> ClassOutline | None:
        """The project class that the annotation names, through Optional, strings and unions."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.project_class(_parsed(node.value), module)
        if isinstance(node, ast.BinOp):
            return self.project_class(node.left, module) or self.project_class(node.right, module)
        if isinstance(node, ast.Subscript) and last_name(node) in ("Optional", "Union", *TRANSPARENT):
            return next((c for c in (self.project_class(a, module) for a in _arguments(node)) if c), None)
        if node is None or not last_name(node):
            return None
        found = self.project.find_class(module, ast.unparse(node))
        return found[1] if found else None

    def _constant(self, node: ast.Constant, module: ModuleOutline, depth: int) -> str | None:
        if isinstance(node.value, str):
            parsed = _parsed(node.value)
            return self.expression(parsed, module, depth + 1) if parsed is not None else None
        return "None" if node.value is None else None

    def _first(self, nodes: list[ast.expr], module: ModuleOutline, depth: int) -> str | None:
        """The first alternative that tells a value, None itself last."""
        types = [node for node in nodes if not _is_none(node)]
        found = (self.expression(node, module, depth + 1) for node in types)
        known = next((expression for expression in found if expression is not None), None)
        if known is not None or len(types) == len(nodes):
            return known
        return drawn(types[0], module, "None") if types else "None"

    def _subscript(self, node: ast.Subscript, module: ModuleOutline, depth: int) -> str | None:
        name, arguments = last_name(node), _arguments(node)
        if name in ("Optional", "Union"):
            optional = [ast.Constant(None)] if name == "Optional" else []
            return self._first([*arguments, *optional], module, depth)
        if name == "Literal":
            return ast.unparse(arguments[0])
        if name in TRANSPARENT:
            return self.expression(arguments[0], module, depth + 1)
        if name == "Callable":
            value = self.expression(arguments[-1], module, depth + 1) if len(arguments) == 2 else None
            return f"lambda *args, **kwargs: {value or '1'}"
        if name in ("type", "Type"):
            found = self.project.resolve(module, ast.unparse(arguments[0]))
            return self.refer(*found) if found else ast.unparse(arguments[0])
        if name in ("tuple", "Tuple"):
            return self._tuple(arguments, module, depth)
        if name in CONTAINERS:
            values = [self._element(argument, module, depth) for argument in arguments]
            return CONTAINERS[name].format(*values, *["1"] * (2 - len(values)))
        return self.expression(node.value, module, depth + 1)

    def _tuple(self, arguments: list[ast.expr], module: ModuleOutline, depth: int) -> str:
        if arguments and isinstance(arguments[-1], ast.Constant) and arguments[-1].value is Ellipsis:
            arguments = [arguments[0], arguments[0]]
        values = [self._element(argument, module, depth) for argument in arguments]
        return f"({', '.join(values)},)" if values else "()"

    def _element(self, node: ast.expr, module: ModuleOutline, depth: int) -> str:
        return self.expression(node, module, depth + 1) or drawn(node, module, "1")

    def _alias(self, name: str, module: ModuleOutline, depth: int) -> str | None:
        """`Key = str`, `UserId = NewType("UserId", int)`, `T = TypeVar("T", bound=int)`, here or in another file."""
        found = self.project.resolve(module, name) if name else None
        value = found[0].constants.get(found[1]) if found else None
        if found is None or value is None:
            return None
        if not isinstance(value, ast.Call):
            return self.expression(value, found[0], depth + 1)
        called = last_name(value.func)
        if called == "NewType" and len(value.args) == 2:
            return self.expression(value.args[1], found[0], depth + 1)
        if called == "TypeVar":
            bounds = [keyword.value for keyword in value.keywords if keyword.arg == "bound"] or value.args[1:2]
            return self.expression(bounds[0], found[0], depth + 1) if bounds else "1"
        return None


def drawn(annotation: ast.expr, module: ModuleOutline, otherwise: str) -> str:
    """The text that lets the agent ask hypothesis for a value of a type that is not known here."""
    text = annotation.value if isinstance(annotation, ast.Constant) else ast.unparse(annotation)
    return f"drawn({text!r}, {module.name!r}, {otherwise})" if isinstance(text, str) else otherwise


def _arguments(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None
