"""Where LibCST's nodes stand, in the terms of Python's own tree: lines, and columns in bytes of UTF-8."""

from __future__ import annotations

import ast
from typing import Any

import libcst as cst

from racelint.syntax.positions import Recorder
from racelint.syntax.spans import lines_of


class Places:
    """Puts nodes where those of a LibCST module stand; its first line is line `first` of the file with `text`."""

    def __init__(self, module: cst.Module, text: str, first: int) -> None:
        self._places = Recorder(module).places
        self._lines = None if text.isascii() else lines_of(text)
        self._shift = first - 1

    def put(self, made: Any, node: cst.CSTNode, last: Any = None) -> None:
        """Let `made` stand where `node` does; `last` is its last part where it ends with that."""
        line, column, end_line, end_column = self._places[id(node)]
        made.lineno, made.col_offset = self._offset(line, column)
        if last is None:
            made.end_lineno, made.end_col_offset = self._offset(end_line, end_column)
        else:
            made.end_lineno, made.end_col_offset = last.end_lineno, last.end_col_offset

    @staticmethod
    def span(made: Any, first: Any, last: Any) -> None:
        """Let `made` stand from where one node begins to where another ends."""
        ast.copy_location(made, first)
        made.end_lineno, made.end_col_offset = last.end_lineno, last.end_col_offset

    def _offset(self, line: int, column: int) -> tuple[int, int]:
        line += self._shift
        if self._lines is None:
            return line, column
        return line, len(self._lines[line - 1][:column].encode())
