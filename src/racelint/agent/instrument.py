"""Insert a yield point before each access that may be shared, keeping lines, semantics and evaluation order.

The helpers that the instrumented code calls are module globals, so that their behaviour can be changed without
compiling again (`points.py`):

    _rl_p(site, obj) -> obj      yield point before an access of `obj`
    _rl_q(site, obj) -> obj      names the object of the access whose yield point comes after its arguments
    _rl_c(site, value) -> value  that yield point
    _rl_t(site) -> True          a turn of a loop begins
    _rl_o(site, iterable)        iterate, with a yield point before each further element
    _rl_n(site, iterable)        a counted loop, which may be shortened
    _rl_s(site, test)            a wait under `if` is over: does what it waited about still hold?
    _rl_v(site, value) -> value  (traced copies only) the value that an access read
    _rl_w(site, value) -> value  (traced copies only) the value that an access is about to write
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import operator
from typing import Any, TypeVar

from . import sites as kinds
from .scopes import Function, ModuleNames, Scope
from .sites import SiteTable

HELPERS = ("_rl_p", "_rl_q", "_rl_c", "_rl_t", "_rl_o", "_rl_n", "_rl_s", "_rl_v", "_rl_w")
TEMPORARIES = ("_rl_object", "_rl_key", "_rl_value")

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
VIEWS = frozenset({"items", "keys", "values"})

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

Node = TypeVar("Node", bound=ast.AST)


def instrument(source: bytes | str, path: str, file: str, table: SiteTable, traced: bool) -> Any:
    """Compile `source` with yield points. `file` is its name in sites. Raises SyntaxError as `compile` does."""
    tree = ast.parse(source, path)
    names = ModuleNames(tree)
    text = source.encode() if isinstance(source, str) else source
    Instrumenter(names, text, path, file, table, traced).run(tree)
    ast.fix_missing_locations(tree)
    return compile(tree, path, "exec", dont_inherit=True)


class Instrumenter(ast.NodeTransformer):
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

    # Sites and the calls that mark them

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

    # Names

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

    # Statements

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
        value = ast.Attribute(self._mark("_rl_p", read, _load("_rl_object")), target.attr, ast.Load())
        stored = ast.Attribute(self._mark("_rl_p", write, _load("_rl_object")), target.attr, ast.Store())
        steps = [_assign("_rl_object", holder), *self._in_place(node, read, value, write, stored)]
        return _placed(steps, node)

    def _augmented_item(self, node: ast.AugAssign, target: ast.Subscript) -> list[ast.stmt]:
        text = self._text(target)
        holder, key = self.visit(target.value), self.visit(_as_key(target.slice))
        what = self._text(target.value)
        read, write = (self._site(target, kind, what, text) for kind in (kinds.ITEM_READ, kinds.ITEM_WRITE))
        value = ast.Subscript(self._mark("_rl_p", read, _load("_rl_object")), _load("_rl_key"), ast.Load())
        stored = ast.Subscript(self._mark("_rl_p", write, _load("_rl_object")), _load("_rl_key"), ast.Store())
        steps = [_assign("_rl_object", holder), _assign("_rl_key", key)]
        return _placed([*steps, *self._in_place(node, read, value, write, stored)], node)

    def _augmented_name(self, node: ast.AugAssign, target: ast.Name) -> list[ast.stmt]:
        read, write = (self._site(target, kind, target.id) for kind in (kinds.NAME_READ, kinds.NAME_WRITE))
        value = self._read(read, _or_name(self._mark("_rl_p", read, ast.Constant(None)), target.id), target)
        added = ast.Call(_load(f"_rl_{IN_PLACE[type(node.op)]}"), [_load("_rl_value"), self.visit(node.value)], [])
        steps = [
            _assign("_rl_value", value),
            _assign("_rl_value", added),
            _assign(target.id, self._mark("_rl_p", write, _load("_rl_value"))),
        ]
        return _placed(steps, node)

    def _in_place(
        self, node: ast.AugAssign, read: int, value: ast.expr, write: int, stored: ast.expr
    ) -> list[ast.stmt]:
        operand = self.visit(node.value)
        added: ast.expr = ast.Call(_load(f"_rl_{IN_PLACE[type(node.op)]}"), [_load("_rl_value"), operand], [])
        if self.traced:
            added = self._mark("_rl_w", write, added)
        store = ast.Assign([stored], _load("_rl_value"))
        return [_assign("_rl_value", self._read(read, value, node.target)), _assign("_rl_value", added), store]

    # Loops

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

    # Expressions

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

    def _contents(self, node: ast.expr) -> ast.expr:
        text = self._text(node)
        return self._point(node, kinds.CONTENTS, text, self.visit(node), text)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        node.left = self.visit(node.left)
        for index, (operation, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
            contained = isinstance(operation, ast.In | ast.NotIn) and self._may_hold_shared(right, local_names=True)
            node.comparators[index] = self._contents(right) if contained else self.visit(right)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and self._is_shared_name(node.id) and not self.in_class_body:
            site = self._site(node, kinds.NAME_READ, node.id)
            return self._read(site, _or_name(self._mark("_rl_p", site, ast.Constant(None)), node.id), node)
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
        readable = len(node.args) >= 1 and self._may_hold_shared(node.args[0], local_names=True)
        if function.id == "next" and readable:
            text = self._text(node)
            node.args[0] = self._point(node, kinds.ADVANCE, "next", self.visit(node.args[0]), text)
            return node
        if function.id in READS_ITS_ARGUMENT and readable and not self._is_local(function.id):
            node.args = [self._contents(node.args[0]), *(self.visit(argument) for argument in node.args[1:])]
            node.keywords = [self.visit(keyword) for keyword in node.keywords]
            return node
        return self.generic_visit(node)

    def _method_call(self, node: ast.Call, function: ast.Attribute) -> ast.AST:
        holder = function.value
        own = isinstance(holder, ast.Name) and holder.id in ("self", "cls") and function.attr in self.methods
        parent = isinstance(holder, ast.Call) and isinstance(holder.func, ast.Name) and holder.func.id == "super"
        if own or parent or self._is_stdlib(holder) or isinstance(holder, ast.Constant | ast.JoinedStr):
            node.args = [self.visit(argument) for argument in node.args]
            node.keywords = [self.visit(keyword) for keyword in node.keywords]
            if not (own or parent or self._is_stdlib(holder)):
                function.value = self.visit(holder)
            return node
        return self._shared_call(node, function)

    def _shared_call(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        late = any(_has_access(part) for part in (*node.args, *node.keywords))
        spoken = self._text(node)
        text = spoken if len(spoken) <= 60 else f"{self._text(function)}(…)"
        value = self.visit(function.value)
        node.args = [self.visit(argument) for argument in node.args]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
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

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        return node


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _or_name(point: ast.expr, name: str) -> ast.expr:
    return ast.BoolOp(ast.Or(), [point, _load(name)])


def _placed(steps: list[ast.stmt], node: ast.stmt) -> list[ast.stmt]:
    return [ast.copy_location(step, node) for step in steps]


def _as_key(node: ast.expr) -> ast.expr:
    """The subscript as an expression of its own: a slice becomes `slice(…)`."""
    if isinstance(node, ast.Slice):
        bounds: list[ast.expr] = [part or ast.Constant(None) for part in (node.lower, node.upper, node.step)]
        return ast.copy_location(ast.Call(_load("slice"), bounds, []), node)
    if isinstance(node, ast.Tuple):
        return ast.copy_location(ast.Tuple([_as_key(part) for part in node.elts], ast.Load()), node)
    return node


def _has_access(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Attribute | ast.Subscript | ast.Call | ast.Await) for part in ast.walk(node))


def _is_pure(node: ast.expr) -> bool:
    """Names, fields, items, comparisons, logic and sizes: asking again changes nothing."""
    return not any(
        isinstance(part, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr | ast.Lambda)
        or (isinstance(part, ast.Call) and getattr(part.func, "id", getattr(part.func, "attr", "")) not in _ASKING)
        for part in ast.walk(node)
    )


_ASKING = frozenset({"len", "any", "all", "bool", "empty", "is_set", "qsize"})


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
