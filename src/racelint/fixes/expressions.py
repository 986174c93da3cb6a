"""Expressions as fixes build them: in brackets where they must be, negated as a person would."""

from __future__ import annotations

import libcst as cst

from racelint.syntax.edits import Tree
from racelint.syntax.nodes import child_nodes, nodes_within

# `<` and its kin only for lengths: `not a < b` is not `a >= b` for sets and NaN.
_OPPOSITES: dict[type[cst.BaseCompOp], type[cst.BaseCompOp]] = {
    cst.Equal: cst.NotEqual,
    cst.NotEqual: cst.Equal,
    cst.In: cst.NotIn,
    cst.NotIn: cst.In,
    cst.Is: cst.IsNot,
    cst.IsNot: cst.Is,
}
_OF_NUMBERS: dict[type[cst.BaseCompOp], type[cst.BaseCompOp]] = {
    cst.LessThan: cst.GreaterThanEqual,
    cst.GreaterThanEqual: cst.LessThan,
    cst.GreaterThan: cst.LessThanEqual,
    cst.LessThanEqual: cst.GreaterThan,
}
_TIGHT = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.SimpleString, cst.List, cst.Dict, cst.Set)
_LOUD = (cst.Call, cst.Await, cst.Yield, cst.FunctionDef, cst.ClassDef, cst.With)


def expression(source: str) -> cst.BaseExpression:
    """An expression from its source text."""
    return cst.parse_expression(source)


def bracketed(node: cst.BaseExpression) -> cst.BaseExpression:
    """The expression as an operand: in brackets, unless it needs none."""
    if isinstance(node, _TIGHT) or node.lpar:
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def bare(node: cst.BaseExpression) -> cst.BaseExpression:
    """The expression without the brackets around it, if it stands on one line."""
    return node.with_changes(lpar=[], rpar=[])


def negated(node: cst.BaseExpression) -> cst.BaseExpression:
    """An expression that is true where `node` is false: `a != b` for `a == b`, `x` for `not x`."""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        return node.expression
    if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        target = node.comparisons[0]
        opposite = _OPPOSITES.get(type(target.operator))
        if opposite is None and any(_is_length(side) for side in (node.left, target.comparator)):
            opposite = _OF_NUMBERS.get(type(target.operator))
        if opposite is not None:
            return node.with_changes(comparisons=[target.with_changes(operator=opposite())])
    if isinstance(node, cst.BooleanOperation):
        left, right = negated(node.left), negated(node.right)
        if not any(isinstance(side, cst.UnaryOperation) for side in (left, right)):
            return _turned(node, left, right)
    operand = node if isinstance(node, cst.Comparison) else bracketed(node)
    return cst.UnaryOperation(operator=cst.Not(), expression=operand)


def truth(node: cst.BaseExpression) -> cst.BaseExpression:
    """`x` for `x is True` and `x == True`, `not x` for `x is False` and the like; any other expression itself."""
    if not isinstance(node, cst.Comparison) or len(node.comparisons) != 1:
        return node
    operator, side = node.comparisons[0].operator, node.comparisons[0].comparator
    told = side.value if isinstance(side, cst.Name) else ""
    if told not in ("True", "False") or type(operator) not in _OPPOSITES or isinstance(operator, (cst.In, cst.NotIn)):
        return node
    same = isinstance(operator, (cst.Equal, cst.Is)) == (told == "True")
    return node.left if same else cst.UnaryOperation(operator=cst.Not(), expression=bracketed(node.left))


def _is_length(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "len"


def _turned(node: cst.BooleanOperation, left: cst.BaseExpression, right: cst.BaseExpression) -> cst.BaseExpression:
    """`a or b` for `not a and not b`, and the other way round: in an `and`, what stood in an `or` needs brackets."""
    if isinstance(node.operator, cst.And):
        operator: cst.BaseBooleanOp = cst.Or(node.operator.whitespace_before, node.operator.whitespace_after)
        return node.with_changes(operator=operator, left=left, right=right)
    operator = cst.And(node.operator.whitespace_before, node.operator.whitespace_after)
    sides = [bracketed(side) if isinstance(side, cst.BooleanOperation) else side for side in (left, right)]
    return node.with_changes(operator=operator, left=sides[0], right=sides[1])


def is_loud(node: cst.CSTNode) -> bool:
    """Whether code may do more than read and compute: it calls, waits, or opens a block of its own."""
    return any(isinstance(inner, _LOUD) for inner in nodes_within(node))


def parameter_names(params: cst.Parameters) -> set[str]:
    """The names of all parameters, `*args` and `**kwargs` included."""
    plain = [*params.posonly_params, *params.params, *params.kwonly_params]
    stars = [param for param in (params.star_arg, params.star_kwarg) if isinstance(param, cst.Param)]
    return {param.name.value for param in (*plain, *stars)}


def is_variable(tree: Tree, name: cst.Name) -> bool:
    """Whether it is neither the name of an attribute nor that of a keyword argument."""
    outer = tree.parent(name)
    return not isinstance(outer, (cst.Attribute, cst.Arg)) or outer.value is name


def variables_in(node: cst.CSTNode) -> set[str]:
    """Every name that stands in the code as a variable, parameter or definition: those of attributes left out."""
    found: set[str] = set()
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, cst.Name):
            found.add(current.value)
        pending.extend([current.value] if isinstance(current, cst.Attribute) else child_nodes(current))
    return found
