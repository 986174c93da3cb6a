"""LibCST's tree as the tree that `summarize` reads: the same nodes, placed by LibCST.

LibCST reads the syntax of every Python up to its newest, whatever interpreter runs racelint, and knows where each
token stands, inside f-strings too, which Python's own parser only does from 3.12 on. It is ten times slower.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

import libcst as cst

from racelint.syntax.concrete import expressions, patterns, statements  # noqa: F401  each registers its conversions
from racelint.syntax.concrete.converter import Converter
from racelint.syntax.misplaced import Definition, first_line
from racelint.syntax.source import MAX_NESTING, nesting_depth
from racelint.syntax.spans import lines_of


def tree_of(module: cst.Module, text: str) -> ast.Module:
    """The whole of a LibCST module as Python's own parser would give it, type parameters left out."""
    return ast.Module(Converter(module, text).block(module.body), [])


def reread(definitions: Iterable[Definition], text: str) -> bool:
    """Put LibCST's reading of some definitions in the place of Python's own; whether they differ.

    What LibCST cannot read stays as it is: Python has accepted it.
    """
    source = lines_of(text)
    differ = False
    for body, position in definitions:
        first = first_line(body[position])
        read = _read_alone(source[first - 1 : body[position].end_lineno], text, first)
        if read is not None and _begins_as(read, body[position]):
            differ = differ or not _alike(read, body[position])
            body[position] = read
    return differ


def _read_alone(lines: list[str], text: str, first: int) -> ast.stmt | None:
    indented = lines[0][:1] in (" ", "\t")
    code = "\n".join(["if True:", *lines, ""] if indented else [*lines, ""])
    if nesting_depth(code)[0] > MAX_NESTING:
        return None
    try:
        module = cst.parse_module(code)
        statements = Converter(module, text, first - indented).block(module.body)
    except (cst.ParserSyntaxError, RecursionError, KeyError):
        return None
    if indented:
        (outer,) = statements
        statements = getattr(outer, "body", [])
    return statements[0] if len(statements) == 1 else None


def _alike(left: object, right: object) -> bool:
    """Whether two readings say the same of the same places; the text between the fields of an f-string says nothing."""
    if type(left) is not type(right):
        return False
    if isinstance(left, ast.JoinedStr) and isinstance(right, ast.JoinedStr):
        return _alike(_fields(left), _fields(right))
    if isinstance(left, ast.AST):
        names = [name for name in (*left._fields, *left._attributes) if name != "ctx"]
        return all(_alike(getattr(left, name, None), getattr(right, name, None)) for name in names)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_alike, left, right))
    return left == right


def _fields(string: ast.JoinedStr) -> list[ast.expr | None]:
    fields = [value for value in string.values if isinstance(value, ast.FormattedValue)]
    return [part for field in fields for part in (field.value, field.format_spec)]


def _begins_as(read: ast.stmt, known: ast.stmt) -> bool:
    return type(read) is type(known) and (read.lineno, read.col_offset) == (known.lineno, known.col_offset)
