"""Which scope a name belongs to: Python's own rules, from one walk over a tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from racelint.syntax.parts import node_types, parts_of


class Scope(msgspec.Struct, eq=False):
    """The names of one module, class, function or lambda."""

    kind: str
    parent: Scope | None
    bound: set[str] = set()
    globals: set[str] = set()
    nonlocals: set[str] = set()
    used: set[str] = set()
    captured: set[str] = set()
    """Names of this function that a function inside it uses."""

    def owner_of(self, name: str) -> Scope | None:
        """The scope that `name` denotes a variable of when used here; None for a builtin or unknown name."""
        if self.kind == "module":
            return self if name in self.bound else None
        if name in self.globals:
            return self.module()
        if name in self.bound and name not in self.nonlocals:
            return self
        scope = self.parent
        while scope is not None and scope.kind != "module":
            if scope.kind == "function" and name in scope.bound and name not in scope.nonlocals:
                if name in scope.globals:
                    break
                return scope
            scope = scope.parent
        module = self.module()
        return module if name in module.bound else None

    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class ScopeTable:
    """All scopes of a module, by the node that opens them."""

    def __init__(self, module: ast.Module) -> None:
        self.module_scope = Scope("module", None)
        self.module_variables: set[str] = set()
        self._scopes: dict[ast.AST, Scope] = {module: self.module_scope}
        self._visit_all(module.body, self.module_scope)
        for scope in self._scopes.values():
            self.module_variables |= scope.globals
            self.module_scope.bound |= scope.globals
        for scope in self._scopes.values():
            if scope.parent is not None and scope.parent.kind != "module":
                self._capture(scope)

    def scope_of(self, node: ast.AST) -> Scope:
        return self._scopes[node]

    @staticmethod
    def _capture(scope: Scope) -> None:
        for name in scope.used | scope.nonlocals:
            owner = scope.owner_of(name)
            if owner is not None and owner is not scope and owner.kind == "function":
                owner.captured.add(name)

    def _visit_all(self, nodes: list[Any], scope: Scope) -> None:
        for node in nodes:
            _VISITS[type(node)](self, node, scope)

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        _VISITS[type(node)](self, node, scope)

    def _parts(self, node: ast.AST, scope: Scope) -> None:
        """What binds nothing by itself: look at all that it holds."""
        for part in parts_of(node):
            _VISITS[type(part)](self, part, scope)

    def _skip(self, node: object, scope: Scope) -> None:
        """A leaf without names, or what is missing."""

    def _name(self, node: ast.Name, scope: Scope) -> None:
        if type(node.ctx) is ast.Store:
            scope.bound.add(node.id)
            if scope.kind == "module":
                self.module_variables.add(node.id)
        else:
            scope.used.add(node.id)

    def _value(self, node: ast.Attribute | ast.Expr | ast.keyword, scope: Scope) -> None:
        self._visit(node.value, scope)

    def _call(self, node: ast.Call, scope: Scope) -> None:
        self._visit(node.func, scope)
        self._visit_all(node.args, scope)
        self._visit_all(node.keywords, scope)

    def _aug_assign(self, node: ast.AugAssign, scope: Scope) -> None:
        self._visit(node.target, scope)
        if isinstance(node.target, ast.Name):
            scope.used.add(node.target.id)
        self._visit(node.value, scope)

    def _comprehension(self, node: ast.comprehension, scope: Scope) -> None:
        """Its variables are bound where the comprehension stands, but they are no variables of a module."""
        variables = set(self.module_variables) if scope.kind == "module" else self.module_variables
        self._visit(node.target, scope)
        self.module_variables = variables
        self._visit(node.iter, scope)
        self._visit_all(node.ifs, scope)

    def _handler(self, node: ast.ExceptHandler, scope: Scope) -> None:
        if node.type is not None:
            self._visit(node.type, scope)
        if node.name is not None:
            scope.bound.add(node.name)
            if scope.kind == "module":
                self.module_variables.add(node.name)
        self._visit_all(node.body, scope)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            scope.bound.add(alias.asname or alias.name.partition(".")[0])

    def _global(self, node: ast.Global, scope: Scope) -> None:
        scope.globals.update(node.names)

    def _nonlocal(self, node: ast.Nonlocal, scope: Scope) -> None:
        scope.nonlocals.update(node.names)

    def _capture_pattern(self, node: ast.MatchAs | ast.MatchStar, scope: Scope) -> None:
        if node.name is not None:
            scope.bound.add(node.name)
        if isinstance(node, ast.MatchAs) and node.pattern is not None:
            self._visit(node.pattern, scope)

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        scope.bound.add(node.name)
        self._visit_all(node.decorator_list, scope)
        self._visit_all(node.bases, scope)
        self._visit_all(node.keywords, scope)
        inner = self._scopes[node] = Scope("class", scope)
        self._visit_all(node.body, inner)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        scope.bound.add(node.name)
        self._visit_all(node.decorator_list, scope)
        inner = self._scopes[node] = Scope("function", scope)
        self._parameters(node.args, scope, inner)
        if node.returns is not None:
            self._visit(node.returns, scope)
        self._visit_all(node.body, inner)

    def _lambda(self, node: ast.Lambda, scope: Scope) -> None:
        inner = self._scopes[node] = Scope("function", scope)
        self._parameters(node.args, scope, inner)
        self._visit(node.body, inner)

    def _parameters(self, arguments: ast.arguments, outer: Scope, inner: Scope) -> None:
        for _, argument, default in parameters_of(arguments):
            inner.bound.add(argument.arg)
            if default is not None:
                self._visit(default, outer)
            if argument.annotation is not None:
                self._visit(argument.annotation, outer)


def parameters_of(arguments: ast.arguments) -> Iterator[tuple[str, ast.arg, ast.expr | None]]:
    """Every parameter in source order with its kind (as in the summary's Parameter) and its default."""
    plain = [("positional", arg) for arg in arguments.posonlyargs] + [("plain", arg) for arg in arguments.args]
    missing = len(plain) - len(arguments.defaults)
    for position, (kind, arg) in enumerate(plain):
        yield kind, arg, arguments.defaults[position - missing] if position >= missing else None
    if arguments.vararg is not None:
        yield "star", arguments.vararg, None
    for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield "keyword", arg, default
    if arguments.kwarg is not None:
        yield "double-star", arguments.kwarg, None


_VISITS: dict[type, Callable[[ScopeTable, Any, Scope], None]] = {
    **dict.fromkeys(node_types(), ScopeTable._parts),
    **dict.fromkeys((type(None), str, int, bool), ScopeTable._skip),
    ast.Name: ScopeTable._name,
    ast.Attribute: ScopeTable._value,
    ast.Expr: ScopeTable._value,
    ast.keyword: ScopeTable._value,
    ast.Call: ScopeTable._call,
    ast.AugAssign: ScopeTable._aug_assign,
    ast.comprehension: ScopeTable._comprehension,
    ast.ExceptHandler: ScopeTable._handler,
    ast.Import: ScopeTable._import,
    ast.ImportFrom: ScopeTable._import,
    ast.Global: ScopeTable._global,
    ast.Nonlocal: ScopeTable._nonlocal,
    ast.MatchAs: ScopeTable._capture_pattern,
    ast.MatchStar: ScopeTable._capture_pattern,
    ast.ClassDef: ScopeTable._class,
    ast.FunctionDef: ScopeTable._function,
    ast.AsyncFunctionDef: ScopeTable._function,
    ast.Lambda: ScopeTable._lambda,
    **dict.fromkeys((ast.Constant, ast.Pass, ast.Break, ast.Continue), ScopeTable._skip),
}
