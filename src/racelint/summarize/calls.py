"""Calls, with what they are given, and awaits."""

from __future__ import annotations

import ast

from racelint.model.summary import Argument, Call, Suspend
from racelint.summarize.arguments import arguments_of, is_bracketed
from racelint.summarize.body import Body
from racelint.summarize.containers import note_iteration
from racelint.summarize.dispatch import lower, lowers
from racelint.summarize.environment import Operand, deps_of, is_constant
from racelint.summarize.expressions import load_field
from racelint.summarize.folding import folded
from racelint.summarize.numbers import number_of
from racelint.syntax.texts import key_text

_GENERIC = frozenset({"dict", "list", "set", "frozenset", "tuple", "deque", "defaultdict"})


@lowers(ast.Call)
def lower_call(body: Body, node: ast.Call, *, awaited: bool = False, used: bool = True) -> Operand:
    func = _callee(body, node.func)
    operands = []
    arguments: list[Argument] = []
    key = ""
    bracketed = {id(keyword.value) for keyword in node.keywords if is_bracketed(keyword)}
    for name, value in arguments_of(node):
        operand = lower(body, value)
        operands.append(operand)
        number = number_of(body, value) if isinstance(value, ast.BinOp) else ()
        if not arguments and not name.startswith("*"):
            key = key_text(value)
        arguments.append(Argument(name, operand.value, operand.deps, number, id(value) in bracketed))
    container = folded(node)
    if container is not None:
        note_iteration(body, container, container, deps_of(*operands))
    event = body.number()
    deps = deps_of(func, *operands)
    body.out.append(Call(event, func.value, tuple(arguments), body.span(node), deps, used, awaited, key))
    return Operand(((f"c:{event}",),), (*deps, event))


def _callee(body: Body, node: ast.expr) -> Operand:
    if isinstance(node, ast.Subscript) and _is_generic(node.value):
        node = node.value
    if not isinstance(node, ast.Attribute):
        return lower(body, node)
    base = lower(body, node.value)
    rooted = all(len(path) == 1 and path[0].startswith(("g:", "i:", "k:", "v:", "c:", "l:")) for path in base.value)
    if rooted:
        kept = tuple(path for path in base.value if not is_constant(path))
        if not kept and base.value:
            kept = tuple((f"k:{path[0].split(':')[1]}",) for path in base.value)
        return Operand(tuple((*path, node.attr) for path in kept), base.deps)
    return load_field(body, base, node.attr, node, called=True)


def _is_generic(node: ast.expr) -> bool:
    """`Queue` of `Queue[int]()`: a class by its name; what is kept in a table of functions is called as it is found."""
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in _GENERIC or (name[:1].isupper() and not name.isupper())


@lowers(ast.Await)
def _await(body: Body, node: ast.Await) -> Operand:
    if isinstance(node.value, ast.Call):
        operand = lower_call(body, node.value, awaited=True)
    else:
        operand = lower(body, node.value)
    body.out.append(Suspend("await", body.span(node), operand.value, operand.deps))
    return operand
