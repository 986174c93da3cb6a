"""Where LibCST's nodes stand, from one lean code generation pass: its PositionProvider costs twice its parse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import libcst as cst
from libcst._nodes.internal import CodegenState

from racelint.model.summary import Span
from racelint.syntax.spans import lines_of

_PLACED = frozenset(
    (
        *(cst.FunctionDef, cst.ClassDef, cst.Try, cst.TryStar, cst.With, cst.For, cst.While, cst.If, cst.Match),
        *(cst.Name, cst.Attribute, cst.Subscript, cst.Call, cst.Comparison, cst.BooleanOperation, cst.UnaryOperation),
        *(cst.BinaryOperation, cst.IfExp, cst.Lambda, cst.Await, cst.Yield, cst.NamedExpr, cst.Tuple, cst.List),
        *(cst.Dict, cst.Set, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp, cst.Return, cst.Raise),
        *(cst.Break, cst.Continue, cst.Integer, cst.SimpleString, cst.FormattedString, cst.ConcatenatedString),
        *(cst.Float, cst.Ellipsis),
    )
)


class Recorder(CodegenState):
    """Notes the line and column of each node's first and last token while the code is written out again.

    Brackets around an expression are not part of it, but those of a tuple or a generator are. Lines count from 1,
    columns from 0.
    """

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.line, self.column = 1, 0
        self.places: dict[int, tuple[int, int, int, int]] = {}
        """By the node's identity: line, column, end line, end column."""
        self._open: list[tuple[int, int]] = []
        module._codegen(self)

    def add_indent_tokens(self) -> None:
        self.column += sum(map(len, self.indent_tokens))

    def add_token(self, value: str) -> None:
        lines = lines_of(value)
        self.line += len(lines) - 1
        self.column = len(lines[-1]) + (self.column if len(lines) == 1 else 0)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._open.append((self.line, self.column))

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self._open.pop()
        if isinstance(node, (cst.Tuple, cst.GeneratorExp)) or id(node) not in self.places:
            self.places[id(node)] = (*start, self.line, self.column)

    @contextmanager
    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Iterator[None]:
        start = self.line, self.column
        yield
        self.places[id(node)] = (*start, self.line, self.column)


class Positions:
    """The span of every node of the types that findings and fixes speak of; 1, 1, 1, 1 for the rest."""

    def __init__(self, module: cst.Module) -> None:
        self._places = Recorder(module).places

    def span(self, node: cst.CSTNode) -> Span:
        if type(node) not in _PLACED or id(node) not in self._places:
            return (1, 1, 1, 1)
        line, column, end_line, end_column = self._places[id(node)]
        return line, column + 1, end_line, end_column + 1
