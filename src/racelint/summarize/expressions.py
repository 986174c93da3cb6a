"""Expressions to events, in Python's order of evaluation. One function a node type, found by a dispatch table."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from racelint.model.summary import ELEMENT, Argument, Call, Operation, Suspend, Value
from racelint.summarize.body import Body
from racelint.summarize.dispatch import lower, lowers
from racelint.summarize.environment import NOTHING, Operand, deps_of, extended
from racelint.summarize.operators import OPERATORS
from racelint.syntax.texts import constant_text, key_text

_LONG = 58
"""Strings longer than this are kept as no more than strings."""
_SHORT = 2
"""Names and their fields: what lies deeper is seldom an object with a text of its own."""
_MAX_PARTS = 6
"""What arithmetic combines beyond that is left out."""


@lowers(ast.Name)
def _name(body: Body, node: ast.Name) -> Operand:
    return body.load_name(node.id, node)


@lowers(ast.Constant)
def _constant(body: Body, node: ast.Constant) -> Operand:
    value = node.value
    if value is None or isinstance(value, bool):
        return Operand(((f"k:{value}",),))
    if isinstance(value, int):
        return Operand(((f"k:int:{value}",),))
    if isinstance(value, float):
        return Operand((("k:float",),))
    if isinstance(value, (str, bytes)):
        text = constant_text(node) if len(value) <= _LONG else ""
        return Operand(((f"k:str:{text}",),))
    return NOTHING


@lowers(ast.JoinedStr)
def _formatted(body: Body, node: ast.JoinedStr) -> Operand:
    operands = [lower(body, part) for part in node.values if not isinstance(part, ast.Constant)]
    return Operand((("k:str:",),), deps_of(*operands) if operands else ())


@lowers(ast.FormattedValue)
def _formatted_value(body: Body, node: ast.FormattedValue) -> Operand:
    operands = [lower(body, part) for part in (node.value, node.format_spec) if part is not None]
    by_repr = node.conversion in (ord("r"), ord("a"))
    return Operand((), deps_of(*operands, _text_of(body, node.value, operands[0], "repr" if by_repr else "format")))


def _text_of(body: Body, node: ast.AST, operand: Operand, builtin: str) -> Operand:
    """Text that is made of an object calls its `__format__` or `__repr__`; of its fields, those of what they hold."""
    if not any(len(path) <= _SHORT and not path[0].startswith(("k:", "v:")) for path in operand.value):
        return operand
    event = body.number()
    argument = Argument("", operand.value, operand.deps)
    body.out.append(Call(event, ((f"i:0:builtins:{builtin}",),), (argument,), body.span(node), operand.deps))
    return Operand((), (*operand.deps, event))


@lowers(ast.Attribute)
def _attribute(body: Body, node: ast.Attribute) -> Operand:
    base = lower(body, node.value)
    return load_field(body, base, node.attr, node)


def load_field(body: Body, base: Operand, field: str, node: ast.AST, *, called: bool = False) -> Operand:
    value = extended(base, field)
    reads = tuple(body.access("read", path, body.span(node), called=called) for path in value[:2])
    return Operand(value, (*base.deps, *reads))


def subscripts(node: ast.Subscript) -> Sequence[ast.expr]:
    """The parts of a subscript: several in `table[row, column]`."""
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else (node.slice,)


@lowers(ast.Subscript)
def _subscript(body: Body, node: ast.Subscript) -> Operand:
    base = lower(body, node.value)
    index = [lower(body, element) for element in subscripts(node)]
    value = extended(base, ELEMENT)
    if not value:
        body.out.append(Operation(body.span(node)))
    key = key_text(node.slice)
    reads = tuple(body.access("read", path, body.span(node), key=key) for path in value[:2])
    return Operand(value, (*deps_of(base, *index), *reads))


@lowers(ast.Yield)
def _yield(body: Body, node: ast.Yield) -> Operand:
    body.is_generator = True
    operand = lower(body, node.value) if node.value is not None else NOTHING
    body.out.append(Suspend("yield", body.span(node), operand.value, operand.deps))
    return NOTHING


@lowers(ast.NamedExpr)
def _named(body: Body, node: ast.NamedExpr) -> Operand:
    operand = lower(body, node.value)
    body.store_name(node.target.id, body.span(node.target), operand)
    return operand


@lowers(ast.BinOp)
def _binary(body: Body, node: ast.BinOp) -> Operand:
    """Arithmetic denotes nothing that is known, but `[0] * n` is a list made here."""
    left = lower(body, node.left)
    if isinstance(node.op, ast.Mod) and _is_text(node.left):
        parts = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        filled = [_text_of(body, part, lower(body, part), "format") for part in parts]
        return Operand((("k:str:",),), deps_of(left, *filled))
    right = lower(body, node.right)
    made: Value = ()
    if isinstance(node.op, (ast.Mult, ast.Add)):
        displays = ((node.left, left.value), (node.right, right.value))
        made = next((value for side, value in displays if isinstance(side, (ast.List, ast.ListComp))), ())
    run = _run_by_operator(body, node, node.op, left, right)
    return Operand(made, deps_of(left, right, run), (*left.parts, *left.value, *right.parts, *right.value)[:_MAX_PARTS])


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _run_by_operator(body: Body, node: ast.expr, operator: ast.AST, *operands: Operand) -> Operand:
    """`self + 1` calls the object's own `__add__`: a call that the source does not show."""
    own = ((f"p:{body.own_object}",),)
    name = OPERATORS.get(type(operator))
    if name is None or not any(operand.value == own for operand in operands):
        return NOTHING
    event = body.number()
    arguments = tuple(Argument("", operand.value, operand.deps) for operand in operands)
    body.out.append(Call(event, ((f"i:0:operator:{name}",),), arguments, body.span(node), deps_of(*operands)))
    return Operand((), (event,))


@lowers(ast.UnaryOp)
def _unary(body: Body, node: ast.UnaryOp) -> Operand:
    operand = lower(body, node.operand)
    return Operand((), deps_of(operand, _run_by_operator(body, node, node.op, operand)))


@lowers(ast.Compare)
def _comparison(body: Body, node: ast.Compare) -> Operand:
    operands = [lower(body, node.left)]
    for operator, comparator in zip(node.ops, node.comparators, strict=True):
        right = lower(body, comparator)
        operands.append(right)
        operands.append(_run_by_operator(body, node, operator, operands[-2], right))
        if isinstance(operator, (ast.In, ast.NotIn)):
            key = key_text(node.left)
            paths = extended(right, ELEMENT)[:2]
            operands.append(Operand((), tuple(body.access("test", path, body.span(node), key=key) for path in paths)))
    return Operand((), deps_of(*operands))
