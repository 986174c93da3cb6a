"""Statements to the nodes of a control-flow tree. One function a node type, found by a dispatch table."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from racelint.model.summary import (
    AnyNode,
    Branch,
    Handler,
    Jump,
    Loop,
    Raise,
    Return,
    Try,
    With,
    WithItem,
    leaves,
)
from racelint.summarize.annotations import annotation_paths
from racelint.summarize.body import Body
from racelint.summarize.branching import branch, lower_statement_call, lower_test
from racelint.summarize.conditions import condition_of
from racelint.summarize.containers import is_range, iterated
from racelint.summarize.definitions import define_class, define_function, import_names
from racelint.summarize.dispatch import lower
from racelint.summarize.environment import NOTHING, Operand
from racelint.summarize.numbers import turns_of
from racelint.summarize.targets import delete, store, store_unpacked, update
from racelint.syntax.parts import parts_of


def lower_block(body: Body, statements: Sequence[ast.stmt]) -> None:
    """Append the nodes of a suite."""
    for statement in statements:
        handler = _STATEMENTS.get(type(statement))
        if handler is not None:
            handler(body, statement)


def _expression(body: Body, node: ast.Expr) -> None:
    lower_statement_call(body, node.value)


def _assign(body: Body, node: ast.Assign) -> None:
    first, values = node.targets[0], node.value
    if _is_thrown_away(body, node):
        lower_statement_call(body, values)
        return
    if (
        len(node.targets) == 1
        and isinstance(first, (ast.Tuple, ast.List))
        and isinstance(values, ast.Tuple)
        and len(first.elts) == len(values.elts)
        and not any(isinstance(element, ast.Starred) for element in (*first.elts, *values.elts))
    ):
        store_unpacked(body, first, [lower(body, element) for element in values.elts])
        return
    operand = lower(body, values)
    for target in node.targets:
        store(body, target, operand)


def _is_thrown_away(body: Body, node: ast.Assign) -> bool:
    """`_ = call()` in a function."""
    first = node.targets[0]
    named = len(node.targets) == 1 and isinstance(first, ast.Name) and first.id == "_"
    return named and body.kind == "function" and isinstance(node.value, ast.Call)


def _annotated(body: Body, node: ast.AnnAssign) -> None:
    hint = annotation_paths(body, node.annotation)
    if hint:
        if isinstance(node.target, ast.Name):
            body.hints[node.target.id] = hint
        elif isinstance(node.target, ast.Attribute) and isinstance(node.target.value, ast.Name):
            body.hints[f"{node.target.value.id}.{node.target.attr}"] = hint
    if node.value is not None:
        store(body, node.target, lower(body, node.value))


def _augmented(body: Body, node: ast.AugAssign) -> None:
    update(body, node)


def _delete(body: Body, node: ast.Delete) -> None:
    for target in node.targets:
        delete(body, target)


def _if(body: Body, node: ast.If) -> None:
    test = lower_test(body, node.test)
    condition = condition_of(body, node.test, test)
    before = body.environment.snapshot()
    with body.block() as then:
        lower_block(body, node.body)
    after_then = body.environment.snapshot()
    body.environment.restore(before)
    with body.block() as orelse:
        lower_block(body, node.orelse)
    settled = _settled(body, node.test) if body.kind == "function" else None
    if settled is not None:
        body.out.extend(then if settled else orelse)
        if settled:
            body.environment.restore(after_then)
        return
    if leaves(then):
        pass
    elif leaves(orelse):
        body.environment.restore(after_then)
    else:
        body.environment.join(after_then)
    body.out.append(branch(body, node.test, condition, then, orelse))


def _settled(body: Body, test: ast.expr) -> bool | None:
    """Whether the test always holds, or never; None where that may change."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _settled(body, test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.Constant):
        return bool(test.value)
    return body.context.settled.get(test.id) if isinstance(test, ast.Name) else None


def _while(body: Body, node: ast.While) -> None:
    assigned = assigned_names(node.body)
    body.environment.forget(assigned)
    with body.block() as head:
        test = lower_test(body, node.test)
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
            counted=_walks(node.test, assigned),
        )
    )


def _walks(test: ast.expr, assigned: set[str]) -> bool:
    """Whether each turn looks at another place: `while text[i] == " ": i += 1`, `while node.next: node = node.next`."""
    places = [node.slice for node in ast.walk(test) if isinstance(node, ast.Subscript)]
    places += [node.value for node in ast.walk(test) if isinstance(node, ast.Attribute)]
    return any(isinstance(node, ast.Name) and node.id in assigned for place in places for node in ast.walk(place))


def _for(body: Body, node: ast.For | ast.AsyncFor) -> None:
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
            is_async=isinstance(node, ast.AsyncFor),
            counted=is_range(node.iter),
            turns=turns,
        )
    )


def _orelse(body: Body, statements: Sequence[ast.stmt]) -> tuple[AnyNode, ...]:
    with body.block() as block:
        lower_block(body, statements)
    return tuple(block)


def assigned_names(statements: Sequence[ast.stmt]) -> set[str]:
    """Names that a block may bind, nested functions and classes left out."""
    found: set[str] = set()
    pending: list[Any] = [*statements]
    while pending:
        current = pending.pop()
        if isinstance(current, ast.Name):
            if isinstance(current.ctx, ast.Store):
                found.add(current.id)
        elif isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(current.name)
        elif isinstance(current, ast.AST) and not isinstance(current, (ast.Lambda, ast.Constant)):
            if isinstance(current, ast.ExceptHandler) and current.name is not None:
                found.add(current.name)
            elif isinstance(current, ast.alias) and current.asname is not None:
                found.add(current.asname)
            pending += parts_of(current)
    return found


def _handled(handler: ast.ExceptHandler) -> Sequence[ast.expr]:
    """The classes that an `except` clause names, one by one."""
    if isinstance(handler.type, ast.Tuple):
        return handler.type.elts
    return [handler.type] if handler.type is not None else []


def _try(body: Body, node: ast.Try | ast.TryStar) -> None:
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
            types = tuple(path for each in _handled(handler) for path in lower(body, each).value)
            if handler.name is not None:
                body.store_name(handler.name, body.span(handler.type or handler), NOTHING)
            lower_block(body, handler.body)
        handlers.append(Handler(types or ((("l:?",),) if handler.type is not None else ()), tuple(block)))
        if not leaves(block):
            ends.append(body.environment.snapshot())
    body.environment.restore(ends[0] if ends else after)
    for end in ends[1:]:
        body.environment.join(end)
    orelse = _orelse(body, node.orelse)
    with body.block() as final:
        lower_block(body, node.finalbody)
    body.out.append(Try(body.span(node), tuple(main), tuple(handlers), orelse, tuple(final)))


def _with(body: Body, node: ast.With | ast.AsyncWith) -> None:
    _with_items(body, node, node.items)


def _with_items(body: Body, node: ast.With | ast.AsyncWith, items: Sequence[ast.withitem]) -> None:
    if not items:
        lower_block(body, node.body)
        return
    item = items[0]
    operand = lower(body, item.context_expr)
    number = body.number()
    with body.block() as block:
        if item.optional_vars is not None:
            store(body, item.optional_vars, operand)
        _with_items(body, node, items[1:])
    entry = WithItem(operand.value, body.span(item.context_expr))
    body.out.append(With(entry, tuple(block), isinstance(node, ast.AsyncWith), number))


def _return(body: Body, node: ast.Return) -> None:
    operand = lower(body, node.value) if node.value is not None else NOTHING
    body.out.append(Return(body.span(node), operand.value, operand.deps))


def _raise(body: Body, node: ast.Raise) -> None:
    operand = lower(body, node.exc) if node.exc is not None else NOTHING
    body.out.append(Raise(body.span(node), operand.value))


def _break(body: Body, node: ast.Break) -> None:
    body.out.append(Jump("break", body.span(node)))


def _continue(body: Body, node: ast.Continue) -> None:
    body.out.append(Jump("continue", body.span(node)))


def _assert(body: Body, node: ast.Assert) -> None:
    test = lower_test(body, node.test)
    condition = condition_of(body, node.test, test)
    failed = Raise(body.span(node.test), (("g:AssertionError",),))
    body.out.append(branch(body, node.test, condition, (), (failed,)))


def _match(body: Body, node: ast.Match) -> None:
    subject = lower(body, node.subject)
    before = body.environment.snapshot()
    _match_cases(body, node, node.cases, subject, before)


def _match_cases(
    body: Body, node: ast.Match, cases: Sequence[ast.match_case], subject: Operand, before: dict[str, Operand]
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


def _pattern_names(pattern: ast.pattern) -> set[str]:
    found = {node.name for node in ast.walk(pattern) if isinstance(node, (ast.MatchAs, ast.MatchStar))}
    return {name for name in found if name is not None}


_STATEMENTS: dict[type, Callable[[Body, Any], None]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Delete: _delete,
    ast.If: _if,
    ast.While: _while,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Assert: _assert,
    ast.Match: _match,
    ast.FunctionDef: define_function,
    ast.AsyncFunctionDef: define_function,
    ast.ClassDef: define_class,
    ast.Import: import_names,
    ast.ImportFrom: import_names,
}
