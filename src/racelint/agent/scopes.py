"""Which names of a module are shared between threads: rebound globals and closure variables."""

from __future__ import annotations

import ast
import sys

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Scope:
    """One function's names: `bound` are its own, `globals` and `nonlocals` what it declares, `cells` what inner
    functions rebind."""

    def __init__(self, parent: Scope | None, qualified: str) -> None:
        self.parent = parent
        self.qualified = qualified
        self.bound: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.cells: set[str] = set()

    def owner(self, name: str) -> Scope | None:
        """The function scope that binds `name`, None for a global or builtin."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.globals:
                return None
            if name in scope.bound and name not in scope.nonlocals:
                return scope
            scope = scope.parent
        return None


class ModuleNames:
    """Facts about the names of one module, found in one walk before it is instrumented."""

    def __init__(self, tree: ast.Module) -> None:
        self.scopes: dict[ast.AST, Scope] = {}
        self.shared_globals: set[str] = set()
        self.stdlib_modules: set[str] = set()
        self.methods: dict[str, set[str]] = {}
        self._walk(tree.body, None, "<module>")

    def _walk(self, nodes: list[ast.stmt] | list[ast.AST], scope: Scope | None, qualified: str) -> None:
        pending: list[ast.AST] = list(nodes)
        while pending:
            node = pending.pop()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                self._enter_function(node, scope, qualified)
                continue
            if isinstance(node, ast.ClassDef):
                inner = _join(qualified, node.name)
                defined = (ast.FunctionDef, ast.AsyncFunctionDef)
                self.methods[inner] = {s.name for s in node.body if isinstance(s, defined)}
                self._walk(node.body, scope, inner)
                continue
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._note_import(node)
            pending.extend(ast.iter_child_nodes(node))

    def _enter_function(self, node: Function, scope: Scope | None, qualified: str) -> None:
        name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
        inner = Scope(scope, _join(qualified, name))
        self.scopes[node] = inner
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            inner.bound.add(argument.arg)
        for starred in (arguments.vararg, arguments.kwarg):
            if starred is not None:
                inner.bound.add(starred.arg)
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        self._bind(body, inner)
        self._walk(body, inner, inner.qualified)

    def _bind(self, body: list[ast.AST], scope: Scope) -> None:
        pending = list(body)
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Global):
                scope.globals.update(node.names)
                self.shared_globals.update(node.names)
            elif isinstance(node, ast.Nonlocal):
                scope.nonlocals.update(node.names)
                self._share_cells(node.names, scope)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
                scope.bound.add(node.id)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                scope.bound.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                scope.bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                scope.bound.add(node.name)
            elif not isinstance(node, ast.Lambda):
                pending.extend(ast.iter_child_nodes(node))

    def _share_cells(self, names: list[str], scope: Scope) -> None:
        for name in names:
            outer = scope.parent
            while outer is not None and name not in outer.bound:
                outer = outer.parent
            if outer is not None:
                outer.cells.add(name)

    def _note_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            if isinstance(node, ast.Import):
                if alias.name.partition(".")[0] in sys.stdlib_module_names:
                    self.stdlib_modules.add(bound)
            elif not node.level and f"{node.module}.{alias.name}" in ("concurrent.futures", "os.path"):
                self.stdlib_modules.add(bound)


def _join(outer: str, name: str) -> str:
    return name if outer == "<module>" else f"{outer}.{name}"
