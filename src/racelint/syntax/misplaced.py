"""Where Python's own parser cannot be relied on: before 3.12 it misplaces what stands inside of f-strings."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from typing import TypeGuard

from racelint.syntax.spans import lines_of

Definition = tuple[list[ast.stmt], int]
"""A function or method, or a statement outside of them: the list that it stands in, and where in it."""

PLACES_ALL = sys.version_info >= (3, 12)


def misplaced(
    module: ast.Module, text: str, lines: Iterable[int], *, places_all: bool = PLACES_ALL
) -> list[Definition]:
    """The definitions that hold `lines` and something that the interpreter's parser may put in the wrong place."""
    if places_all:
        return []
    source = lines_of(text)
    return [(body, at) for body, at in definitions(module, lines) if not _is_placed(body[at], source)]


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


def _is_placed(statement: ast.stmt, source: list[str]) -> bool:
    """Whether every field of an f-string stands where the tree says, as far as can be told at little cost."""
    strings = [node for node in ast.walk(statement) if isinstance(node, ast.JoinedStr)]
    return all(_are_placed([part for part in node.values if _is_field(part)], source) for node in strings)


def _is_field(node: ast.expr) -> TypeGuard[ast.FormattedValue]:
    return isinstance(node, ast.FormattedValue)


def _are_placed(fields: list[ast.FormattedValue], source: list[str]) -> bool:
    """One behind the other, each the very text of its line and next to its brace: then its parts are where it is."""
    end = (0, 0)
    for field in fields:
        value = field.value
        line = source[value.lineno - 1] if value.lineno <= len(source) else ""
        if value.lineno != value.end_lineno or not line.isascii() or (value.lineno, value.col_offset) < end:
            return False
        before = line[: value.col_offset].rstrip(" ")
        if (len(before) - len(before.rstrip("{"))) % 2 == 0 or not _is_text_of(value, line):
            return False
        if any(isinstance(node, ast.FormattedValue) for part in (value, field.format_spec) for node in _walk(part)):
            return False  # strings inside of strings
        end = (value.lineno, value.end_col_offset or 0)
    return True


def _is_text_of(value: ast.expr, line: str) -> bool:
    text = line[value.col_offset : value.end_col_offset]
    if isinstance(value, ast.Name):
        return text == value.id
    try:
        return ast.dump(ast.parse(text, mode="eval").body) == ast.dump(value)
    except (SyntaxError, ValueError):
        return False


def _walk(node: ast.expr | None) -> Iterator[ast.AST]:
    return ast.walk(node) if node is not None else iter(())
