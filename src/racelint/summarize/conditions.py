"""What a condition tests: `is None`, membership, truth, or the answer of a call such as `lock.acquire(timeout=1)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from racelint.model.summary import Part, Path, Test
from racelint.summarize.body import Body
from racelint.summarize.environment import Operand


class Condition(msgspec.Struct, frozen=True):
    """See `racelint.model.summary.Branch`."""

    deps: tuple[int, ...]
    test: Test
    call: int = -1
    negated: bool = False
    constant: str = ""
    implied: tuple[tuple[Path, bool], ...] = ()
    parts: tuple[Part, ...] = ()
    otherwise: bool = False
    differs: bool = False


def condition_of(body: Body, node: ast.expr, operand: Operand) -> Condition:
    """Classify a condition that was lowered to `operand`."""
    return replace(_classified(body, node, operand), implied=tuple(_implied(body, node)))


def _classified(body: Body, node: ast.expr, operand: Operand) -> Condition:
    negated = False
    while (inner := _answered(node)) is not None:
        negated = negated != inner.negated
        node = inner.node
    if isinstance(node, ast.NamedExpr):
        node = node.value
    if isinstance(node, ast.Compare):
        test, flipped = _comparison(node)
        if _is_main_guard(node):
            return Condition(operand.deps, "other", constant="main")
        call = _call_of(operand.value) if test == "compare" else -1
        differs = (len(node.ops) == 1 and isinstance(node.ops[0], (ast.NotEq, ast.IsNot))) != negated
        return Condition(operand.deps, test, -1 if call < 0 else call, negated != flipped, differs=differs)
    constant = _constant(node)
    if constant:
        truth = (constant == "true") != negated
        return Condition(operand.deps, "other", constant="true" if truth else "false")
    if isinstance(node, ast.BoolOp):
        parts, otherwise = body.parts.get(node, ()), isinstance(node.op, ast.Or) != negated
        return Condition(
            operand.deps, "other", _conjunct(node, operand, negated), negated, parts=parts, otherwise=otherwise
        )
    return Condition(operand.deps, "truth", _decisive(body, node, operand), negated)


class _Answered(msgspec.Struct, frozen=True):
    node: ast.expr
    negated: bool


def _answered(node: ast.expr) -> _Answered | None:
    """What `not node`, `node is False` and `node == True` ask for the truth of."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _Answered(node.operand, True)
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.left, (ast.Call, ast.NamedExpr)):
        return None
    operator, right = node.ops[0], node.comparators[0]
    if not isinstance(right, ast.Constant) or not isinstance(right.value, bool):
        return None
    if isinstance(operator, (ast.Is, ast.Eq)):
        return _Answered(node.left, not right.value)
    return _Answered(node.left, right.value) if isinstance(operator, (ast.IsNot, ast.NotEq)) else None


def note_parts(body: Body, node: ast.BoolOp, left: Condition, right: Condition) -> None:
    """Remember what `left and right` says of each; of `left or right`, what its failure says."""
    is_or = isinstance(node.op, ast.Or)
    parts: list[Part] = []
    for condition in (left, right):
        if condition.parts and condition.otherwise == is_or:
            parts.extend(condition.parts)
        elif condition.test != "other":
            parts.append(Part(condition.deps, condition.test, condition.negated != is_or))
    body.parts[node] = tuple(parts)


def _implied(body: Body, node: ast.expr, truth: bool = True) -> Iterator[tuple[Path, bool]]:
    """What a true (or false) condition says of plain names: `locked`, `not nolock`, `key is None`, joined by `and`."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _implied(body, node.operand, not truth)
    elif isinstance(node, ast.BoolOp):
        if isinstance(node.op, ast.And) == truth:
            for value in node.values:
                yield from _implied(body, value, truth)
    elif isinstance(node, ast.Compare):
        test, flipped = _comparison(node)
        if test == "none":
            yield from _implied(body, node.left, truth != flipped)
    elif isinstance(node, ast.Name):
        known = body.environment.get(node.id)
        if known is not None:
            yield from ((path, truth) for path in known.value if len(known.value) == 1)
        elif node.id in body.params:
            yield (f"p:{node.id}",), truth


def _decisive(body: Body, node: ast.expr, operand: Operand) -> int:
    """The call whose answer is the condition; `not f()` loses the operand's value, so the newest dep stands for it."""
    direct = _call_of(operand.value)
    if direct >= 0:
        return direct
    if isinstance(node, ast.Name):
        known = body.environment.get(node.id)
        return _call_of(known.value) if known is not None else -1
    if isinstance(node, (ast.Call, ast.Await)) and operand.deps:
        return operand.deps[-1]
    return -1


def _conjunct(node: ast.BoolOp, operand: Operand, negated: bool) -> int:
    """In `a and lock.acquire(False)` the last call decides where the condition is true."""
    if isinstance(node.op, ast.And) and not negated:
        return _call_of(operand.value)
    return -1


def _call_of(value: tuple[tuple[str, ...], ...]) -> int:
    if len(value) == 1 and len(value[0]) == 1 and value[0][0].startswith("c:"):
        return int(value[0][0][2:])
    return -1


def _comparison(node: ast.Compare) -> tuple[Test, bool]:
    if len(node.ops) != 1:
        return "compare", False
    operator, right = node.ops[0], node.comparators[0]
    if isinstance(operator, ast.In):
        return "in", False
    if isinstance(operator, ast.NotIn):
        return "in", True
    if isinstance(right, ast.Constant) and right.value is None:
        return "none", isinstance(operator, (ast.Is, ast.Eq))
    return "compare", False


def _is_main_guard(node: ast.Compare) -> bool:
    """`__name__ == "__main__"`."""
    sides = (node.left, *node.comparators)
    named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    main = any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)
    return named and main and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq)


def _constant(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return "true" if node.value else "false"
    return ""
