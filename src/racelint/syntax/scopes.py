"""Which scope a name belongs to: Python's own rules, from one walk over a tree."""

from __future__ import annotations

import ast
from ast import Attribute, Call, Name
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from racelint.syntax.parts import parts_of


class Scope(msgspec.Struct, eq=False):
    """The names of one module, class, function or lambda."""

    kind: str
    parent: Scope | None
    nested: bool = False
    """It stands in a function, whose variables it may use."""
    bound: set[str] = set()
    globals: set[str] = set()
    nonlocals: set[str] = set()
    used: set[str] = set()
    """Of a nested scope alone."""
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
        self._scopes: dict[ast.AST, Scope] = {module: self.module_scope}
        self.module_variables = self._fill(self.module_scope, module.body)
        for scope in self._scopes.values():
            self.module_variables |= scope.globals
            self.module_scope.bound |= scope.globals
        for scope in self._scopes.values():
            if scope.nested:
                self._capture(scope)

    def scope_of(self, node: ast.AST) -> Scope:
        return self._scopes[node]

    @property
    def definitions(self) -> Iterable[ast.AST]:
        """The module, its classes, functions and lambdas, each after what it stands in."""
        return self._scopes

    @staticmethod
    def _inside(kind: str, scope: Scope) -> Scope:
        return Scope(kind, scope, scope.nested or scope.kind == "function")

    @staticmethod
    def _capture(scope: Scope) -> None:
        for name in scope.used | scope.nonlocals:
            owner = scope.owner_of(name)
            if owner is not None and owner is not scope and owner.kind == "function":
                owner.captured.add(name)

    def _fill(self, scope: Scope, nodes: Iterable[ast.AST]) -> set[str]:
        """Note which names the nodes of a scope bind, and use where that matters; returns those that it assigns.

        One loop over all that they hold, whatever the order: this is asked of every node of every file.
        """
        assigned: set[str] = set()
        pending: list[Any] = [*nodes]
        for node in pending:
            kind = type(node)
            if kind is Name:
                if scope.nested:
                    scope.used.add(node.id)
            elif kind is Attribute:
                pending.append(node.value)
            elif kind is Call:
                pending.append(node.func)
                pending += node.args
                pending += node.keywords
            elif kind in _BINDING:
                pending += _BINDING[kind](self, node, scope, assigned)
            elif kind not in _LEAVES:
                pending += parts_of(node)
        scope.bound |= assigned
        return assigned

    def _assign(self, node: ast.Assign, scope: Scope, assigned: set[str]) -> Sequence[ast.AST]:
        return [*_unnamed(node.targets, assigned), node.value]

    def _target(
        self, node: ast.AnnAssign | ast.For | ast.AsyncFor | ast.NamedExpr, scope: Scope, assigned: set[str]
    ) -> Sequence[ast.AST]:
        return [*_unnamed([node.target], assigned), *parts_of(node)[1:]]

    def _aug_assign(self, node: ast.AugAssign, scope: Scope, assigned: set[str]) -> Sequence[ast.AST]:
        _unnamed([node.target], assigned)
        return node.target, node.value

    def _with_item(self, node: ast.withitem, scope: Scope, assigned: set[str]) -> Sequence[ast.AST]:
        return [node.context_expr, *_unnamed([node.optional_vars] if node.optional_vars else (), assigned)]

    def _comprehension(self, node: ast.comprehension, scope: Scope, assigned: set[str]) -> Sequence[ast.AST]:
        """Its variables are bound where the comprehension stands, but they are no variables of a module."""
        return [*_unnamed([node.target], scope.bound), node.iter, *node.ifs]

    def _handler(self, node: ast.ExceptHandler, scope: Scope, assigned: set[str]) -> Sequence[ast.AST]:
        if node.name is not None:
            assigned.add(node.name)
        return node.body if node.type is None else [node.type, *node.body]

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope, assigned: set[str]) -> Sequence[ast.AST]:
        scope.bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        return ()

    def _global(self, node: ast.Global, scope: Scope, assigned: set[str]) -> Sequence[ast.AST]:
        scope.globals.update(node.names)
        return ()

    def _nonlocal(self, node: ast.Nonlocal, scope: Scope, assigned: set[str]) -> Sequence[ast.AST]:
        scope.nonlocals.update(node.names)
        return ()

    def _capture_pattern(
        self, node: ast.MatchAs | ast.MatchStar, scope: Scope, assigned: set[str]
    ) -> Sequence[ast.AST]:
        if node.name is not None:
            scope.bound.add(node.name)
        return [node.pattern] if isinstance(node, ast.MatchAs) and node.pattern is not None else ()

    def _class(self, node: ast.ClassDef, scope: Scope, assigned: set[str]) -> Sequence[ast.AST]:
        scope.bound.add(node.name)
        self._scopes[node] = inner = self._inside("class", scope)
        self._fill(inner, node.body)
        return *node.decorator_list, *node.bases, *node.keywords

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, assigned: set[str]
    ) -> Sequence[ast.AST]:
        scope.bound.add(node.name)
        outside = self._open(node, node.args, scope, node.body)
        outside += node.decorator_list
        return outside if node.returns is None else [*outside, node.returns]

    def _lambda(self, node: ast.Lambda, scope: Scope, assigned: set[str]) -> Sequence[ast.AST]:
        return self._open(node, node.args, scope, [node.body])

    def _open(self, node: ast.AST, arguments: ast.arguments, scope: Scope, body: Iterable[ast.AST]) -> list[ast.AST]:
        """Note a function's scope; returns what of its parameters is evaluated outside of it."""
        self._scopes[node] = inner = self._inside("function", scope)
        outside: list[ast.AST] = []
        for _, argument, default in parameters_of(arguments):
            inner.bound.add(argument.arg)
            if default is not None:
                outside.append(default)
            if argument.annotation is not None:
                outside.append(argument.annotation)
        self._fill(inner, body)
        return outside


def _unnamed(targets: Iterable[ast.expr], names: set[str]) -> list[ast.expr]:
    """Note the names among what is assigned to; returns the rest."""
    found = []
    pending = [*targets]
    for target in pending:
        if isinstance(target, Name):
            names.add(target.id)
        elif isinstance(target, (ast.Tuple, ast.List)):
            pending += target.elts
        elif isinstance(target, ast.Starred):
            pending.append(target.value)
        else:
            found.append(target)
    return found


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


_LEAVES = frozenset({type(None), str, int, bool, ast.Constant, ast.Pass, ast.Break, ast.Continue})
"""What holds no name, or is missing."""
_BINDING: dict[type, Callable[[ScopeTable, Any, Scope, set[str]], Sequence[ast.AST]]] = {
    ast.Assign: ScopeTable._assign,
    ast.AnnAssign: ScopeTable._target,
    ast.AugAssign: ScopeTable._aug_assign,
    ast.For: ScopeTable._target,
    ast.AsyncFor: ScopeTable._target,
    ast.NamedExpr: ScopeTable._target,
    ast.withitem: ScopeTable._with_item,
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
}
"""What binds names: notes them, and returns the parts to go on with."""
