"""Displays, comprehensions and what a loop iterates: expressions that make or walk a container."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from racelint.model.summary import ELEMENT, Loop, Path, Suspend, Value
from racelint.summarize.arguments import arguments_of
from racelint.summarize.body import Body
from racelint.summarize.dispatch import lower, lowers
from racelint.summarize.environment import NOTHING, Operand, deps_of, extended, is_constant
from racelint.summarize.numbers import turns_of
from racelint.summarize.targets import store

_VIEWS = frozenset({"items", "values", "keys", "iteritems", "itervalues", "iterkeys"})
_VIEWING = frozenset({"iteritems", "itervalues", "iterkeys"})
"""Functions of compatibility modules that give a view, or an iterator over one."""
_MAX_KEYS = 12
_WRAPPERS = {
    **dict.fromkeys(("enumerate", "reversed", "iter"), slice(0, 1)),
    **dict.fromkeys(("map", "filter"), slice(1, None)),
    "zip": slice(0, None),
}
"""Builtins that advance some of their arguments lazily, so that iterating them iterates those."""
_PASSED = ("", "*", "iterable")
_KINDS: dict[type[ast.expr], str] = {
    ast.List: "list",
    ast.Tuple: "tuple",
    ast.Set: "set",
    ast.ListComp: "list",
    ast.SetComp: "set",
    ast.DictComp: "dict",
    ast.GeneratorExp: "generator",
}


@lowers(ast.List, ast.Tuple, ast.Set)
def _display(body: Body, node: ast.List | ast.Tuple | ast.Set) -> Operand:
    starred = any(isinstance(element, ast.Starred) for element in node.elts)
    path: Path = (f"v:{body.number()}:{_KINDS[type(node)]}:{'?' if starred else len(node.elts)}",)
    operands = []
    placed = not isinstance(node, ast.Set)
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


@lowers(ast.Dict)
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
    containers = note_iteration(body, node, node, operand.deps, operand.value)
    element = tuple((*path, ELEMENT) for path in containers if len(path) <= 5 and not is_constant(path))
    return Operand(element, operand.deps)


def note_iteration(
    body: Body, inner: ast.expr, shown: ast.expr, deps: Sequence[int], containers: Value | None = None
) -> Value:
    """Append the iterate events of an expression, lowered before, that is walked; returns the containers' paths."""
    if containers is None:
        containers = _reread(body, inner)
    for walked in _walked(inner):
        if walked is not inner:
            containers = _reread(body, walked)
        viewed, view = _viewed(walked)
        if view:
            containers = _reread(body, viewed)
        for path in containers[:2]:
            if not is_constant(path):
                body.access("iterate", path, body.span(shown), deps=tuple(deps), key=view)
    return containers


def _viewed(node: ast.expr) -> tuple[ast.expr, str]:
    """`table` and `items` of `table.items()`, `six.iteritems(table)` and `iteritems(table)`; no name for another."""
    if not isinstance(node, ast.Call):
        return node, ""
    if node.args and isinstance(node.func, (ast.Name, ast.Attribute)):
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        return (node.args[0], name.removeprefix("iter")) if name in _VIEWING else (node, "")
    if isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS:
        return node.func.value, node.func.attr
    return node, ""


def _walked(node: ast.expr) -> Iterator[ast.expr]:
    """What is walked where an expression is: itself, or what a lazy builtin is given."""
    inner: list[ast.expr] = []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _WRAPPERS:
        inner = [value for name, value in arguments_of(node) if name in _PASSED][_WRAPPERS[node.func.id]]
    for one in inner:
        yield from _walked(one)
    if not inner:
        yield node


@lowers(ast.YieldFrom)
def _yield_from(body: Body, node: ast.YieldFrom) -> Operand:
    """`yield from rows`: a loop that yields each."""
    body.is_generator = True
    element = iterated(body, node.value)
    span = body.span(node)
    switch = Suspend("yield", span, element.value, element.deps)
    body.out.append(Loop("for", span, element.deps, (), (switch,), (), element.value))
    return NOTHING


def _reread(body: Body, node: ast.expr) -> Value:
    """The paths of an expression that has just been lowered, without its events."""
    number = body._next
    with body.block():
        value = lower(body, node).value
    body._next = number
    return tuple(path for path in value if not path[0].startswith(("c:", "v:")))


@lowers(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
def _comprehension(body: Body, node: Any) -> Operand:
    path: Path = (f"v:{body.number()}:{_KINDS[type(node)]}",)
    return Operand((path,), _comp_for(body, node, node.generators, path))


def _comp_for(body: Body, node: Any, clauses: Sequence[ast.comprehension], path: Path) -> tuple[int, ...]:
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
