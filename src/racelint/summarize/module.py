"""The entry of the layer: bytes in, plain data out."""

from __future__ import annotations

from racelint.model.summary import Function, ModuleSummary
from racelint.summarize.body import Body, ModuleContext
from racelint.summarize.statements import lower_block
from racelint.syntax.comments import directives_of
from racelint.syntax.parse import UnreadableSource, parse
from racelint.syntax.positions import Positions
from racelint.syntax.scopes import ScopeTable


def summarize_source(source: bytes, path: str = "<source>") -> ModuleSummary:
    """Summarise one file. Raises UnreadableSource where it cannot be parsed; never executes anything.

    Deep trees need a deep stack: call it on a thread with a large one (`racelint.engine` does).
    """
    module, text = parse(source)
    try:
        context = ModuleContext(Positions(module), ScopeTable(module))
        body = Body(context, context.scopes.module_scope, "<module>", "module", frozenset())
        lower_block(body, module)
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
        tuple(directives_of(text)),
        lines,
    )
