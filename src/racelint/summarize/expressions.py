"""Expressions to events, in Python's order of evaluation. One function a node type, found by a dispatch table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from racelint.model.summary import ELEMENT, AnyNode, Argument, Branch, Call, Loop, Operation, Path, Suspend, Value
from racelint.summarize.body import Body
from racelint.summarize.conditions import Condition, condition_of
from racelint.summarize.environment import NOTHING, Operand, deps_of, extended, is_constant, joined
from racelint.summarize.numbers import number_of, turns_of
from racelint.syntax.scopes import child_nodes
from racelint.syntax.texts import key_text

_VIEWS = frozenset({"items", "values", "keys", "iteritems", "itervalues", "iterkeys"})
_WRAPPERS = frozenset({"enumerate", "reversed", "zip", "iter", "map", "filter"})
"""Builtins that advance their argument lazily, so that iterating them iterates it."""


def lower(body: Body, node: cst.CSTNode) -> Operand:
    """Append the events of an expression; returns what it denotes."""
    handler = _EXPRESSIONS.get(type(node))
    if handler is not None:
        return handler(body, node)
    operands = [lower(body, child) for child in child_nodes(node)]
    return Operand((), deps_of(*operands)) if operands else NOTHING


def _name(body: Body, node: cst.Name) -> Operand:
    if node.value in ("None", "True", "False"):
        return Operand(((f"k:{node.value}",),))
    return body.load_name(node)


def _integer(body: Body, node: cst.Integer) -> Operand:
    return Operand(((f"k:int:{node.value}",),))


def _float(body: Body, node: cst.Float) -> Operand:
    return Operand((("k:float",),))


def _string(body: Body, node: cst.SimpleString) -> Operand:
    text = node.value if len(node.value) <= 60 else ""
    return Operand(((f"k:str:{text}",),))


def _formatted(body: Body, node: cst.CSTNode) -> Operand:
    operands = [lower(body, child) for child in child_nodes(node)]
    return Operand((("k:str:",),), deps_of(*operands) if operands else ())


def _attribute(body: Body, node: cst.Attribute) -> Operand:
    base = lower(body, node.value)
    return _load_field(body, base, node.attr.value, node)


def _load_field(body: Body, base: Operand, field: str, node: cst.CSTNode, *, called: bool = False) -> Operand:
    value = extended(base, field)
    reads = tuple(body.access("read", path, node, called=called) for path in value[:2])
    return Operand(value, (*base.deps, *reads))


def _subscript(body: Body, node: cst.Subscript) -> Operand:
    base = lower(body, node.value)
    index = [lower(body, element) for element in node.slice]
    value = extended(base, ELEMENT)
    if not value:
        body.out.append(Operation(body.span(node)))
    key = key_text(node.slice)
    reads = tuple(body.access("read", path, node, key=key) for path in value[:2])
    return Operand(value, (*deps_of(base, *index), *reads))


def _call(body: Body, node: cst.Call, *, awaited: bool = False, used: bool = True) -> Operand:
    func = _callee(body, node.func)
    operands = []
    arguments = []
    for argument in node.args:
        operand = lower(body, argument.value)
        operands.append(operand)
        name = argument.keyword.value if argument.keyword is not None else argument.star
        number = number_of(body, argument.value) if isinstance(argument.value, cst.BinaryOperation) else ()
        arguments.append(Argument(name, operand.value, operand.deps, number))
    event = body.number()
    key = key_text(node.args[0].value) if node.args and not node.args[0].star else ""
    deps = deps_of(func, *operands)
    body.out.append(Call(event, func.value, tuple(arguments), body.span(node), deps, used, awaited, key))
    return Operand(((f"c:{event}",),), (*deps, event))


def lower_statement_call(body: Body, node: cst.CSTNode) -> None:
    """An expression statement: its value is dropped, which a call remembers."""
    if isinstance(node, cst.Call):
        _call(body, node, used=False)
    elif isinstance(node, cst.Await) and isinstance(node.expression, cst.Call):
        operand = _call(body, node.expression, awaited=True, used=False)
        body.out.append(Suspend("await", body.span(node), operand.value, operand.deps))
    elif isinstance(node, cst.BooleanOperation):
        _boolean(body, node, used=False)
    elif isinstance(node, cst.IfExp):
        _conditional(body, node, used=False)
    else:
        lower(body, node)


def _arm(body: Body, node: cst.BaseExpression, used: bool) -> Operand:
    """Lower what a short circuit or conditional expression ends in."""
    if used:
        return lower(body, node)
    lower_statement_call(body, node)
    return NOTHING


def _callee(body: Body, node: cst.BaseExpression) -> Operand:
    if not isinstance(node, cst.Attribute):
        return lower(body, node)
    base = lower(body, node.value)
    rooted = all(len(path) == 1 and path[0].startswith(("g:", "i:", "k:", "v:", "c:", "l:")) for path in base.value)
    if rooted:
        kept = tuple(path for path in base.value if not is_constant(path))
        if not kept and base.value:
            kept = tuple((f"k:{path[0].split(':')[1]}",) for path in base.value)
        return Operand(tuple((*path, node.attr.value) for path in kept), base.deps)
    return _load_field(body, base, node.attr.value, node, called=True)


def _await(body: Body, node: cst.Await) -> Operand:
    if isinstance(node.expression, cst.Call):
        operand = _call(body, node.expression, awaited=True)
    else:
        operand = lower(body, node.expression)
    body.out.append(Suspend("await", body.span(node), operand.value, operand.deps))
    return operand


def _yield(body: Body, node: cst.Yield) -> Operand:
    body.is_generator = True
    operand = NOTHING
    if node.value is not None:
        inner = node.value.item if isinstance(node.value, cst.From) else node.value
        operand = lower(body, inner)
    body.out.append(Suspend("yield", body.span(node), operand.value, operand.deps))
    return NOTHING


def _named(body: Body, node: cst.NamedExpr) -> Operand:
    operand = lower(body, node.value)
    if isinstance(node.target, cst.Name):
        body.store_name(node.target, operand)
    return operand


def _boolean(body: Body, node: cst.BooleanOperation, *, used: bool = True) -> Operand:
    left = lower(body, node.left)
    condition = condition_of(body, node.left, left)
    is_or = isinstance(node.operator, cst.Or)
    before = body.environment.snapshot()
    with body.block() as block:
        right = _arm(body, node.right, used)
    body.environment.join(before)
    body.out.append(
        branch(body, node.left, condition, (), block) if is_or else branch(body, node.left, condition, block, ())
    )
    return joined(left, right) if is_or else Operand(right.value, deps_of(left, right))


def _conditional(body: Body, node: cst.IfExp, *, used: bool = True) -> Operand:
    test = lower(body, node.test)
    condition = condition_of(body, node.test, test)
    before = body.environment.snapshot()
    with body.block() as then:
        left = _arm(body, node.body, used)
    after_then = body.environment.snapshot()
    body.environment.restore(before)
    with body.block() as orelse:
        right = _arm(body, node.orelse, used)
    body.environment.join(after_then)
    body.out.append(branch(body, node.test, condition, then, orelse))
    result = joined(left, right)
    return Operand(result.value, deps_of(result, test))


def branch(
    body: Body, node: cst.CSTNode, condition: Condition, then: Sequence[AnyNode], orelse: Sequence[AnyNode]
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
    )


def _binary(body: Body, node: cst.BinaryOperation) -> Operand:
    """Arithmetic denotes nothing that is known, but `[0] * n` is a list made here."""
    left, right = lower(body, node.left), lower(body, node.right)
    made: Value = ()
    if isinstance(node.operator, (cst.Multiply, cst.Add)):
        displays = ((node.left, left.value), (node.right, right.value))
        made = next((value for side, value in displays if isinstance(side, (cst.List, cst.ListComp))), ())
    return Operand(made, deps_of(left, right))


def _comparison(body: Body, node: cst.Comparison) -> Operand:
    operands = [lower(body, node.left)]
    for part in node.comparisons:
        right = lower(body, part.comparator)
        operands.append(right)
        if isinstance(part.operator, (cst.In, cst.NotIn)):
            key = key_text(node.left)
            paths = extended(right, ELEMENT)[:2]
            operands.append(Operand((), tuple(body.access("test", path, node, key=key) for path in paths)))
    return Operand((), deps_of(*operands))


def _display(kind: str) -> Callable[[Body, Any], Operand]:
    def lower_display(body: Body, node: cst.CSTNode) -> Operand:
        number = body.number()
        path: Path = (f"v:{number}:{kind}",)
        operands = []
        placed = kind in ("list", "tuple")
        for position, element in enumerate(child_nodes(node)):
            placed = placed and isinstance(element, cst.Element)
            operand = _element(body, element)
            operands.append(operand)
            interesting = tuple(p for p in operand.value if not is_constant(p))
            if interesting:
                key = str(position) if placed else _dict_key(element)
                body.access("write", (*path, ELEMENT), element, deps=operand.deps, value=interesting, key=key)
        return Operand((path,), deps_of(*operands) if operands else ())

    return lower_display


def _dict_key(element: cst.CSTNode) -> str:
    if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString):
        return str(element.key.evaluated_value)
    return ""


def _element(body: Body, element: cst.CSTNode) -> Operand:
    if isinstance(element, cst.DictElement):
        key = lower(body, element.key)
        value = lower(body, element.value)
        return Operand(value.value, deps_of(key, value))
    if isinstance(element, (cst.Element, cst.StarredElement, cst.StarredDictElement)):
        operand = lower(body, element.value)
        return operand if isinstance(element, cst.Element) else Operand(extended(operand, ELEMENT), operand.deps)
    return lower(body, element)


def iterated(body: Body, node: cst.BaseExpression) -> Operand:
    """Lower what a loop iterates and append the iterate event; returns the operand of one element."""
    operand = lower(body, node)
    containers = operand.value
    view = ""
    inner: cst.BaseExpression = node
    while (
        isinstance(inner, cst.Call)
        and isinstance(inner.func, cst.Name)
        and inner.func.value in _WRAPPERS
        and inner.args
    ):
        inner = inner.args[-1].value
        containers = _reread(body, inner)
    if isinstance(inner, cst.Call) and isinstance(inner.func, cst.Attribute) and inner.func.attr.value in _VIEWS:
        view = inner.func.attr.value
        containers = _reread(body, inner.func.value)
    for path in containers[:2]:
        if not is_constant(path):
            body.access("iterate", path, node, deps=operand.deps, key=view)
    element = tuple((*path, ELEMENT) for path in containers if len(path) <= 5 and not is_constant(path))
    return Operand(element, operand.deps)


def _reread(body: Body, node: cst.BaseExpression) -> Value:
    """The paths of an expression that has just been lowered, without its events."""
    number = body._next
    with body.block():
        value = lower(body, node).value
    body._next = number
    return tuple(path for path in value if not path[0].startswith(("c:", "v:")))


def _comprehension(kind: str) -> Callable[[Body, Any], Operand]:
    def lower_comprehension(body: Body, node: Any) -> Operand:
        number = body.number()
        path: Path = (f"v:{number}:{kind}",)
        deps = _comp_for(body, node, node.for_in, path)
        return Operand((path,), deps)

    return lower_comprehension


def _comp_for(body: Body, node: Any, clause: cst.CompFor, path: Path) -> tuple[int, ...]:
    from racelint.summarize.targets import store

    turns = turns_of(body, clause.iter)
    element = iterated(body, clause.iter)
    with body.block() as block:
        store(body, clause.target, element)
        for condition in clause.ifs:
            lower(body, condition.test)
        if clause.inner_for_in is not None:
            inner = _comp_for(body, node, clause.inner_for_in, path)
        else:
            inner = _comp_element(body, node, path)
    body.out.append(
        Loop(
            "comprehension",
            body.span(node),
            element.deps,
            (),
            tuple(block),
            (),
            element.value,
            is_async=clause.asynchronous is not None,
            counted=is_range(clause.iter),
            turns=turns,
        )
    )
    return deps_of(element, Operand((), inner))


def _comp_element(body: Body, node: Any, path: Path) -> tuple[int, ...]:
    if isinstance(node, cst.DictComp):
        key = lower(body, node.key)
        value = lower(body, node.value)
        operand = Operand(value.value, deps_of(key, value))
        place = node.value
    else:
        operand = lower(body, node.elt)
        place = node.elt
    if operand.value and not is_constant(operand.value[0]):
        body.access("write", (*path, ELEMENT), place, deps=operand.deps, value=operand.value)
    return operand.deps


def is_range(node: cst.BaseExpression) -> bool:
    """`range(…)`: a loop over numbers."""
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "range"


def _lambda(body: Body, node: cst.Lambda) -> Operand:
    from racelint.summarize.definitions import define_lambda

    return define_lambda(body, node)


_EXPRESSIONS: dict[type, Callable[[Body, Any], Operand]] = {
    cst.Name: _name,
    cst.Integer: _integer,
    cst.Float: _float,
    cst.SimpleString: _string,
    cst.ConcatenatedString: _formatted,
    cst.FormattedString: _formatted,
    cst.Attribute: _attribute,
    cst.Subscript: _subscript,
    cst.Call: _call,
    cst.Await: _await,
    cst.Yield: _yield,
    cst.NamedExpr: _named,
    cst.BooleanOperation: _boolean,
    cst.IfExp: _conditional,
    cst.BinaryOperation: _binary,
    cst.Comparison: _comparison,
    cst.List: _display("list"),
    cst.Tuple: _display("tuple"),
    cst.Set: _display("set"),
    cst.Dict: _display("dict"),
    cst.ListComp: _comprehension("list"),
    cst.SetComp: _comprehension("set"),
    cst.DictComp: _comprehension("dict"),
    cst.GeneratorExp: _comprehension("generator"),
    cst.Lambda: _lambda,
}
