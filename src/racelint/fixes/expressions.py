"""Expressions as fixes build them: in brackets where they must be, negated as a person would."""

from __future__ import annotations

import libcst as cst

from racelint.syntax.nodes import child_nodes

# Not `<` and its kin: `not a < b` is not `a >= b` for sets and NaN.
_OPPOSITES: dict[type[cst.BaseCompOp], type[cst.BaseCompOp]] = {
    cst.Equal: cst.NotEqual,
    cst.NotEqual: cst.Equal,
    cst.In: cst.NotIn,
    cst.NotIn: cst.In,
    cst.Is: cst.IsNot,
    cst.IsNot: cst.Is,
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
        if opposite is not None:
            return node.with_changes(comparisons=[target.with_changes(operator=opposite())])
    operand = node if isinstance(node, cst.Comparison) else bracketed(node)
    return cst.UnaryOperation(operator=cst.Not(), expression=operand)


def is_loud(node: cst.CSTNode) -> bool:
    """Whether code may do more than read and compute: it calls, waits, or opens a block of its own."""
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, _LOUD):
            return True
        pending.extend(child_nodes(current))
    return False


def parameter_names(params: cst.Parameters) -> set[str]:
    """The names of all parameters, `*args` and `**kwargs` included."""
    plain = [*params.posonly_params, *params.params, *params.kwonly_params]
    stars = [param for param in (params.star_arg, params.star_kwarg) if isinstance(param, cst.Param)]
    return {param.name.value for param in (*plain, *stars)}


def names_in(node: cst.CSTNode) -> set[str]:
    """Every name and attribute that stands in the code."""
    found: set[str] = set()
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, cst.Name):
            found.add(current.value)
        pending.extend(child_nodes(current))
    return found


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
