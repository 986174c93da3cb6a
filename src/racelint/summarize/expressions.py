"""Expressions to events, in Python's order of evaluation. One function a node type, found by a dispatch table."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from racelint.model.summary import ELEMENT, AnyNode, Argument, Branch, Call, Loop, Operation, Path, Suspend, Value
from racelint.summarize.body import Body
from racelint.summarize.conditions import Condition, condition_of
from racelint.summarize.environment import NOTHING, Operand, deps_of, extended, is_constant, joined
from racelint.summarize.numbers import number_of, turns_of
from racelint.syntax.texts import constant_text, key_text

_LONG = 58
"""Strings longer than this are kept as no more than strings."""
_VIEWS = frozenset({"items", "values", "keys", "iteritems", "itervalues", "iterkeys"})
_MAX_KEYS = 12
_WRAPPERS = frozenset({"enumerate", "reversed", "zip", "iter", "map", "filter"})
"""Builtins that advance their argument lazily, so that iterating them iterates it."""


def lower(body: Body, node: ast.AST) -> Operand:
    """Append the events of an expression; returns what it denotes."""
    handler = _EXPRESSIONS.get(type(node))
    if handler is not None:
        return handler(body, node)
    operands = [lower(body, child) for child in ast.iter_child_nodes(node)]
    return Operand((), deps_of(*operands)) if operands else NOTHING


def _leaf(body: Body, node: ast.AST) -> Operand:
    """Operators and contexts, which are nodes too."""
    return NOTHING


def _name(body: Body, node: ast.Name) -> Operand:
    return body.load_name(node.id, node)


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


def _formatted(body: Body, node: ast.JoinedStr) -> Operand:
    operands = [lower(body, part) for part in node.values if not isinstance(part, ast.Constant)]
    return Operand((("k:str:",),), deps_of(*operands) if operands else ())


def _formatted_value(body: Body, node: ast.FormattedValue) -> Operand:
    operands = [lower(body, part) for part in (node.value, node.format_spec) if part is not None]
    return Operand((), deps_of(*operands))


def _attribute(body: Body, node: ast.Attribute) -> Operand:
    base = lower(body, node.value)
    return _load_field(body, base, node.attr, node)


def _load_field(body: Body, base: Operand, field: str, node: ast.AST, *, called: bool = False) -> Operand:
    value = extended(base, field)
    reads = tuple(body.access("read", path, body.span(node), called=called) for path in value[:2])
    return Operand(value, (*base.deps, *reads))


def subscripts(node: ast.Subscript) -> Sequence[ast.expr]:
    """The parts of a subscript: several in `table[row, column]`."""
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else (node.slice,)


def _subscript(body: Body, node: ast.Subscript) -> Operand:
    base = lower(body, node.value)
    index = [lower(body, element) for element in subscripts(node)]
    value = extended(base, ELEMENT)
    if not value:
        body.out.append(Operation(body.span(node)))
    key = key_text(node.slice)
    reads = tuple(body.access("read", path, body.span(node), key=key) for path in value[:2])
    return Operand(value, (*deps_of(base, *index), *reads))


def _call(body: Body, node: ast.Call, *, awaited: bool = False, used: bool = True) -> Operand:
    func = _callee(body, node.func)
    operands = []
    arguments: list[Argument] = []
    key = ""
    bracketed = {id(keyword.value) for keyword in node.keywords if _is_bracketed(keyword)}
    for name, value in _arguments(node):
        operand = lower(body, value)
        operands.append(operand)
        number = number_of(body, value) if isinstance(value, ast.BinOp) else ()
        if not arguments and not name.startswith("*"):
            key = key_text(value)
        arguments.append(Argument(name, operand.value, operand.deps, number, id(value) in bracketed))
    event = body.number()
    deps = deps_of(func, *operands)
    body.out.append(Call(event, func.value, tuple(arguments), body.span(node), deps, used, awaited, key))
    return Operand(((f"c:{event}",),), (*deps, event))


def _arguments(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """What a call passes, in source order; the name is a keyword, `*` or `**`, else empty."""
    found = [("*", arg.value) if isinstance(arg, ast.Starred) else ("", arg) for arg in node.args]
    found += [(keyword.arg or "**", keyword.value) for keyword in node.keywords]
    if node.keywords and any(name == "*" for name, _ in found):
        found.sort(key=lambda pair: (pair[1].lineno, pair[1].col_offset))
    return iter(found)


def _is_bracketed(keyword: ast.keyword) -> bool:
    """`args=(x)`: the brackets are the argument's, and not those of a tuple or generator."""
    value = keyword.value
    return (keyword.end_lineno, keyword.end_col_offset) > (value.end_lineno, value.end_col_offset)


def lower_statement_call(body: Body, node: ast.expr) -> None:
    """An expression statement: its value is dropped, which a call remembers."""
    if isinstance(node, ast.Call):
        _call(body, node, used=False)
    elif isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
        operand = _call(body, node.value, awaited=True, used=False)
        body.out.append(Suspend("await", body.span(node), operand.value, operand.deps))
    elif isinstance(node, ast.BoolOp):
        _boolean(body, node, used=False)
    elif isinstance(node, ast.IfExp):
        _conditional(body, node, used=False)
    else:
        lower(body, node)


def _arm(body: Body, node: ast.expr, used: bool) -> Operand:
    """Lower what a short circuit or conditional expression ends in."""
    if used:
        return lower(body, node)
    lower_statement_call(body, node)
    return NOTHING


def _callee(body: Body, node: ast.expr) -> Operand:
    if not isinstance(node, ast.Attribute):
        return lower(body, node)
    base = lower(body, node.value)
    rooted = all(len(path) == 1 and path[0].startswith(("g:", "i:", "k:", "v:", "c:", "l:")) for path in base.value)
    if rooted:
        kept = tuple(path for path in base.value if not is_constant(path))
        if not kept and base.value:
            kept = tuple((f"k:{path[0].split(':')[1]}",) for path in base.value)
        return Operand(tuple((*path, node.attr) for path in kept), base.deps)
    return _load_field(body, base, node.attr, node, called=True)


def _await(body: Body, node: ast.Await) -> Operand:
    if isinstance(node.value, ast.Call):
        operand = _call(body, node.value, awaited=True)
    else:
        operand = lower(body, node.value)
    body.out.append(Suspend("await", body.span(node), operand.value, operand.deps))
    return operand


def _yield(body: Body, node: ast.Yield | ast.YieldFrom) -> Operand:
    body.is_generator = True
    operand = lower(body, node.value) if node.value is not None else NOTHING
    body.out.append(Suspend("yield", body.span(node), operand.value, operand.deps))
    return NOTHING


def _named(body: Body, node: ast.NamedExpr) -> Operand:
    operand = lower(body, node.value)
    body.store_name(node.target.id, body.span(node.target), operand)
    return operand


def _boolean(body: Body, node: ast.BoolOp, *, used: bool = True) -> Operand:
    """`a and b and c` as `(a and b) and c`: each operand decides whether the next is evaluated."""
    node_left = _all_but_last(node)
    left = lower(body, node_left)
    condition = condition_of(body, node_left, left)
    is_or = isinstance(node.op, ast.Or)
    before = body.environment.snapshot()
    with body.block() as block:
        right = _arm(body, node.values[-1], used)
    body.environment.join(before)
    body.out.append(
        branch(body, node_left, condition, (), block) if is_or else branch(body, node_left, condition, block, ())
    )
    return joined(left, right) if is_or else Operand(right.value, deps_of(left, right))


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


def _conditional(body: Body, node: ast.IfExp, *, used: bool = True) -> Operand:
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
    )


def _binary(body: Body, node: ast.BinOp) -> Operand:
    """Arithmetic denotes nothing that is known, but `[0] * n` is a list made here."""
    left, right = lower(body, node.left), lower(body, node.right)
    made: Value = ()
    if isinstance(node.op, (ast.Mult, ast.Add)):
        displays = ((node.left, left.value), (node.right, right.value))
        made = next((value for side, value in displays if isinstance(side, (ast.List, ast.ListComp))), ())
    return Operand(made, deps_of(left, right))


def _unary(body: Body, node: ast.UnaryOp) -> Operand:
    return Operand((), lower(body, node.operand).deps)


def _comparison(body: Body, node: ast.Compare) -> Operand:
    operands = [lower(body, node.left)]
    for operator, comparator in zip(node.ops, node.comparators, strict=True):
        right = lower(body, comparator)
        operands.append(right)
        if isinstance(operator, (ast.In, ast.NotIn)):
            key = key_text(node.left)
            paths = extended(right, ELEMENT)[:2]
            operands.append(Operand((), tuple(body.access("test", path, body.span(node), key=key) for path in paths)))
    return Operand((), deps_of(*operands))


def _display(kind: str) -> Callable[[Body, Any], Operand]:
    def lower_display(body: Body, node: ast.List | ast.Tuple | ast.Set) -> Operand:
        starred = any(isinstance(element, ast.Starred) for element in node.elts)
        path: Path = (f"v:{body.number()}:{kind}:{'?' if starred else len(node.elts)}",)
        operands = []
        placed = kind in ("list", "tuple")
        for position, element in enumerate(node.elts):
            if isinstance(element, ast.Starred):
                placed = False
                inner = lower(body, element.value)
                operand = Operand(extended(inner, ELEMENT), inner.deps)
            else:
                operand = lower(body, element)
            operands.append(operand)
            _put(body, path, element, operand, str(position) if placed else "")
        return Operand((path,), deps_of(*operands) if operands else ())

    return lower_display


def _dict(body: Body, node: ast.Dict) -> Operand:
    path: Path = (f"v:{body.number()}:dict:{_keys(node)}",)
    operands = []
    for key, value in zip(node.keys, node.values, strict=True):
        before = lower(body, key) if key is not None else NOTHING
        inner = lower(body, value)
        held = inner.value if key is not None else extended(inner, ELEMENT)
        operand = Operand(held, deps_of(before, inner))
        operands.append(operand)
        name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
        _put(body, path, value, operand, name)
    return Operand((path,), deps_of(*operands) if operands else ())


def _keys(node: ast.Dict) -> str:
    """The keys of a small dict that are all plain names, else `?`."""
    names = [key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else "" for key in node.keys]
    return ",".join(names) if len(names) <= _MAX_KEYS and all(name.isidentifier() for name in names) else "?"


def _put(body: Body, container: Path, node: ast.expr, operand: Operand, key: str) -> None:
    """What a display puts into the container it makes."""
    interesting = tuple(path for path in operand.value if not is_constant(path))
    if interesting:
        body.access("write", (*container, ELEMENT), body.span(node), deps=operand.deps, value=interesting, key=key)


def iterated(body: Body, node: ast.expr) -> Operand:
    """Lower what a loop iterates and append the iterate event; returns the operand of one element."""
    operand = lower(body, node)
    containers = operand.value
    view = ""
    inner: ast.expr = node
    while (
        isinstance(inner, ast.Call)
        and isinstance(inner.func, ast.Name)
        and inner.func.id in _WRAPPERS
        and (inner.args or inner.keywords)
    ):
        *_, (_, inner) = _arguments(inner)
        containers = _reread(body, inner)
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr in _VIEWS:
        view = inner.func.attr
        containers = _reread(body, inner.func.value)
    for path in containers[:2]:
        if not is_constant(path):
            body.access("iterate", path, body.span(node), deps=operand.deps, key=view)
    element = tuple((*path, ELEMENT) for path in containers if len(path) <= 5 and not is_constant(path))
    return Operand(element, operand.deps)


def _reread(body: Body, node: ast.expr) -> Value:
    """The paths of an expression that has just been lowered, without its events."""
    number = body._next
    with body.block():
        value = lower(body, node).value
    body._next = number
    return tuple(path for path in value if not path[0].startswith(("c:", "v:")))


def _comprehension(kind: str) -> Callable[[Body, Any], Operand]:
    def lower_comprehension(body: Body, node: Any) -> Operand:
        path: Path = (f"v:{body.number()}:{kind}",)
        return Operand((path,), _comp_for(body, node, node.generators, path))

    return lower_comprehension


def _comp_for(body: Body, node: Any, clauses: Sequence[ast.comprehension], path: Path) -> tuple[int, ...]:
    from racelint.summarize.targets import store

    clause, *inner_clauses = clauses
    turns = turns_of(body, clause.iter)
    element = iterated(body, clause.iter)
    with body.block() as block:
        store(body, clause.target, element)
        for condition in clause.ifs:
            lower(body, condition)
        if inner_clauses:
            inner = _comp_for(body, node, inner_clauses, path)
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
            is_async=bool(clause.is_async),
            counted=is_range(clause.iter),
            turns=turns,
        )
    )
    return deps_of(element, Operand((), inner))


def _comp_element(body: Body, node: Any, path: Path) -> tuple[int, ...]:
    if isinstance(node, ast.DictComp):
        key = lower(body, node.key)
        value = lower(body, node.value)
        operand = Operand(value.value, deps_of(key, value))
        place = node.value
    else:
        operand = lower(body, node.elt)
        place = node.elt
    if operand.value and not is_constant(operand.value[0]):
        body.access("write", (*path, ELEMENT), body.span(place), deps=operand.deps, value=operand.value)
    return operand.deps


def is_range(node: ast.expr) -> bool:
    """`range(…)`: a loop over numbers."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"


def _lambda(body: Body, node: ast.Lambda) -> Operand:
    from racelint.summarize.definitions import define_lambda

    return define_lambda(body, node)


_EXPRESSIONS: dict[type, Callable[[Body, Any], Operand]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.JoinedStr: _formatted,
    ast.FormattedValue: _formatted_value,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.NamedExpr: _named,
    ast.BoolOp: _boolean,
    ast.IfExp: _conditional,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _comparison,
    ast.List: _display("list"),
    ast.Tuple: _display("tuple"),
    ast.Set: _display("set"),
    ast.Dict: _dict,
    ast.ListComp: _comprehension("list"),
    ast.SetComp: _comprehension("set"),
    ast.DictComp: _comprehension("dict"),
    ast.GeneratorExp: _comprehension("generator"),
    ast.Lambda: _lambda,
    ast.Load: _leaf,
}
