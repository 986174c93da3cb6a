"""A flag made an event: every use of it in the file."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.imports import imported
from racelint.fixes.places import named
from racelint.model.summary import Access
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.syntax.edits import Rewriting


class NotAFlag(Exception):
    """It holds other things than True and False, is used in another file, or in a way that an event has no word for:
    the text says which."""


_OTHER_VALUES = "what the loop looks at does not begin as False, or holds more than True and False"


def make_event(draft: Draft, rewriting: Rewriting, flag: Location, without: cst.CSTNode) -> None:
    """Rewrite all uses but those inside `without`. Raises NotAFlag."""
    tree = rewriting.tree
    for function, access in _uses(draft, flag):
        if tree.text != draft.tree(function.module.source.display).text:
            raise NotAFlag(f"`{flag.attribute}` is used in {function.module.source.display}, too")
        node = tree.expression_at(access.span)
        if node is None:
            raise NotAFlag(_more_than_a_flag(flag, function))
        if without in (node, *tree.ancestors(node)):
            continue
        if access.kind == "write":
            _set(rewriting, node, starts=_is_start(flag, function))
        elif access.kind == "read" and not access.called:
            _ask(rewriting, node)
        else:
            raise NotAFlag(_more_than_a_flag(flag, function))


def _more_than_a_flag(flag: Location, function: FunctionInfo) -> str:
    return f"{named(function)} does more with `{flag.attribute}` than ask it and set it"


def _uses(draft: Draft, flag: Location) -> Iterator[tuple[FunctionInfo, Access]]:
    program = draft.program
    for function in program.index.functions:
        for access in program.stores.facts[function.id].accesses:
            if program.locations.of(access.path, function) == flag:
                yield function, access


def _is_start(flag: Location, function: FunctionInfo) -> bool:
    """Whether the function gives the flag its first value."""
    return function.ir.name == "__init__" if flag.kind == "attribute" else function.ir.kind == "module"


def _ask(rewriting: Rewriting, node: cst.BaseExpression) -> None:
    name = rewriting.tree.spelled(node)
    rewriting.replace(node, lambda updated: expression(f"{name}.is_set()"))


def _set(rewriting: Rewriting, node: cst.BaseExpression, *, starts: bool) -> None:
    """`flag = True` as `flag.set()`, `flag = False` as `flag.clear()`, or as a new event where it `starts`."""
    tree = rewriting.tree
    target = tree.parent(node)
    assign = target if isinstance(target, cst.AnnAssign) else tree.parent(target)
    if isinstance(assign, cst.AnnAssign):
        if assign.target is not node or assign.value is None or not starts:
            raise NotAFlag(_OTHER_VALUES)
    elif not isinstance(target, cst.AssignTarget) or not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
        raise NotAFlag(_OTHER_VALUES)
    value = assign.value.value if isinstance(assign.value, cst.Name) else ""
    if assign.value is None or value not in ("True", "False") or (starts and value == "True"):
        raise NotAFlag(_OTHER_VALUES)
    if starts:
        factory = imported(rewriting, "threading", "Event", node)
        rewriting.replace(assign.value, lambda updated: expression(f"{factory}()"))
        if isinstance(assign, cst.AnnAssign):
            rewriting.replace(assign.annotation.annotation, lambda updated: expression(factory))
        return
    method = "set" if value == "True" else "clear"
    name = tree.spelled(node)
    rewriting.replace(assign, lambda updated: cst.Expr(expression(f"{name}.{method}()")))
