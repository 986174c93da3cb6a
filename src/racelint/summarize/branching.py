"""Expressions of which only a part may be evaluated, and those whose value is dropped."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from racelint.model.summary import AnyNode, Argument, Branch, Call, Suspend
from racelint.summarize.body import Body
from racelint.summarize.calls import lower_call
from racelint.summarize.conditions import Condition, condition_of, note_parts
from racelint.summarize.dispatch import lower, lowers
from racelint.summarize.environment import NOTHING, Operand, deps_of, joined


@lowers(ast.BoolOp)
def _boolean(body: Body, node: ast.BoolOp, *, used: bool = True) -> Operand:
    """`a and b and c` as `(a and b) and c`: each operand decides whether the next is evaluated."""
    node_left = _all_but_last(node)
    left = lower_test(body, node_left)
    condition = condition_of(body, node_left, left)
    is_or = isinstance(node.op, ast.Or)
    if condition.constant == ("true" if is_or else "false"):
        return left
    before = body.environment.snapshot()
    with body.block() as block:
        right = lower_unused(body, node.values[-1], used)
        note_parts(body, node, condition, condition_of(body, node.values[-1], right))
    body.environment.join(before)
    body.out.append(
        branch(body, node_left, condition, (), block) if is_or else branch(body, node_left, condition, block, ())
    )
    return joined(left, right) if is_or else Operand(right.value, deps_of(left, right))


def lower_test(body: Body, node: ast.expr) -> Operand:
    """Lower a condition; of the object itself (`if self:`) its `__bool__` or `__len__` is called."""
    operand = lower(body, node)
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node = node.operand
    if isinstance(node, ast.Name) and node.id == "self" and node.id in body.params:
        argument = Argument("", lower(body, node).value)
        body.out.append(Call(body.number(), (("i:0:builtins:bool",),), (argument,), body.span(node)))
    return operand


def _all_but_last(node: ast.BoolOp) -> ast.expr:
    *others, _ = node.values
    if len(others) == 1:
        return others[0]
    start, end = others[0], others[-1]
    return ast.BoolOp(
        node.op,
        others,
        lineno=start.lineno,
        col_offset=start.col_offset,
        end_lineno=end.end_lineno,
        end_col_offset=end.end_col_offset,
    )


@lowers(ast.IfExp)
def _conditional(body: Body, node: ast.IfExp, *, used: bool = True) -> Operand:
    test = lower_test(body, node.test)
    condition = condition_of(body, node.test, test)
    before = body.environment.snapshot()
    with body.block() as then:
        left = lower_unused(body, node.body, used)
    after_then = body.environment.snapshot()
    body.environment.restore(before)
    with body.block() as orelse:
        right = lower_unused(body, node.orelse, used)
    body.environment.join(after_then)
    body.out.append(branch(body, node.test, condition, then, orelse))
    result = joined(left, right)
    return Operand(result.value, deps_of(result, test))


def branch(
    body: Body, node: ast.AST, condition: Condition, then: Sequence[AnyNode], orelse: Sequence[AnyNode]
) -> Branch:
    """A branch on a condition that was lowered before."""
    return Branch(
        body.span(node),
        condition.deps,
        condition.test,
        condition.call,
        condition.negated,
        tuple(then),
        tuple(orelse),
        condition.constant,
        condition.implied,
        condition.parts,
        condition.otherwise,
        condition.differs,
    )


def lower_statement_call(body: Body, node: ast.expr) -> None:
    """An expression statement: its value is dropped, which a call remembers."""
    if isinstance(node, ast.Call):
        lower_call(body, node, used=False)
    elif isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
        operand = lower_call(body, node.value, awaited=True, used=False)
        body.out.append(Suspend("await", body.span(node), operand.value, operand.deps))
    elif isinstance(node, ast.BoolOp):
        _boolean(body, node, used=False)
    elif isinstance(node, ast.IfExp):
        _conditional(body, node, used=False)
    else:
        lower(body, node)


def lower_unused(body: Body, node: ast.expr, used: bool) -> Operand:
    """Lower what a short circuit or conditional expression ends in."""
    if used:
        return lower(body, node)
    lower_statement_call(body, node)
    return NOTHING
