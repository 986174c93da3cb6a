"""The entry of the layer: bytes in, plain data out."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from racelint.model.summary import Function, ModuleSummary
from racelint.summarize.body import Body, ModuleContext
from racelint.summarize.settled import settled
from racelint.summarize.statements import lower_block
from racelint.syntax.comments import directives_of
from racelint.syntax.docstrings import disclaimers_of
from racelint.syntax.misplaced import misplaced
from racelint.syntax.quick import read
from racelint.syntax.scopes import ScopeTable
from racelint.syntax.source import UnreadableSource
from racelint.syntax.spans import NameSpans, spans_of


def summarize_source(source: bytes, path: str = "<source>") -> ModuleSummary:
    """Summarise one file. Raises UnreadableSource where it cannot be parsed; never executes anything.

    Deep trees need a deep stack: call it on a thread with a large one (`racelint.engine` does).
    """
    return summarize_tree(*read(source, path))


def resummarize(source: bytes, path: str, reported: Sequence[int]) -> ModuleSummary | None:
    """The same with LibCST's reading of what is `misplaced` around lines `reported`; None where that is no other."""
    module, text = read(source, path)
    doubtful = misplaced(module, text, reported)
    if not doubtful:
        return None
    from racelint.syntax.concrete import reread

    return summarize_tree(module, text) if reread(doubtful, text) else None


def summarize_tree(module: ast.Module, text: str) -> ModuleSummary:
    """Summarise a parsed file. Raises UnreadableSource where it nests too deeply."""
    try:
        context = ModuleContext(spans_of(text), NameSpans(text), ScopeTable(module), settled(module))
        body = Body(context, context.scopes.module_scope, "<module>", "module", frozenset())
        lower_block(body, module.body)
    except RecursionError:
        raise UnreadableSource("nested too deeply to analyse") from None
    lines = text.count("\n") + 1
    top = Function(
        "<module>",
        "<module>",
        "module",
        "",
        "",
        (),
        (),
        tuple(body.out),
        (1, 1, lines, 1),
        (1, 1, 1, 1),
        hints=body.hints,
    )
    return ModuleSummary(
        (top, *context.functions),
        tuple(context.classes),
        tuple(context.imports),
        tuple(sorted(context.scopes.module_variables)),
        (*directives_of(text), *disclaimers_of(context.scopes.definitions, text)),
        lines,
    )
