"""What a condition tests: `is None`, membership, truth, or the answer of a call such as `lock.acquire(timeout=1)`."""

from __future__ import annotations

from typing import NamedTuple

import libcst as cst

from racelint.model.summary import Test
from racelint.summarize.body import Body
from racelint.summarize.environment import Operand


class Condition(NamedTuple):
    """See `racelint.model.summary.Branch`."""

    deps: tuple[int, ...]
    test: Test
    call: int = -1
    negated: bool = False
    constant: str = ""


def condition_of(body: Body, node: cst.BaseExpression, operand: Operand) -> Condition:
    """Classify a condition that was lowered to `operand`."""
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
