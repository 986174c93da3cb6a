"""Positions for the node types that become facts, from one lean code generation pass.

LibCST's PositionProvider costs twice its parse; this state records starts and ends of chosen types and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import libcst as cst
from libcst._nodes.internal import CodegenState

from racelint.model.summary import Span

_COMPOUND = (cst.FunctionDef, cst.ClassDef, cst.Try, cst.TryStar, cst.With, cst.For, cst.While, cst.If, cst.Match)
_SIMPLE = (
    *(cst.Name, cst.Attribute, cst.Subscript, cst.Call, cst.Comparison, cst.BooleanOperation, cst.UnaryOperation),
    *(cst.BinaryOperation, cst.IfExp, cst.Lambda, cst.Await, cst.Yield, cst.NamedExpr, cst.Tuple, cst.List, cst.Dict),
    *(cst.Set, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp, cst.Return, cst.Raise, cst.Break),
    *(
        cst.Continue,
        cst.Integer,
        cst.SimpleString,
        cst.FormattedString,
        cst.ConcatenatedString,
        cst.Float,
        cst.Ellipsis,
    ),
)


class _LeanState(CodegenState):
    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.line = 1
        self.column = 0
        self.spans: dict[int, Span] = {}
        self._open: list[tuple[int, int]] = []
        self._simple = frozenset(_SIMPLE)

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.column += len(token)

    def add_token(self, value: str) -> None:
        breaks = value.count("\n")
        if breaks:
            self.line += breaks
            self.column = len(value) - value.rindex("\n") - 1
        elif "\r" in value:
            self.line += value.count("\r")
            self.column = len(value) - value.rindex("\r") - 1
        else:
            self.column += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        if type(node) in self._simple:
            self._open.append((self.line, self.column + 1))

    def after_codegen(self, node: cst.CSTNode) -> None:
        if type(node) in self._simple:
            line, column = self._open.pop()
            self.spans[id(node)] = (line, column, self.line, self.column + 1)

    @contextmanager
    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Iterator[None]:
        line, column = self.line, self.column + 1
        yield
        if isinstance(node, _COMPOUND):
            self.spans[id(node)] = (line, column, self.line, self.column + 1)


class Positions:
    """The span of every node of the recorded types, its own brackets included; 1, 1, 1, 1 for the rest."""

    def __init__(self, module: cst.Module) -> None:
        state = _LeanState(module)
        module._codegen(state)
        self._spans = state.spans

    def span(self, node: cst.CSTNode) -> Span:
        return self._spans.get(id(node), (1, 1, 1, 1))
