"""Marks in loops, conditions and `with`: turns, elements, truth of containers, entering a lock."""

from __future__ import annotations

import ast
import copy
from typing import Any

from . import sites as kinds
from .marker import Marker

VIEWS = frozenset({"items", "keys", "values"})


class FlowMarks(Marker):
    """Statements that decide what runs next."""

    def visit_For(self, node: ast.For) -> ast.AST:
        counted = _is_counted(node.iter)
        plain = isinstance(node.iter, ast.Name)
        node.iter = self._iterable(node.iter)
        if counted and not _starts_threads(node):
            node.iter = self._mark("_rl_n", self._site(node, kinds.COUNT, "range", ""), node.iter)
        node.target = self.visit(node.target)
        turn = self._site(node, kinds.TURN, "for", "for") if counted or plain else 0
        node.body = self._statements(node.body)
        node.orelse = self._statements(node.orelse)
        if turn:
            node.body.insert(0, ast.copy_location(ast.Expr(self._mark("_rl_t", turn, None)), node))
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        turn = self._site(node, kinds.TURN, "while", f"while {self._text(node.test)}")
        test = self._truth(node.test)
        node.test = ast.copy_location(ast.BoolOp(ast.And(), [self._mark("_rl_t", turn, None), test]), node.test)
        node.body = self._statements(node.body)
        node.orelse = self._statements(node.orelse)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.iter = self.visit(node.iter) if node.is_async else self._iterable(node.iter)
        node.ifs = [self._truth(test) for test in node.ifs]
        return node

    def _iterable(self, node: ast.expr) -> ast.expr:
        """Put a yield point before each further element of an iterable that may be shared."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("enumerate", "zip"):
            node.args = [self._iterable(argument) for argument in node.args]
            return node
        shared = self._may_hold_shared(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VIEWS:
            shared = self._may_hold_shared(node.func.value, local_names=True)
        if not shared:
            visited: ast.expr = self.visit(node)
            return visited
        text = self._text(node)
        value = self.visit(node)
        return self._mark("_rl_o", self._site(node, kinds.CONTENTS, text, text), value)

    def visit_If(self, node: ast.If) -> ast.AST:
        again = self._ask_again(node)
        node.test = self._truth(node.test)
        node.body = self._statements(node.body)
        node.body.extend(again)
        node.orelse = self._statements(node.orelse)
        return node

    def _ask_again(self, node: ast.If) -> list[ast.stmt]:
        """For `if test: condition.wait()`: a question at the end of the block, whether the test is still true."""
        last = node.body[-1]
        if not (isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) and self.scope is not None):
            return []
        function = last.value.func
        timed = last.value.args or last.value.keywords
        if not (isinstance(function, ast.Attribute) and function.attr == "wait") or timed or not _is_pure(node.test):
            return []
        site = self._site(last.value, kinds.WOKEN, "wait", self._text(node.test))
        nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        test = ast.Lambda(nothing, copy.deepcopy(node.test))
        return [ast.copy_location(ast.Expr(self._mark("_rl_s", site, test)), last)]

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        node.test = self._truth(node.test)
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        node.values = [self._truth(value) for value in node.values]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        node.operand = self._truth(node.operand) if isinstance(node.op, ast.Not) else self.visit(node.operand)
        return node

    def _truth(self, node: ast.expr) -> ast.expr:
        """The truth of a container reads its contents."""
        return self._contents(node) if self._may_hold_shared(node) else self.visit(node)

    def visit_With(self, node: ast.With) -> ast.AST:
        for item in node.items:
            expression = item.context_expr
            if self._may_hold_shared(expression, local_names=True):
                text = self._text(expression)
                item.context_expr = self._point(expression, kinds.ENTER, text, self.visit(expression), f"with {text}")
            else:
                item.context_expr = self.visit(expression)
            if item.optional_vars is not None:
                item.optional_vars = self.visit(item.optional_vars)
        node.body = self._statements(node.body)
        return node

    def visit_match_case(self, node: Any) -> Any:
        # A pattern names its values by dotted names: it cannot hold a call.
        if node.guard is not None:
            node.guard = self._truth(node.guard)
        node.body = self._statements(node.body)
        return node


def _is_pure(node: ast.expr) -> bool:
    """Names, fields, items, comparisons, logic and sizes: asking again changes nothing."""
    return not any(
        isinstance(part, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr | ast.Lambda)
        or (isinstance(part, ast.Call) and getattr(part.func, "id", getattr(part.func, "attr", "")) not in _ASKING)
        for part in ast.walk(node)
    )


def _is_counted(node: ast.expr) -> bool:
    """`range(…)` whose bounds are not the size of some data."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"):
        return False
    return not any(isinstance(part, ast.Call) for argument in node.args for part in ast.walk(argument))


def _starts_threads(loop: ast.For) -> bool:
    """Whether the body may start threads: their number must stay what other code (a Barrier) counts on."""
    starters = {"start", "submit", "Thread", "Process", "Timer", "start_new_thread", "apply_async"}
    for part in ast.walk(loop):
        if isinstance(part, ast.Call):
            function = part.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in starters:
                return True
    return False


_ASKING = frozenset({"len", "any", "all", "bool", "empty", "is_set", "qsize"})
