"""Comments below the last statement of a block that goes away: they stay where they are, as lines of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from racelint.syntax.edits import Statement


class CommentLines(cst.SimpleStatementLine):
    """Lines without code, the leading ones, in the place of a statement. It ends a block, and never is all of one."""

    def _visit_and_replace_children(self, visitor: Any) -> CommentLines:
        return self

    def _codegen_impl(self, state: Any) -> None:
        for empty in self.leading_lines:
            empty._codegen(state)


def freed(block: cst.BaseSuite) -> list[Statement]:
    """The statements of a block without what is around them, and the comments below them."""
    return [*(entry for entry in block.body if isinstance(entry, Statement)), *comments_below(block)]


def comments_below(block: cst.BaseSuite) -> list[Statement]:
    """The comments below the statements of a block, to be put behind others."""
    lines = lines_below(block)
    return [CommentLines(body=(), leading_lines=lines)] if lines else []


def lines_below(block: cst.BaseSuite) -> Sequence[cst.EmptyLine]:
    """The same as lines; the blank ones around them are dropped."""
    lines: Sequence[cst.EmptyLine] = block.footer if isinstance(block, cst.IndentedBlock) else ()
    places = [place for place, empty in enumerate(lines) if empty.comment is not None]
    return lines[places[0] : places[-1] + 1] if places else ()
