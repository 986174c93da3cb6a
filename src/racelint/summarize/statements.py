"""Statements to the nodes of a control-flow tree. One function a node type, found by a dispatch table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from racelint.model.summary import (
    AnyNode,
    Branch,
    Handler,
    Jump,
    Loop,
    Path,
    Raise,
    Return,
    Try,
    Value,
    With,
    WithItem,
    leaves,
)
from racelint.summarize.body import Body
from racelint.summarize.conditions import condition_of
from racelint.summarize.definitions import define_class, define_function, import_names
from racelint.summarize.environment import NOTHING, Operand
from racelint.summarize.expressions import branch, is_range, iterated, lower, lower_statement_call
from racelint.summarize.numbers import turns_of
from racelint.summarize.targets import delete, store, store_unpacked, update
from racelint.syntax.scopes import child_nodes


def lower_block(body: Body, node: cst.BaseSuite | cst.Module) -> None:
    """Append the nodes of a suite."""
    for statement in node.body:
        lower_statement(body, statement)


def lower_statement(body: Body, node: cst.CSTNode) -> None:
    if isinstance(node, cst.SimpleStatementLine):
        for small in node.body:
            lower_statement(body, small)
        return
    handler = _STATEMENTS.get(type(node))
    if handler is not None:
        handler(body, node)


def _expression(body: Body, node: cst.Expr) -> None:
    lower_statement_call(body, node.value)


def _assign(body: Body, node: cst.Assign) -> None:
    first = node.targets[0].target
    values = node.value
    if _is_thrown_away(body, node):
        lower_statement_call(body, values)
        return
    if (
        len(node.targets) == 1
        and isinstance(first, (cst.Tuple, cst.List))
        and isinstance(values, cst.Tuple)
        and len(first.elements) == len(values.elements)
        and not any(isinstance(e, cst.StarredElement) for e in (*first.elements, *values.elements))
    ):
        store_unpacked(body, first, [lower(body, element.value) for element in values.elements])
        return
    operand = lower(body, values)
    for target in node.targets:
        store(body, target.target, operand)


def _is_thrown_away(body: Body, node: cst.Assign) -> bool:
    """`_ = call()` in a function."""
    first = node.targets[0].target
    named = len(node.targets) == 1 and isinstance(first, cst.Name) and first.value == "_"
    return named and body.kind == "function" and isinstance(node.value, cst.Call)


def _annotated(body: Body, node: cst.AnnAssign) -> None:
    hint = annotation_paths(body, node.annotation)
    if hint:
        if isinstance(node.target, cst.Name):
            body.hints[node.target.value] = hint
        elif isinstance(node.target, cst.Attribute) and isinstance(node.target.value, cst.Name):
            body.hints[f"{node.target.value.value}.{node.target.attr.value}"] = hint
    if node.value is not None:
        store(body, node.target, lower(body, node.value))


def annotation_paths(body: Body, annotation: cst.Annotation | None) -> Value:
    """The classes that an annotation names (`Optional[X]`, `X | None` and quoted names included)."""
    if annotation is None:
        return ()
    with body.block():
        number = body._next
        found = _hinted(body, annotation.annotation)
        body._next = number
    return tuple(dict.fromkeys(found))[:4]


def _hinted(body: Body, node: cst.BaseExpression) -> list[Path]:
    if isinstance(node, cst.SimpleString):
        try:
            return _hinted(body, cst.parse_expression(node.raw_value))
        except cst.ParserSyntaxError:
            return []
    if isinstance(node, cst.Name):
        if node.value == "None":
            return []
        owner = body.scope.owner_of(node.value)
        holder = body.enclosing.get(id(owner)) if owner is not None else None
        if owner is not None and owner.kind == "class" and holder is not None:
            return [(f"cls:{holder.qualname}", node.value)]
        return [(f"g:{node.value}",)]
    if isinstance(node, cst.Attribute):
        return [(*path, node.attr.value) for path in _hinted(body, node.value)]
    if isinstance(node, cst.BinaryOperation):
        return _hinted(body, node.left) + _hinted(body, node.right)
    if isinstance(node, cst.Subscript):
        return _hinted_subscript(body, node)
    return []


def _hinted_subscript(body: Body, node: cst.Subscript) -> list[Path]:
    outer = _hinted(body, node.value)
    name = outer[0][-1].removeprefix("g:") if outer else ""
    inner = [e.slice.value for e in node.slice if isinstance(e.slice, cst.Index)]
    if name in ("Optional", "Union", "Final", "ClassVar", "Annotated"):
        chosen = inner[:1] if name == "Annotated" else inner
        return [path for part in chosen for path in _hinted(body, part)]
    return outer


def _augmented(body: Body, node: cst.AugAssign) -> None:
    update(body, node)


def _delete(body: Body, node: cst.Del) -> None:
    delete(body, node.target)


def _if(body: Body, node: cst.If) -> None:
    test = lower(body, node.test)
    condition = condition_of(body, node.test, test)
    before = body.environment.snapshot()
    with body.block() as then:
        lower_block(body, node.body)
    after_then = body.environment.snapshot()
    body.environment.restore(before)
    with body.block() as orelse:
        if isinstance(node.orelse, cst.If):
            _if(body, node.orelse)
        elif node.orelse is not None:
            lower_block(body, node.orelse.body)
    if leaves(then):
        pass
    elif leaves(orelse):
        body.environment.restore(after_then)
    else:
        body.environment.join(after_then)
    body.out.append(branch(body, node.test, condition, then, orelse))


def _while(body: Body, node: cst.While) -> None:
    body.environment.forget(assigned_names(node.body))
    with body.block() as head:
        test = lower(body, node.test)
    condition = condition_of(body, node.test, test)
    before = body.environment.snapshot()
    with body.block() as block:
        lower_block(body, node.body)
    body.environment.join(before)
    orelse = _orelse(body, node.orelse)
    body.out.append(
        Loop(
            "while",
            body.span(node.test),
            condition.deps,
            tuple(head),
            tuple(block),
            orelse,
            infinite=condition.constant == "true",
            call=condition.call,
            negated=condition.negated,
        )
    )


def _for(body: Body, node: cst.For) -> None:
    turns = turns_of(body, node.iter)
    element = iterated(body, node.iter)
    body.environment.forget(assigned_names(node.body))
    before = body.environment.snapshot()
    with body.block() as block:
        store(body, node.target, element)
        lower_block(body, node.body)
    body.environment.join(before)
    orelse = _orelse(body, node.orelse)
    body.out.append(
        Loop(
            "for",
            body.span(node.iter),
            element.deps,
            (),
            tuple(block),
            orelse,
            element.value,
            is_async=node.asynchronous is not None,
            counted=is_range(node.iter),
            turns=turns,
        )
    )


def _orelse(body: Body, node: cst.Else | None) -> tuple[AnyNode, ...]:
    if node is None:
        return ()
    with body.block() as block:
        lower_block(body, node.body)
    return tuple(block)


def assigned_names(node: cst.CSTNode) -> set[str]:
    """Names that a block may bind, nested functions and classes left out."""
    found: set[str] = set()
    pending: list[cst.CSTNode] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, (cst.FunctionDef, cst.ClassDef)):
            found.add(current.name.value)
            continue
        if isinstance(current, cst.Lambda):
            continue
        if isinstance(current, (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.For, cst.NamedExpr, cst.CompFor)):
            _target_names(current.target, found)
        elif isinstance(current, cst.AsName):
            _target_names(current.name, found)
        pending.extend(child_nodes(current))
    return found


def _target_names(target: cst.CSTNode, found: set[str]) -> None:
    if isinstance(target, cst.Name):
        found.add(target.value)
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            _target_names(element.value, found)


def _try(body: Body, node: cst.Try | cst.TryStar) -> None:
    before = body.environment.snapshot()
    with body.block() as main:
        lower_block(body, node.body)
    after = body.environment.snapshot()
    handlers = []
    ends = [] if leaves(main) else [after]
    for handler in node.handlers:
        body.environment.restore(before)
        body.environment.join(after)
        with body.block() as block:
            types = lower(body, handler.type).value if handler.type is not None else ()
            if handler.name is not None:
                store(body, handler.name.name, NOTHING)
            lower_block(body, handler.body)
        handlers.append(Handler(types or ((("l:?",),) if handler.type is not None else ()), tuple(block)))
        if not leaves(block):
            ends.append(body.environment.snapshot())
    body.environment.restore(ends[0] if ends else after)
    for end in ends[1:]:
        body.environment.join(end)
    orelse = _orelse(body, node.orelse)
    with body.block() as final:
        if node.finalbody is not None:
            lower_block(body, node.finalbody.body)
    body.out.append(Try(body.span(node), tuple(main), tuple(handlers), orelse, tuple(final)))


def _with(body: Body, node: cst.With) -> None:
    _with_items(body, node, list(node.items))


def _with_items(body: Body, node: cst.With, items: list[cst.WithItem]) -> None:
    if not items:
        lower_block(body, node.body)
        return
    item = items[0]
    operand = lower(body, item.item)
    number = body.number()
    with body.block() as block:
        if item.asname is not None:
            store(body, item.asname.name, Operand(operand.value, (*operand.deps,)))
        _with_items(body, node, items[1:])
    entry = WithItem(operand.value, body.span(item.item))
    body.out.append(With(entry, tuple(block), node.asynchronous is not None, number))


def _return(body: Body, node: cst.Return) -> None:
    operand = lower(body, node.value) if node.value is not None else NOTHING
    body.out.append(Return(body.span(node), operand.value, operand.deps))


def _raise(body: Body, node: cst.Raise) -> None:
    operand = lower(body, node.exc) if node.exc is not None else NOTHING
    body.out.append(Raise(body.span(node), operand.value))


def _break(body: Body, node: cst.Break) -> None:
    body.out.append(Jump("break", body.span(node)))


def _continue(body: Body, node: cst.Continue) -> None:
    body.out.append(Jump("continue", body.span(node)))


def _assert(body: Body, node: cst.Assert) -> None:
    test = lower(body, node.test)
    condition = condition_of(body, node.test, test)
    failed = Raise(body.span(node.test), (("g:AssertionError",),))
    body.out.append(branch(body, node.test, condition, (), (failed,)))


def _match(body: Body, node: cst.Match) -> None:
    subject = lower(body, node.subject)
    before = body.environment.snapshot()
    _match_cases(body, node, list(node.cases), subject, before)


def _match_cases(
    body: Body, node: cst.Match, cases: list[cst.MatchCase], subject: Operand, before: dict[str, Operand]
) -> None:
    """Cases as nested branches on the subject."""
    if not cases:
        return
    case = cases[0]
    with body.block() as then:
        for name in sorted(_pattern_names(case.pattern)):
            body.environment.assign(name, Operand((), subject.deps))
        if case.guard is not None:
            lower(body, case.guard)
        lower_block(body, case.body)
    after = body.environment.snapshot()
    body.environment.restore(before)
    with body.block() as orelse:
        _match_cases(body, node, cases[1:], subject, before)
    body.environment.join(after)
    span = body.span(node.subject)
    body.out.append(Branch(span, subject.deps, "compare", -1, False, tuple(then), tuple(orelse)))


def _pattern_names(pattern: cst.CSTNode) -> set[str]:
    found: set[str] = set()
    pending = [pattern]
    while pending:
        current = pending.pop()
        if isinstance(current, (cst.MatchAs, cst.MatchStar)) and current.name is not None:
            found.add(current.name.value)
        pending.extend(child_nodes(current))
    return found


_STATEMENTS: dict[type, Callable[[Body, Any], None]] = {
    cst.Expr: _expression,
    cst.Assign: _assign,
    cst.AnnAssign: _annotated,
    cst.AugAssign: _augmented,
    cst.Del: _delete,
    cst.If: _if,
    cst.While: _while,
    cst.For: _for,
    cst.Try: _try,
    cst.TryStar: _try,
    cst.With: _with,
    cst.Return: _return,
    cst.Raise: _raise,
    cst.Break: _break,
    cst.Continue: _continue,
    cst.Assert: _assert,
    cst.Match: _match,
    cst.FunctionDef: lambda body, node: define_function(body, node),
    cst.ClassDef: lambda body, node: define_class(body, node),
    cst.Import: lambda body, node: import_names(body, node),
    cst.ImportFrom: lambda body, node: import_names(body, node),
}
