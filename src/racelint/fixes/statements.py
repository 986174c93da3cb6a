"""Statements as fixes build them: a block under `with`, comments moved to where they still make sense."""

from __future__ import annotations

from collections.abc import Sequence
from keyword import iskeyword

import libcst as cst

from racelint.fixes.expressions import variables_in
from racelint.model.summary import Span
from racelint.syntax.edits import Block, Statement, Tree


def with_block(
    header: cst.BaseExpression,
    body: Sequence[Statement],
    *,
    leading: Sequence[cst.EmptyLine] = (),
    indent: str | None = None,
    asynchronous: bool = False,
    comment: cst.TrailingWhitespace | None = None,
    footer: Sequence[cst.EmptyLine] = (),
) -> cst.With:
    """`with header:` around statements; `leading` are the lines above it, `comment` stands behind its colon."""
    return cst.With(
        items=[cst.WithItem(header)],
        body=cst.IndentedBlock(
            body=list(body), indent=indent, header=comment or cst.TrailingWhitespace(), footer=footer
        ),
        leading_lines=leading,
        asynchronous=cst.Asynchronous() if asynchronous else None,
    )


def wrapped(
    header: cst.BaseExpression, body: Sequence[Statement], indent: str | None, *, asynchronous: bool = False
) -> cst.With:
    """Statements under `with header:`; the comments above the first of them move above it."""
    first, *rest = body
    moved = first.with_changes(leading_lines=())
    return with_block(header, [moved, *rest], leading=first.leading_lines, indent=indent, asynchronous=asynchronous)


def indent_of(block: Block) -> str | None:
    """The indentation of a block where it is not the file's usual one."""
    return block.indent if isinstance(block, cst.IndentedBlock) else None


def line(*small: cst.BaseSmallStatement, leading: Sequence[cst.EmptyLine] = ()) -> cst.SimpleStatementLine:
    """Small statements on a line of their own."""
    return cst.SimpleStatementLine(body=list(small), leading_lines=leading)


def statement(source: str) -> Statement:
    """A statement from its source text."""
    parsed = cst.parse_statement(source)
    assert isinstance(parsed, Statement)
    return parsed


def lone_branch(tree: Tree, test: Span) -> cst.If | None:
    """The `if` of one statement, with no `else`, whose whole test stands at the span."""
    tested = tree.expression_at(test)
    branch = tree.parent(tested) if tested is not None else None
    alone = isinstance(branch, cst.If) and branch.orelse is None and len(branch.body.body) == 1
    return branch if isinstance(branch, cst.If) and alone else None


def alone(node: cst.CSTNode | None) -> cst.BaseSmallStatement | None:
    """The small statement that has its line for itself; None for a line with several, and for a compound one."""
    return node.body[0] if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1 else None


def only_call(node: cst.CSTNode) -> cst.Call | None:
    """The call of a line, or of a statement on a line with others, that is nothing but a call, awaited or not."""
    small = alone(node) or node
    value = small.value if isinstance(small, cst.Expr) else None
    if isinstance(value, cst.Await):
        value = value.expression
    return value if isinstance(value, cst.Call) else None


def comments_in(lines: Sequence[cst.EmptyLine]) -> bool:
    """Whether a comment stands on one of the lines."""
    return any(empty.comment is not None for empty in lines)


def comments_of(entry: Statement) -> list[cst.EmptyLine]:
    """The comments above and behind a statement that goes away, as lines of their own."""
    found = [empty for empty in entry.leading_lines if empty.comment is not None]
    if isinstance(entry, cst.SimpleStatementLine) and entry.trailing_whitespace.comment is not None:
        found.append(cst.EmptyLine(comment=entry.trailing_whitespace.comment))
    return found


def unused_name(tree: Tree, node: cst.CSTNode, wanted: str) -> str:
    """`wanted`, or with a number where the function around `node` (or the module) uses that name for anything."""
    scope = tree.scope(node)
    of_class = isinstance(scope, cst.FunctionDef) and isinstance(tree.scope(scope), cst.ClassDef)
    # the name of a method is none of its own variables
    parts = (scope.params, scope.body) if of_class and isinstance(scope, cst.FunctionDef) else (scope,)
    taken = set().union(*(variables_in(part) for part in parts))
    numbered = (f"{wanted}_{number}" for number in range(2, 1000))
    return next(name for name in (wanted, *numbered) if name not in taken and not iskeyword(name))
