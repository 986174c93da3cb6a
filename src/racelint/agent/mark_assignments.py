"""Marks in assignments: the write comes after its yield point, and an augmented one is split in two."""

from __future__ import annotations

import ast
import operator
from typing import Any

from . import sites as kinds
from .marker import Marker, load, or_name

IN_PLACE: dict[type[ast.operator], str] = {
    ast.Add: "iadd",
    ast.Sub: "isub",
    ast.Mult: "imul",
    ast.Div: "itruediv",
    ast.FloorDiv: "ifloordiv",
    ast.Mod: "imod",
    ast.Pow: "ipow",
    ast.LShift: "ilshift",
    ast.RShift: "irshift",
    ast.BitAnd: "iand",
    ast.BitOr: "ior",
    ast.BitXor: "ixor",
    ast.MatMult: "imatmul",
}
OPERATORS = {f"_rl_{name}": getattr(operator, name) for name in IN_PLACE.values()}


class AssignmentMarks(Marker):
    """Assignments, plain, annotated and augmented."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        node.value = self.visit(node.value)
        self.latest = 0
        node.targets = [self._target(target) for target in node.targets]
        if self.latest and len(node.targets) == 1:
            node.value = self._written(node.targets[0], self.latest, node.value)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
            self.latest = 0
            target: Any = self._target(node.target)
            if self.latest:
                node.value = self._written(target, self.latest, node.value)
            node.target = target
        return node

    def _target(self, target: ast.expr) -> ast.expr:
        changed: ast.expr = target if isinstance(target, ast.Name) else self.visit(target)
        if isinstance(target, ast.Name) and self._is_shared_name(target.id):
            self._site(target, kinds.NAME_WRITE, target.id)
        return changed

    def _written(self, target: ast.expr, site: int, value: ast.expr) -> ast.expr:
        if isinstance(target, ast.Name):
            return self._mark("_rl_p", site, value)
        if self.traced and isinstance(target, ast.Attribute | ast.Subscript):
            return self._mark("_rl_w", site, value)
        return value

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        target = node.target
        if isinstance(target, ast.Attribute) and not self._is_stdlib(target):
            return self._augmented_attribute(node, target)
        if isinstance(target, ast.Subscript):
            return self._augmented_item(node, target)
        if isinstance(target, ast.Name) and self._is_shared_name(target.id):
            return self._augmented_name(node, target)
        node.value = self.visit(node.value)
        return node

    def _augmented_attribute(self, node: ast.AugAssign, target: ast.Attribute) -> list[ast.stmt]:
        text = self._text(target)
        holder = self.visit(target.value)
        read, write = (self._site(target, kind, target.attr, text) for kind in (kinds.READ, kinds.WRITE))
        value = ast.Attribute(self._mark("_rl_p", read, load("_rl_object")), target.attr, ast.Load())
        stored = ast.Attribute(self._mark("_rl_p", write, load("_rl_object")), target.attr, ast.Store())
        steps = [_assign("_rl_object", holder), *self._in_place(node, read, value, write, stored)]
        return _placed(steps, node)

    def _augmented_item(self, node: ast.AugAssign, target: ast.Subscript) -> list[ast.stmt]:
        text = self._text(target)
        holder, key = self.visit(target.value), self.visit(_as_key(target.slice))
        what = self._text(target.value)
        read, write = (self._site(target, kind, what, text) for kind in (kinds.ITEM_READ, kinds.ITEM_WRITE))
        value = ast.Subscript(self._mark("_rl_p", read, load("_rl_object")), load("_rl_key"), ast.Load())
        stored = ast.Subscript(self._mark("_rl_p", write, load("_rl_object")), load("_rl_key"), ast.Store())
        steps = [_assign("_rl_object", holder), _assign("_rl_key", key)]
        return _placed([*steps, *self._in_place(node, read, value, write, stored)], node)

    def _augmented_name(self, node: ast.AugAssign, target: ast.Name) -> list[ast.stmt]:
        read, write = (self._site(target, kind, target.id) for kind in (kinds.NAME_READ, kinds.NAME_WRITE))
        value = self._read(read, or_name(self._mark("_rl_p", read, ast.Constant(None)), target.id), target)
        added = ast.Call(load(f"_rl_{IN_PLACE[type(node.op)]}"), [load("_rl_value"), self.visit(node.value)], [])
        steps = [
            _assign("_rl_value", value),
            _assign("_rl_value", added),
            _assign(target.id, self._mark("_rl_p", write, load("_rl_value"))),
        ]
        return _placed(steps, node)

    def _in_place(
        self, node: ast.AugAssign, read: int, value: ast.expr, write: int, stored: ast.expr
    ) -> list[ast.stmt]:
        operand = self.visit(node.value)
        added: ast.expr = ast.Call(load(f"_rl_{IN_PLACE[type(node.op)]}"), [load("_rl_value"), operand], [])
        if self.traced:
            added = self._mark("_rl_w", write, added)
        store = ast.Assign([stored], load("_rl_value"))
        return [_assign("_rl_value", self._read(read, value, node.target)), _assign("_rl_value", added), store]


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _placed(steps: list[ast.stmt], node: ast.stmt) -> list[ast.stmt]:
    return [ast.copy_location(step, node) for step in steps]


def _as_key(node: ast.expr) -> ast.expr:
    """The subscript as an expression of its own: a slice becomes `slice(…)`."""
    if isinstance(node, ast.Slice):
        bounds: list[ast.expr] = [part or ast.Constant(None) for part in (node.lower, node.upper, node.step)]
        return ast.copy_location(ast.Call(load("slice"), bounds, []), node)
    if isinstance(node, ast.Tuple):
        return ast.copy_location(ast.Tuple([_as_key(part) for part in node.elts], ast.Load()), node)
    return node
