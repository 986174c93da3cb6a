"""Expressions."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import libcst as cst

from racelint.syntax.concrete.converter import Convert, Converter, converts

_OPERATORS: dict[type, type[ast.AST]] = {
    cst.Add: ast.Add,
    cst.Subtract: ast.Sub,
    cst.Multiply: ast.Mult,
    cst.Divide: ast.Div,
    cst.FloorDivide: ast.FloorDiv,
    cst.Modulo: ast.Mod,
    cst.Power: ast.Pow,
    cst.MatrixMultiply: ast.MatMult,
    cst.LeftShift: ast.LShift,
    cst.RightShift: ast.RShift,
    cst.BitAnd: ast.BitAnd,
    cst.BitOr: ast.BitOr,
    cst.BitXor: ast.BitXor,
    cst.And: ast.And,
    cst.Or: ast.Or,
    cst.Not: ast.Not,
    cst.Minus: ast.USub,
    cst.Plus: ast.UAdd,
    cst.BitInvert: ast.Invert,
    cst.Equal: ast.Eq,
    cst.NotEqual: ast.NotEq,
    cst.LessThan: ast.Lt,
    cst.LessThanEqual: ast.LtE,
    cst.GreaterThan: ast.Gt,
    cst.GreaterThanEqual: ast.GtE,
    cst.Is: ast.Is,
    cst.IsNot: ast.IsNot,
    cst.In: ast.In,
    cst.NotIn: ast.NotIn,
    cst.AddAssign: ast.Add,
    cst.SubtractAssign: ast.Sub,
    cst.MultiplyAssign: ast.Mult,
    cst.DivideAssign: ast.Div,
    cst.FloorDivideAssign: ast.FloorDiv,
    cst.ModuloAssign: ast.Mod,
    cst.PowerAssign: ast.Pow,
    cst.MatrixMultiplyAssign: ast.MatMult,
    cst.LeftShiftAssign: ast.LShift,
    cst.RightShiftAssign: ast.RShift,
    cst.BitAndAssign: ast.BitAnd,
    cst.BitOrAssign: ast.BitOr,
    cst.BitXorAssign: ast.BitXor,
}


def operator(node: cst.CSTNode) -> Any:
    """The operator of an expression or of an augmented assignment."""
    return _OPERATORS[type(node)]()


@converts(cst.Name)
def _name(to: Converter, node: cst.Name) -> ast.expr:
    constants = {"None": None, "True": True, "False": False}
    if node.value in constants:
        return to.placed(ast.Constant(constants[node.value]), node)
    return to.placed(ast.Name(node.value, ast.Load()), node)


@converts(cst.Integer, cst.Float, cst.Imaginary, cst.SimpleString)
def _literal(to: Converter, node: Any) -> ast.expr:
    return to.placed(ast.Constant(ast.literal_eval(node.value)), node)


@converts(cst.Ellipsis)
def _ellipsis(to: Converter, node: cst.Ellipsis) -> ast.expr:
    return to.placed(ast.Constant(...), node)


@converts(cst.ConcatenatedString)
def _concatenated(to: Converter, node: cst.ConcatenatedString) -> ast.expr:
    plain = node.evaluated_value
    if plain is not None:
        return to.placed(ast.Constant(plain), node)
    left, right = to.one(node.left), to.one(node.right)
    parts = [part for side in (left, right) for part in (side.values if isinstance(side, ast.JoinedStr) else [side])]
    return to.placed(ast.JoinedStr(parts), node)


@converts(cst.FormattedString, cst.TemplatedString)
def _formatted(to: Converter, node: cst.FormattedString | cst.TemplatedString) -> ast.expr:
    return to.placed(ast.JoinedStr(_pieces(to, node.parts)), node)


def _pieces(to: Converter, parts: Sequence[cst.CSTNode]) -> list[ast.expr]:
    return [to.one(part) for part in parts if hasattr(part, "expression")]


@converts(cst.FormattedStringExpression, cst.TemplatedStringExpression)
def _formatted_expression(to: Converter, node: Any) -> ast.expr:
    value = to.one(node.expression)
    pieces = _pieces(to, node.format_spec or ())
    spec = to.after(ast.JoinedStr(pieces), value, value) if node.format_spec is not None else None
    shown = "r" if getattr(node, "equal", None) is not None and spec is None else ""
    conversion = node.conversion or shown
    return to.after(ast.FormattedValue(value, ord(conversion) if conversion else -1, spec), value, value)


@converts(cst.Attribute)
def _attribute(to: Converter, node: cst.Attribute) -> ast.expr:
    return to.placed(ast.Attribute(to.one(node.value), node.attr.value, ast.Load()), node)


@converts(cst.Subscript)
def _subscript(to: Converter, node: cst.Subscript) -> ast.expr:
    parts = [_index(to, element.slice) for element in node.slice]
    inner = parts[0]
    if len(parts) > 1 or node.slice[-1].comma is not cst.MaybeSentinel.DEFAULT or isinstance(inner, ast.Starred):
        inner = to.after(ast.Tuple(parts, ast.Load()), parts[0], parts[-1])
    return to.placed(ast.Subscript(to.one(node.value), inner, ast.Load()), node)


def _index(to: Converter, node: cst.BaseSlice) -> Any:
    if isinstance(node, cst.Index):
        value = to.one(node.value)
        return to.after(ast.Starred(value, ast.Load()), value, value) if node.star else value
    assert isinstance(node, cst.Slice)
    bounds = [to.maybe(node.lower), to.maybe(node.upper), to.maybe(node.step)]
    return to.placed(ast.Slice(*bounds), node)


@converts(cst.Call)
def _call(to: Converter, node: cst.Call) -> ast.expr:
    func = to.one(node.func)
    positional: list[ast.expr] = []
    keywords: list[ast.keyword] = []
    for argument in node.args:
        value = to.one(argument.value)
        if argument.keyword is not None or argument.star == "**":
            name = argument.keyword.value if argument.keyword is not None else None
            keywords.append(to.placed(ast.keyword(name, value), argument))
        elif argument.star:
            positional.append(to.placed(ast.Starred(value, ast.Load()), argument, value))
        else:
            positional.append(value)
    made = to.placed(ast.Call(func, positional, keywords), node)
    if len(node.args) == 1 and isinstance(positional[:1] and positional[0], ast.GeneratorExp):
        generator = node.args[0].value
        if not getattr(generator, "lpar", ()):  # the call's own brackets count as the generator's
            to.after(positional[0], func, made)
            positional[0].lineno, positional[0].col_offset = func.end_lineno, func.end_col_offset
    return made


@converts(cst.BinaryOperation)
def _binary(to: Converter, node: cst.BinaryOperation) -> ast.expr:
    return to.placed(ast.BinOp(to.one(node.left), operator(node.operator), to.one(node.right)), node)


@converts(cst.BooleanOperation)
def _boolean(to: Converter, node: cst.BooleanOperation) -> ast.expr:
    left, right = node.left, to.one(node.right)
    values = [to.one(left), right]
    if isinstance(left, cst.BooleanOperation) and type(left.operator) is type(node.operator) and not left.lpar:
        values = [*values[0].values, right]
    return to.placed(ast.BoolOp(operator(node.operator), values), node)


@converts(cst.UnaryOperation)
def _unary(to: Converter, node: cst.UnaryOperation) -> ast.expr:
    return to.placed(ast.UnaryOp(operator(node.operator), to.one(node.expression)), node)


@converts(cst.Comparison)
def _comparison(to: Converter, node: cst.Comparison) -> ast.expr:
    operators = [operator(part.operator) for part in node.comparisons]
    others = [to.one(part.comparator) for part in node.comparisons]
    return to.placed(ast.Compare(to.one(node.left), operators, others), node)


@converts(cst.IfExp)
def _conditional(to: Converter, node: cst.IfExp) -> ast.expr:
    return to.placed(ast.IfExp(to.one(node.test), to.one(node.body), to.one(node.orelse)), node)


@converts(cst.Lambda)
def _lambda(to: Converter, node: cst.Lambda) -> ast.expr:
    return to.placed(ast.Lambda(arguments(to, node.params), to.one(node.body)), node)


@converts(cst.Await)
def _await(to: Converter, node: cst.Await) -> ast.expr:
    return to.placed(ast.Await(to.one(node.expression)), node)


@converts(cst.Yield)
def _yield(to: Converter, node: cst.Yield) -> ast.expr:
    if isinstance(node.value, cst.From):
        return to.placed(ast.YieldFrom(to.one(node.value.item)), node)
    return to.placed(ast.Yield(to.maybe(node.value)), node)


@converts(cst.NamedExpr)
def _named(to: Converter, node: cst.NamedExpr) -> ast.expr:
    return to.placed(ast.NamedExpr(to.target(node.target), to.one(node.value)), node)


def _display(kind: Any) -> Convert:
    def convert(to: Converter, node: Any) -> Any:
        parts = to.many(node.elements)
        made = ast.Set(parts) if kind is ast.Set else kind(parts, ast.Load())
        return to.placed(made, node)

    return convert


@converts(cst.Element)
def _element(to: Converter, node: cst.Element) -> Any:
    return to.one(node.value)


@converts(cst.StarredElement)
def _starred(to: Converter, node: cst.StarredElement) -> ast.expr:
    value = to.one(node.value)
    return to.placed(ast.Starred(value, ast.Load()), node, value)


@converts(cst.Dict)
def _dict(to: Converter, node: cst.Dict) -> ast.expr:
    keys = [to.one(part.key) if isinstance(part, cst.DictElement) else None for part in node.elements]
    return to.placed(ast.Dict(keys, [to.one(part.value) for part in node.elements]), node)


def _comprehension(kind: Any) -> Convert:
    def convert(to: Converter, node: Any) -> Any:
        return to.placed(kind(to.one(node.elt), _generators(to, node.for_in)), node)

    return convert


@converts(cst.DictComp)
def _dict_comprehension(to: Converter, node: cst.DictComp) -> ast.expr:
    return to.placed(ast.DictComp(to.one(node.key), to.one(node.value), _generators(to, node.for_in)), node)


def _generators(to: Converter, clause: cst.CompFor | None) -> list[ast.comprehension]:
    found = []
    while clause is not None:
        conditions = [to.one(part.test) for part in clause.ifs]
        is_async = int(clause.asynchronous is not None)
        found.append(ast.comprehension(to.target(clause.target), to.one(clause.iter), conditions, is_async))
        clause = clause.inner_for_in
    return found


def arguments(to: Converter, params: cst.Parameters) -> ast.arguments:
    """The parameters of a function or lambda."""
    plain = (*params.posonly_params, *params.params)
    return ast.arguments(
        posonlyargs=[_argument(to, param) for param in params.posonly_params],
        args=[_argument(to, param) for param in params.params],
        vararg=_argument(to, params.star_arg) if isinstance(params.star_arg, cst.Param) else None,
        kwonlyargs=[_argument(to, param) for param in params.kwonly_params],
        kw_defaults=[to.maybe(param.default) for param in params.kwonly_params],
        kwarg=_argument(to, params.star_kwarg) if params.star_kwarg is not None else None,
        defaults=[to.one(param.default) for param in plain if param.default is not None],
    )


def _argument(to: Converter, param: cst.Param) -> ast.arg:
    annotation = to.one(param.annotation.annotation) if param.annotation is not None else None
    return to.placed(ast.arg(param.name.value, annotation), param.name, annotation)


converts(cst.Tuple)(_display(ast.Tuple))
converts(cst.List)(_display(ast.List))
converts(cst.Set)(_display(ast.Set))
converts(cst.ListComp)(_comprehension(ast.ListComp))
converts(cst.SetComp)(_comprehension(ast.SetComp))
converts(cst.GeneratorExp)(_comprehension(ast.GeneratorExp))
