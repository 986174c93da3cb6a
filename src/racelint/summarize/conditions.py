"""What a condition tests: `is None`, membership, truth, or the answer of a call such as `lock.acquire(timeout=1)`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from racelint.model.summary import Path, Test
from racelint.summarize.body import Body
from racelint.summarize.environment import Operand


class Condition(NamedTuple):
    """See `racelint.model.summary.Branch`."""

    deps: tuple[int, ...]
    test: Test
    call: int = -1
    negated: bool = False
    constant: str = ""
    implied: tuple[tuple[Path, bool], ...] = ()


def condition_of(body: Body, node: cst.BaseExpression, operand: Operand) -> Condition:
    """Classify a condition that was lowered to `operand`."""
    return _classified(body, node, operand)._replace(implied=tuple(_implied(body, node)))


def _classified(body: Body, node: cst.BaseExpression, operand: Operand) -> Condition:
    negated = False
    while isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        negated = not negated
        node = node.expression
    if isinstance(node, cst.NamedExpr):
        node = node.value
    if isinstance(node, cst.Comparison):
        test, flipped = _comparison(node)
        call = _call_of(operand.value) if test == "compare" else -1
        return Condition(operand.deps, test, -1 if call < 0 else call, negated != flipped)
    constant = _constant(node)
    if constant:
        truth = (constant == "true") != negated
        return Condition(operand.deps, "other", constant="true" if truth else "false")
    if isinstance(node, cst.BooleanOperation):
        return Condition(operand.deps, "other", _conjunct(node, operand, negated), negated)
    return Condition(operand.deps, "truth", _decisive(body, node, operand), negated)


def _implied(body: Body, node: cst.BaseExpression, truth: bool = True) -> Iterator[tuple[Path, bool]]:
    """What a true (or false) condition says of plain names: `locked`, `not nolock`, `key is None`, joined by `and`."""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        yield from _implied(body, node.expression, not truth)
    elif isinstance(node, cst.BooleanOperation):
        if isinstance(node.operator, cst.And) == truth:
            yield from _implied(body, node.left, truth)
            yield from _implied(body, node.right, truth)
    elif isinstance(node, cst.Comparison):
        test, flipped = _comparison(node)
        if test == "none":
            yield from _implied(body, node.left, truth != flipped)
    elif isinstance(node, cst.Name):
        known = body.environment.get(node.value)
        if known is not None:
            yield from ((path, truth) for path in known.value if len(known.value) == 1)
        elif node.value in body.params:
            yield (f"p:{node.value}",), truth


def _decisive(body: Body, node: cst.BaseExpression, operand: Operand) -> int:
    """The call whose answer is the condition; `not f()` loses the operand's value, so the newest dep stands for it."""
    direct = _call_of(operand.value)
    if direct >= 0:
        return direct
    if isinstance(node, cst.Name):
        known = body.environment.get(node.value)
        return _call_of(known.value) if known is not None else -1
    if isinstance(node, (cst.Call, cst.Await)) and operand.deps:
        return operand.deps[-1]
    return -1


def _conjunct(node: cst.BooleanOperation, operand: Operand, negated: bool) -> int:
    """In `a and lock.acquire(False)` the last call decides where the condition is true."""
    if isinstance(node.operator, cst.And) and not negated:
        return _call_of(operand.value)
    return -1


def _call_of(value: tuple[tuple[str, ...], ...]) -> int:
    if len(value) == 1 and len(value[0]) == 1 and value[0][0].startswith("c:"):
        return int(value[0][0][2:])
    return -1


def _comparison(node: cst.Comparison) -> tuple[Test, bool]:
    if len(node.comparisons) != 1:
        return "compare", False
    operator = node.comparisons[0].operator
    right = node.comparisons[0].comparator
    if isinstance(operator, cst.In):
        return "in", False
    if isinstance(operator, cst.NotIn):
        return "in", True
    if isinstance(right, cst.Name) and right.value == "None":
        return "none", isinstance(operator, (cst.Is, cst.Equal))
    return "compare", False


def _constant(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Name) and node.value in ("True", "False"):
        return node.value.lower()
    if isinstance(node, cst.Integer):
        return "false" if node.value.strip("0_") == "" else "true"
    return ""
