"""Where Python's own parser cannot be relied on: before 3.12 it misplaces what stands inside of f-strings."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator

Definition = tuple[list[ast.stmt], int]
"""A function or method, or a statement outside of them: the list that it stands in, and where in it."""

PLACES_ALL = sys.version_info >= (3, 12)


def misplaced(module: ast.Module, lines: Iterable[int], *, places_all: bool = PLACES_ALL) -> list[Definition]:
    """The definitions that hold `lines` and something that the interpreter's parser puts in the wrong place."""
    if places_all:
        return []
    return [(body, at) for body, at in definitions(module, lines) if _has_fields(body[at])]


def definitions(module: ast.Module, lines: Iterable[int]) -> list[Definition]:
    """The definitions that hold `lines`, each once."""
    found = ((body, at) for line in lines for body, at in _holders(module.body, line))
    return list({id(body[at]): (body, at) for body, at in found}.values())


def first_line(statement: ast.stmt) -> int:
    """Where a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(node.lineno for node in decorators)])


def _holders(body: list[ast.stmt], line: int) -> Iterator[Definition]:
    for position, statement in enumerate(body):
        if first_line(statement) <= line <= (statement.end_lineno or 0):
            inner = list(_holders(statement.body, line)) if isinstance(statement, ast.ClassDef) else []
            yield from inner or [(body, position)]
            return


def _has_fields(statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.FormattedValue) for node in ast.walk(statement))
