"""Where the nodes of a tree stand, as facts and findings say it: 1-based, in characters, the end exclusive."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from racelint.model.summary import Span

_NAME = re.compile(r"(?:async\b\s*)?(?:def|class)\b[\s\\]*(\w+)")

SpanOf = Callable[[Any], Span]


def spans_of(text: str) -> SpanOf:
    """The function that gives the span of a node of the file with this text.

    Python counts columns in bytes of UTF-8, which is the same as characters in most files and most lines.
    """
    return _ascii_span if text.isascii() else _Wide(text).span


def _ascii_span(node: Any) -> Span:
    return node.lineno, node.col_offset + 1, node.end_lineno, node.end_col_offset + 1


class _Wide:
    """Columns of a file that is not all ASCII."""

    def __init__(self, text: str) -> None:
        self._lines = lines_of(text)

    def span(self, node: Any) -> Span:
        start, end = node.lineno, node.end_lineno
        return start, self._column(start, node.col_offset), end, self._column(end, node.end_col_offset)

    def _column(self, number: int, offset: int) -> int:
        line = self._lines[number - 1]
        return (offset if line.isascii() else len(line.encode()[:offset].decode(errors="replace"))) + 1


def lines_of(text: str) -> list[str]:
    """The lines as Python's parser counts them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


class NameSpans:
    """The spans of the names that `def` and `class` bind, which the tree does not hold."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: list[str] | None = None

    def of(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, span: Span) -> Span:
        """The span of a definition's name, given the definition's; that of its first line's rest for odd layouts."""
        if self._lines is None:
            self._lines = lines_of(self._text)
        line, column = span[:2]
        found = _NAME.match(self._lines[line - 1], column - 1)
        if found is None:
            return line, column, line, len(self._lines[line - 1]) + 1
        return line, found.start(1) + 1, line, found.end(1) + 1
