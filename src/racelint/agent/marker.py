"""What all marks need: sites, names that may be shared, and the walk over statements."""

from __future__ import annotations

import ast
import builtins
import contextlib
from typing import Any

from . import sites as kinds
from .scopes import Function, ModuleNames, Scope
from .sites import SiteTable

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Marker(ast.NodeTransformer):
    """One walk over one module. `traced` also wraps values, which costs speed and changes no site."""

    def __init__(self, names: ModuleNames, source: bytes, path: str, file: str, table: SiteTable, traced: bool) -> None:
        self.names = names
        self.lines = source.split(b"\n")
        self.path = path
        self.file = file
        self.table = table
        self.traced = traced
        self.scope: Scope | None = None
        self.qualified = "<module>"
        self.methods: set[str] = set()
        self.statement: ast.stmt | None = None
        self.in_class_body = False
        self.latest = 0

    def run(self, tree: ast.Module) -> None:
        tree.body = self._statements(tree.body)

    def _text(self, node: ast.AST) -> str:
        """The source of an expression; `ast.unparse` only where that is not on one line, for it is slow."""
        line, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        if line and line == last and line <= len(self.lines):
            found = self.lines[line - 1][node.col_offset : node.end_col_offset]  # type: ignore[attr-defined]
            with contextlib.suppress(UnicodeDecodeError):
                return found.decode("utf-8")
        return ast.unparse(node)

    def _site(self, node: ast.AST, kind: str, what: str, text: str | None = None) -> int:
        line = getattr(node, "lineno", 0)
        column = getattr(node, "col_offset", 0) + 1
        last = getattr(self.statement, "lineno", line)
        if self.statement is not None and not hasattr(self.statement, "body"):
            last = self.statement.end_lineno or last
        spoken = text if text is not None else self._text(node)
        place = (line, column, max(last, line))
        self.latest = self.table.add(self.file, self.qualified, kind, self.path, place, what, spoken)
        return self.latest

    def _mark(self, helper: str, site: int, value: ast.expr | None) -> ast.expr:
        arguments: list[ast.expr] = [ast.Constant(site)]
        if value is not None:
            arguments.append(value)
        call = ast.Call(ast.Name(helper, ast.Load()), arguments, [])
        return ast.copy_location(call, value) if value is not None else call

    def _point(self, node: ast.AST, kind: str, what: str, value: ast.expr, text: str | None = None) -> ast.expr:
        return self._mark("_rl_p", self._site(node, kind, what, text), value)

    def _read(self, site: int, value: ast.expr, where: ast.expr) -> ast.expr:
        return ast.copy_location(self._mark("_rl_v", site, value), where) if self.traced else value

    def _contents(self, node: ast.expr) -> ast.expr:
        text = self._text(node)
        return self._point(node, kinds.CONTENTS, text, self.visit(node), text)

    def _is_shared_name(self, name: str) -> bool:
        owner = self.scope.owner(name) if self.scope is not None else None
        if owner is None:
            return name in self.names.shared_globals
        return name in owner.cells

    def _is_local(self, name: str) -> bool:
        return self.scope is not None and self.scope.owner(name) is not None

    def _is_stdlib(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.names.stdlib_modules

    def _may_hold_shared(self, node: ast.expr, local_names: bool = False) -> bool:
        if isinstance(node, ast.Attribute):
            return not self._is_stdlib(node)
        if isinstance(node, ast.Name):
            if hasattr(builtins, node.id) or node.id in self.names.stdlib_modules:
                return False
            return local_names or not self._is_local(node.id)
        return isinstance(node, ast.Subscript)

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for statement in body:
            outer, self.statement = self.statement, statement
            changed: Any = self.visit(statement)
            self.statement = outer
            if isinstance(changed, list):
                result.extend(changed)
            elif changed is not None:
                result.append(changed)
        return result

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                if value and isinstance(value[0], ast.stmt):
                    setattr(node, name, self._statements(value))
                else:
                    value[:] = [self.visit(item) if isinstance(item, ast.AST) else item for item in value]
            elif isinstance(value, ast.AST) and name not in ("annotation", "returns"):
                setattr(node, name, self.visit(value))
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        saved = self._enter(node)
        node.body = self._statements(node.body)
        self._leave(saved)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        saved = self._enter(node)
        node.body = self.visit(node.body)
        self._leave(saved)
        return node

    def _enter(self, node: Function) -> tuple[Scope | None, str, bool]:
        saved = (self.scope, self.qualified, self.in_class_body)
        self.scope = self.names.scopes[node]
        self.qualified = self.scope.qualified
        self.in_class_body = False
        return saved

    def _leave(self, saved: tuple[Scope | None, str, bool]) -> None:
        self.scope, self.qualified, self.in_class_body = saved

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        outer = (self.qualified, self.methods, self.in_class_body)
        self.qualified = node.name if self.qualified == "<module>" else f"{self.qualified}.{node.name}"
        self.methods = self.names.methods.get(self.qualified, set())
        self.in_class_body = True
        node.body = [self.visit(s) if isinstance(s, _DEFINITIONS) else s for s in node.body]
        self.qualified, self.methods, self.in_class_body = outer
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        return node


def load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def or_name(point: ast.expr, name: str) -> ast.expr:
    return ast.BoolOp(ast.Or(), [point, load(name)])
