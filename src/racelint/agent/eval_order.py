"""The events of a function's original source in evaluation order, for the model of where CPython may switch threads."""

from __future__ import annotations

import ast

ACCESS, CALL, EXIT, JUMP = "access", "call", "exit", "jump"


class Event:
    """`kind` is ACCESS, CALL (after it returned), EXIT (a `with` was left) or JUMP (a loop turned).

    `branch` names the conditional blocks around it, outermost first, so that code which need not have run is told
    from code which must have.
    """

    __slots__ = ("branch", "column", "kind", "line", "write")

    def __init__(self, kind: str, node: ast.AST, branch: tuple[int, ...], write: bool = False) -> None:
        self.kind = kind
        self.line = getattr(node, "lineno", 0)
        self.column = getattr(node, "col_offset", 0) + 1
        self.branch = branch
        self.write = write


class EvaluationOrder(ast.NodeVisitor):
    """One function body as a list of events; nested functions are not entered."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._branch: tuple[int, ...] = ()
        self._blocks = 0

    def _emit(self, kind: str, node: ast.AST, write: bool = False) -> None:
        self.events.append(Event(kind, node, self._branch, write))

    def body(self, statements: list[ast.stmt], conditional: bool) -> None:
        outer = self._branch
        if conditional:
            self._blocks += 1
            self._branch = (*outer, self._blocks)
        for statement in statements:
            self.visit(statement)
        self._branch = outer

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        return None

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        return None

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        return None

    def visit_Lambda(self, node: ast.Lambda) -> None:
        return None

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        for part in ast.iter_child_nodes(target):
            self.visit(part)
        self._emit(ACCESS, target)
        self.visit(node.value)
        self._emit(ACCESS, target, write=True)

    def visit_Name(self, node: ast.Name) -> None:
        self._emit(ACCESS, node, isinstance(node.ctx, ast.Store | ast.Del))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.visit(node.value)
        self._emit(ACCESS, node, isinstance(node.ctx, ast.Store | ast.Del))

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        self.visit(node.slice)
        self._emit(ACCESS, node, isinstance(node.ctx, ast.Store | ast.Del))

    def visit_Call(self, node: ast.Call) -> None:
        self.visit(node.func.value if isinstance(node.func, ast.Attribute) else node.func)
        for argument in node.args:
            self.visit(argument)
        for keyword in node.keywords:
            self.visit(keyword.value)
        self._emit(ACCESS, node)
        self._emit(CALL, node)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.body(node.body, True)
        self.body(node.orelse, True)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self.body(node.body, True)
        self._emit(JUMP, node)
        self.body(node.orelse, True)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        self.body(node.body, True)
        self._emit(JUMP, node)
        self.body(node.orelse, True)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item.context_expr)
        self.body(node.body, False)
        self._emit(EXIT, node)

    def visit_Try(self, node: ast.Try) -> None:
        self.body(node.body, False)
        for handler in node.handlers:
            self.body(handler.body, True)
        self.body(node.orelse, False)
        self.body(node.finalbody, False)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        for generator in node.generators:
            self.visit(generator.iter)
            for test in generator.ifs:
                self.visit(test)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self._emit(JUMP, node)


def functions(tree: ast.Module) -> dict[str, list[Event]]:
    """The events of every function of a module, by qualified name; `<module>` for the top level."""
    found: dict[str, list[Event]] = {}

    def walk(node: ast.AST, qualified: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = qualified
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = child.name if qualified == "<module>" else f"{qualified}.{child.name}"
                if not isinstance(child, ast.ClassDef):
                    order = EvaluationOrder()
                    order.body(child.body, False)
                    found[inner] = order.events
            walk(child, inner)

    top = EvaluationOrder()
    top.body([s for s in tree.body if not isinstance(s, ast.FunctionDef | ast.ClassDef)], False)
    found["<module>"] = top.events
    walk(tree, "<module>")
    return found
