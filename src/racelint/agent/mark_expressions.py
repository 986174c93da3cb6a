"""Marks in expressions: names, fields, items, calls."""

from __future__ import annotations

import ast

from . import sites as kinds
from .marker import Marker, or_name

READS_ITS_ARGUMENT = frozenset(
    [
        "len",
        "list",
        "tuple",
        "set",
        "sorted",
        "sum",
        "min",
        "max",
        "any",
        "all",
        "iter",
        "dict",
        "frozenset",
        "reversed",
        "enumerate",
        "str",
        "repr",
        "bool",
        "zip",
    ]
)

CHANGES_ITS_ARGUMENT = frozenset(
    ["heappush", "heappop", "heapify", "heapreplace", "heappushpop", "insort", "insort_left", "insort_right", "shuffle"]
)
TAKES_IN_ITS_ARGUMENT = frozenset(["join", "extend", "extendleft", "update", "union", "intersection", "difference"])

PAST_ANY_MARK = frozenset({"getattr", "setattr", "delattr", "vars", "exec", "eval"})


class ExpressionMarks(Marker):
    """Reads, and calls that read or change what they are called on."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        node.left = self.visit(node.left)
        for index, (operation, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
            contained = isinstance(operation, ast.In | ast.NotIn) and self._may_hold_shared(right, local_names=True)
            node.comparators[index] = self._contents(right) if contained else self.visit(right)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and self._is_shared_name(node.id) and not self.in_class_body:
            site = self._site(node, kinds.NAME_READ, node.id)
            return self._read(site, or_name(self._mark("_rl_p", site, ast.Constant(None)), node.id), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if self._is_stdlib(node):
            return node
        text = self._text(node)
        kind = kinds.READ if isinstance(node.ctx, ast.Load) else kinds.WRITE
        value = self.visit(node.value)
        site = self._site(node, kind, node.attr, text)
        node.value = self._mark("_rl_p", site, value)
        return self._read(site, node, node) if kind == kinds.READ else node

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        unpacked = isinstance(node.ctx, ast.Load) and self._may_hold_shared(node.value, local_names=True)
        node.value = self._contents(node.value) if unpacked else self.visit(node.value)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        text, what = self._text(node), self._text(node.value)
        kind = kinds.ITEM_READ if isinstance(node.ctx, ast.Load) else kinds.ITEM_WRITE
        late = _has_access(node.slice) and not isinstance(node.slice, ast.Slice | ast.Tuple)
        value, key = self.visit(node.value), self.visit(node.slice)
        site = self._site(node, kind, what, text)
        node.value = self._mark("_rl_q" if late else "_rl_p", site, value)
        node.slice = self._mark("_rl_c", site, key) if late else key
        return self._read(site, node, node) if kind == kinds.ITEM_READ else node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        value = self.visit(node.value) if node.value is not None else ast.Constant(None)
        node.value = self._point(node, kinds.YIELD, "yield", value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Attribute):
            return self._method_call(node, node.func)
        if isinstance(node.func, ast.Name):
            return self._function_call(node, node.func)
        return self.generic_visit(node)

    def _function_call(self, node: ast.Call, function: ast.Name) -> ast.AST:
        if function.id in PAST_ANY_MARK and not self._is_local(function.id):
            self.table.unmarked.append((self.path, node.lineno, function.id))
        readable = len(node.args) >= 1 and self._may_hold_shared(node.args[0], local_names=True)
        if function.id == "next" and (readable or self._begins_walk(node)):
            text = self._text(node)
            node.args[0] = self._point(node, kinds.ADVANCE, "next", self.visit(node.args[0]), text)
            return node
        if function.id in READS_ITS_ARGUMENT | CHANGES_ITS_ARGUMENT and readable and not self._is_local(function.id):
            return self._with_contents(node, function.id)
        return self.generic_visit(node)

    def _with_contents(self, node: ast.Call, name: str) -> ast.Call:
        """What the call does with the contents of its first argument: it changes them, or only looks."""
        first, *others = node.args
        changes = name in CHANGES_ITS_ARGUMENT
        late = any(_has_access(part) for part in (*others, *node.keywords))
        text = self._text(node if changes else first)
        value = self.visit(first)
        rest = [self.visit(argument) for argument in others]
        site = self._site(first, kinds.CHANGE if changes else kinds.CONTENTS, name if changes else text, text)
        node.args = [self._mark("_rl_q" if late else "_rl_p", site, value), *rest]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        if late:
            self._mark_last_argument(node, site)
        return node

    def _begins_walk(self, node: ast.Call) -> bool:
        """Whether it is `next(iter(shared))`: between the two, others may change what is walked through."""
        inner = node.args[0] if node.args else None
        if not (isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "iter"):
            return False
        return len(inner.args) == 1 and self._may_hold_shared(inner.args[0], local_names=True)

    def _method_call(self, node: ast.Call, function: ast.Attribute) -> ast.AST:
        holder = function.value
        own = isinstance(holder, ast.Name) and holder.id in ("self", "cls") and function.attr in self.methods
        parent = isinstance(holder, ast.Call) and isinstance(holder.func, ast.Name) and holder.func.id == "super"
        stdlib = self._is_stdlib(holder)
        changes = function.attr in CHANGES_ITS_ARGUMENT
        if stdlib and not node.keywords and node.args and self._may_hold_shared(node.args[0], local_names=changes):
            return self._with_contents(node, function.attr)
        if own or stdlib or isinstance(holder, ast.Constant | ast.JoinedStr):
            self._arguments(node)
            if not (own or stdlib):
                function.value = self.visit(holder)
            return node
        return self._shared_call(node, function, parent)

    def _arguments(self, node: ast.Call) -> None:
        """Visit them; what a container takes in or a text joins is looked into."""
        takes_in = isinstance(node.func, ast.Attribute) and node.func.attr in TAKES_IN_ITS_ARGUMENT
        node.args = [
            self._contents(argument) if takes_in and self._may_hold_shared(argument) else self.visit(argument)
            for argument in node.args
        ]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]

    def _shared_call(self, node: ast.Call, function: ast.Attribute, parent: bool) -> ast.expr:
        late = any(_has_access(part) for part in (*node.args, *node.keywords))
        spoken = self._text(node)
        text = spoken if len(spoken) <= 60 else f"{self._text(function)}(…)"
        value = function.value if parent else self.visit(function.value)
        self._arguments(node)
        site = self._site(node, kinds.CALL, function.attr, text)
        if late:
            function.value = self._mark("_rl_q", site, value)
            self._mark_last_argument(node, site)
        else:
            function.value = self._mark("_rl_p", site, value)
        return self._read(site, node, node)

    def _mark_last_argument(self, node: ast.Call, site: int) -> None:
        if node.keywords:
            last = node.keywords[-1]
            last.value = self._mark("_rl_c", site, last.value)
            return
        argument = node.args[-1]
        if isinstance(argument, ast.Starred):
            argument.value = self._mark("_rl_c", site, argument.value)
        else:
            node.args[-1] = self._mark("_rl_c", site, argument)


def _has_access(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Attribute | ast.Subscript | ast.Call | ast.Await) for part in ast.walk(node))
