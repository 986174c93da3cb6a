"""Which scope a name belongs to: Python's own rules, from one generic walk over a LibCST tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import libcst as cst

_SKIPPED_FIELDS = frozenset(
    {"lpar", "rpar", "comma", "semicolon", "header", "footer", "leading_lines", "lines_after_decorators", "equal"}
    | {
        "operator",
        "colon",
        "dot",
        "asynchronous",
        "encoding",
        "default_indent",
        "default_newline",
        "star",
        "first_colon",
    }
    | {"second_colon", "lbracket", "rbracket", "lbrace", "rbrace", "has_trailing_newline", "start", "end", "arrow"}
)
_FIELDS: dict[type, tuple[str, ...]] = {}


def fields_that_matter(kind: type) -> tuple[str, ...]:
    """The field names of a node type that can hold code, in evaluation-independent source order."""
    found = _FIELDS.get(kind)
    if found is None:
        names = [f.name for f in fields(kind) if f.name not in _SKIPPED_FIELDS and "whitespace" not in f.name]
        found = _FIELDS[kind] = tuple(names)
    return found


def child_nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Children that can hold code; tokens, white space and comments are left out."""
    for name in fields_that_matter(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, (tuple, list)):
            for item in value:
                if isinstance(item, cst.CSTNode):
                    yield item


@dataclass
class Scope:
    """The names of one module, class, function or lambda."""

    kind: str
    parent: Scope | None
    bound: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    captured: set[str] = field(default_factory=set)
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
    """All scopes of a module, by the identity of the node that opens them."""

    def __init__(self, module: cst.Module) -> None:
        self.module_scope = Scope("module", None)
        self.module_variables: set[str] = set()
        self._scopes: dict[int, Scope] = {id(module): self.module_scope}
        for statement in module.body:
            self._visit(statement, self.module_scope)
        for scope in self._scopes.values():
            self.module_variables |= scope.globals
            self.module_scope.bound |= scope.globals
        for scope in self._scopes.values():
            if scope.kind != "module":
                self._capture(scope)

    def scope_of(self, node: cst.CSTNode) -> Scope:
        return self._scopes[id(node)]

    @staticmethod
    def _capture(scope: Scope) -> None:
        for name in scope.used | scope.nonlocals:
            owner = scope.owner_of(name)
            if owner is not None and owner is not scope and owner.kind == "function":
                owner.captured.add(name)

    def _bind(self, target: cst.CSTNode, scope: Scope) -> None:
        if isinstance(target, cst.Name):
            scope.bound.add(target.value)
            if scope.kind == "module":
                self.module_variables.add(target.value)
        elif isinstance(target, (cst.Tuple, cst.List)):
            for element in target.elements:
                self._bind(element.value, scope)
        elif isinstance(target, cst.StarredElement):
            self._bind(target.value, scope)
        else:
            self._visit(target, scope)

    def _visit(self, node: cst.CSTNode, scope: Scope) -> None:
        handler = _VISITS.get(type(node))
        if handler is not None:
            handler(self, node, scope)
            return
        for child in child_nodes(node):
            self._visit(child, scope)

    def _name(self, node: cst.Name, scope: Scope) -> None:
        scope.used.add(node.value)

    def _attribute(self, node: cst.Attribute, scope: Scope) -> None:
        self._visit(node.value, scope)

    def _arg(self, node: cst.Arg, scope: Scope) -> None:
        self._visit(node.value, scope)

    def _assign_target(self, node: cst.AssignTarget, scope: Scope) -> None:
        self._bind(node.target, scope)

    def _ann_assign(self, node: cst.AnnAssign, scope: Scope) -> None:
        self._bind(node.target, scope)
        self._visit(node.annotation, scope)
        if node.value is not None:
            self._visit(node.value, scope)

    def _aug_assign(self, node: cst.AugAssign, scope: Scope) -> None:
        self._bind(node.target, scope)
        self._visit(node.target, scope)
        self._visit(node.value, scope)

    def _named_expr(self, node: cst.NamedExpr, scope: Scope) -> None:
        self._bind(node.target, scope)
        self._visit(node.value, scope)

    def _for(self, node: cst.For, scope: Scope) -> None:
        self._bind(node.target, scope)
        self._visit(node.iter, scope)
        self._visit(node.body, scope)
        if node.orelse is not None:
            self._visit(node.orelse, scope)

    def _comp_for(self, node: cst.CompFor, scope: Scope) -> None:
        variables = set(self.module_variables)
        self._bind(node.target, scope)
        self.module_variables = variables
        self._visit(node.iter, scope)
        for condition in node.ifs:
            self._visit(condition, scope)
        if node.inner_for_in is not None:
            self._visit(node.inner_for_in, scope)

    def _as_name(self, node: cst.AsName, scope: Scope) -> None:
        self._bind(node.name, scope)

    def _import(self, node: cst.Import | cst.ImportFrom, scope: Scope) -> None:
        if isinstance(node.names, cst.ImportStar):
            return
        for alias in node.names:
            bound: cst.CSTNode = alias.asname.name if alias.asname is not None else alias.name
            while isinstance(bound, cst.Attribute):
                bound = bound.value
            if isinstance(bound, cst.Name):
                scope.bound.add(bound.value)

    def _global(self, node: cst.Global, scope: Scope) -> None:
        scope.globals |= {item.name.value for item in node.names}

    def _nonlocal(self, node: cst.Nonlocal, scope: Scope) -> None:
        scope.nonlocals |= {item.name.value for item in node.names}

    def _pattern_name(self, node: cst.MatchAs | cst.MatchStar, scope: Scope) -> None:
        if node.name is not None:
            scope.bound.add(node.name.value)
        if isinstance(node, cst.MatchAs) and node.pattern is not None:
            self._visit(node.pattern, scope)

    def _class(self, node: cst.ClassDef, scope: Scope) -> None:
        scope.bound.add(node.name.value)
        for part in (*node.decorators, *node.bases, *node.keywords):
            self._visit(part, scope)
        inner = self._scopes[id(node)] = Scope("class", scope)
        self._visit(node.body, inner)

    def _function(self, node: cst.FunctionDef, scope: Scope) -> None:
        scope.bound.add(node.name.value)
        for decorator in node.decorators:
            self._visit(decorator, scope)
        inner = self._scopes[id(node)] = Scope("function", scope)
        self._parameters(node.params, scope, inner)
        if node.returns is not None:
            self._visit(node.returns, scope)
        self._visit(node.body, inner)

    def _lambda(self, node: cst.Lambda, scope: Scope) -> None:
        inner = self._scopes[id(node)] = Scope("function", scope)
        self._parameters(node.params, scope, inner)
        self._visit(node.body, inner)

    def _parameters(self, params: cst.Parameters, outer: Scope, inner: Scope) -> None:
        for param in parameters_of(params):
            inner.bound.add(param.name.value)
            if param.default is not None:
                self._visit(param.default, outer)
            if param.annotation is not None:
                self._visit(param.annotation, outer)


def parameters_of(params: cst.Parameters) -> Iterator[cst.Param]:
    """Every parameter in source order, `*args` and `**kwargs` included."""
    yield from params.posonly_params
    yield from params.params
    if isinstance(params.star_arg, cst.Param):
        yield params.star_arg
    yield from params.kwonly_params
    if params.star_kwarg is not None:
        yield params.star_kwarg


_VISITS: dict[type, Callable[[ScopeTable, Any, Scope], None]] = {
    cst.Name: ScopeTable._name,
    cst.Attribute: ScopeTable._attribute,
    cst.Arg: ScopeTable._arg,
    cst.AssignTarget: ScopeTable._assign_target,
    cst.AnnAssign: ScopeTable._ann_assign,
    cst.AugAssign: ScopeTable._aug_assign,
    cst.NamedExpr: ScopeTable._named_expr,
    cst.For: ScopeTable._for,
    cst.CompFor: ScopeTable._comp_for,
    cst.AsName: ScopeTable._as_name,
    cst.Import: ScopeTable._import,
    cst.ImportFrom: ScopeTable._import,
    cst.Global: ScopeTable._global,
    cst.Nonlocal: ScopeTable._nonlocal,
    cst.MatchAs: ScopeTable._pattern_name,
    cst.MatchStar: ScopeTable._pattern_name,
    cst.ClassDef: ScopeTable._class,
    cst.FunctionDef: ScopeTable._function,
    cst.Lambda: ScopeTable._lambda,
}
