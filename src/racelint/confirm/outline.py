"""What a module's source declares, read with `ast`: classes, functions, how each is called. Nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
FunctionKind = Literal["function", "method", "classmethod", "staticmethod", "property", "setter", "context"]
ParameterKind = Literal["positional", "keyword", "var-positional", "var-keyword"]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a callable, `self` and `cls` left out."""

    name: str
    kind: ParameterKind
    annotation: ast.expr | None = None
    default: ast.expr | None = None

    @property
    def required(self) -> bool:
        return self.default is None and self.kind in ("positional", "keyword")


@dataclass(frozen=True, eq=False)
class FunctionOutline:
    """A function or method. `owner` is the qualified name of its class, empty for a plain function.

    `nested` tells that it stands inside another function, so nothing outside can name it.
    """

    name: str
    qualname: str
    owner: str
    kind: FunctionKind
    parameters: tuple[Parameter, ...]
    node: FunctionNode
    nested: bool = False

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @cached_property
    def is_generator(self) -> bool:
        return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(self.node))

    @property
    def required(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if parameter.required)


@dataclass(frozen=True, eq=False)
class ClassOutline:
    """A class; `fields` are the parameters of the constructor that `dataclass` or `NamedTuple` generates."""

    name: str
    qualname: str
    bases: tuple[str, ...]
    methods: dict[str, FunctionOutline]
    node: ast.ClassDef
    fields: tuple[Parameter, ...] | None = None
    nested: bool = False


@dataclass(eq=False)
class ModuleOutline:
    """One parsed source file. `imports` maps a local name to (relative level, module, attribute or empty)."""

    path: Path
    name: str
    tree: ast.Module
    source: str
    classes: dict[str, ClassOutline] = field(default_factory=dict)
    functions: dict[str, FunctionOutline] = field(default_factory=dict)
    imports: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    global_names: dict[str, None] = field(default_factory=dict)
    """Names that some function declares `global`, in source order."""
    main_guard: ast.If | None = None
    calls: list[tuple[FunctionNode | None, ast.Call]] | None = None
    """Every call with the function it stands in, once `call_sites` has looked for them."""

    @property
    def variables(self) -> set[str]:
        """Every module-level name that holds a value."""
        return {*self.constants, *self.global_names}

    def enclosing(self, line: int) -> FunctionOutline | None:
        """The innermost function around a 1-based line, decorators included."""
        best: FunctionOutline | None = None
        for function in self.functions.values():
            first = min([function.node.lineno, *(d.lineno for d in function.node.decorator_list)])
            inside = first <= line <= (function.node.end_lineno or function.node.lineno)
            if inside and (best is None or function.node.lineno >= best.node.lineno):
                best = function
        return best

    def outermost(self, function: FunctionOutline) -> FunctionOutline:
        """The function itself, or the top-level function or method that it is nested in."""
        head = function.qualname.partition(".<locals>")[0]
        return self.functions.get(head, function)

    def class_at(self, line: int) -> ClassOutline | None:
        """The innermost class around a 1-based line."""
        best: ClassOutline | None = None
        for candidate in self.classes.values():
            inside = candidate.node.lineno <= line <= (candidate.node.end_lineno or candidate.node.lineno)
            if inside and (best is None or candidate.node.lineno >= best.node.lineno):
                best = candidate
        return best


def read_outline(path: Path, name: str) -> ModuleOutline:
    """Parse `path`. Raises OSError, SyntaxError or ValueError (null bytes, bad encoding) as `ast.parse` does."""
    raw = path.read_bytes()
    tree = ast.parse(raw, filename=str(path))
    outline = ModuleOutline(path, name, tree, raw.decode("utf-8", errors="replace"))
    _Declarations(outline).collect(tree.body, "", "", nested=False)
    return outline


def own_nodes(root: ast.AST) -> Iterator[ast.AST]:
    """Every node under `root` that belongs to it and not to a function or class nested in it."""
    stack = list(ast.iter_child_nodes(root))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of names, the name behind a subscript (`Generic[T]`), else an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    if isinstance(node, ast.Subscript):
        return dotted(node.value)
    return ""


def last_name(node: ast.expr) -> str:
    """The last segment of what is called or named: `c` of `a.b.c`, also where `a` is an expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return last_name(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def parameters_of(node: FunctionNode, *, bound: bool) -> tuple[Parameter, ...]:
    """The parameters of a definition; `bound` drops the first one (`self`, `cls`)."""
    plain = [*node.args.posonlyargs, *node.args.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(node.args.defaults))
    defaults.extend(node.args.defaults)
    found = [Parameter(a.arg, "positional", a.annotation, d) for a, d in zip(plain, defaults, strict=True)]
    if bound:
        found = found[1:]
    if node.args.vararg:
        found.append(Parameter(node.args.vararg.arg, "var-positional", node.args.vararg.annotation))
    for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        found.append(Parameter(arg.arg, "keyword", arg.annotation, default))
    if node.args.kwarg:
        found.append(Parameter(node.args.kwarg.arg, "var-keyword", node.args.kwarg.annotation))
    return tuple(found)


class _Declarations:
    """Walks the statements that can declare something: bodies of modules, classes, functions and their branches."""

    def __init__(self, outline: ModuleOutline) -> None:
        self.outline = outline

    def collect(self, body: list[ast.stmt], prefix: str, owner: str, *, nested: bool) -> None:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self._function(statement, prefix, owner, nested=nested)
            elif isinstance(statement, ast.ClassDef):
                self._class(statement, prefix, nested=nested)
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                self._import(statement)
            else:
                self._other(statement, prefix, owner, nested=nested)

    def _other(self, statement: ast.stmt, prefix: str, owner: str, *, nested: bool) -> None:
        top = not prefix
        if top and isinstance(statement, ast.If) and _is_main_guard(statement.test):
            self.outline.main_guard = statement
            return
        if isinstance(statement, ast.If) and last_name(statement.test) == "TYPE_CHECKING":
            # What only type checkers see is not there when the code runs; what it imports may be found elsewhere.
            self.collect(
                [s for s in statement.body if isinstance(s, ast.Import | ast.ImportFrom)], prefix, owner, nested=nested
            )
            self.collect(statement.orelse, prefix, owner, nested=nested)
            return
        if top:
            self._constant(statement)
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(statement, name, None)
            if isinstance(inner, list):
                self.collect([s for s in inner if isinstance(s, ast.stmt)], prefix, owner, nested=nested)
        for handler in getattr(statement, "handlers", []):
            self.collect(handler.body, prefix, owner, nested=nested)
        for case in getattr(statement, "cases", []):
            self.collect(case.body, prefix, owner, nested=nested)

    def _constant(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    self.outline.constants[target.id] = statement.value
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            self.outline.constants[statement.target.id] = statement.value

    def _function(self, node: FunctionNode, prefix: str, owner: str, *, nested: bool) -> None:
        qualname = prefix + node.name
        kind = _kind_of(node, in_class=bool(owner))
        bound = bool(owner) and kind != "staticmethod"
        outline = FunctionOutline(node.name, qualname, owner, kind, parameters_of(node, bound=bound), node, nested)
        key = f"{qualname}.setter" if kind == "setter" else qualname
        if not {last_name(_callee(d)) for d in node.decorator_list} & {"overload", "deleter"}:
            self.outline.functions[key] = outline
        for inner in ast.walk(node):
            if isinstance(inner, ast.Global):
                self.outline.global_names.update(dict.fromkeys(inner.names))
        self.collect(node.body, f"{qualname}.<locals>.", "", nested=True)

    def _class(self, node: ast.ClassDef, prefix: str, *, nested: bool) -> None:
        qualname = prefix + node.name
        self.collect(node.body, f"{qualname}.", qualname, nested=nested)
        methods = {f.name: f for f in self.outline.functions.values() if f.owner == qualname and f.kind != "setter"}
        bases = tuple(dotted(base) for base in node.bases)
        fields = _generated_fields(node, bases)
        self.outline.classes[qualname] = ClassOutline(node.name, qualname, bases, methods, node, fields, nested)

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                local = alias.asname or alias.name.partition(".")[0]
                self.outline.imports[local] = (0, alias.name if alias.asname else local, "")
            return
        for alias in statement.names:
            self.outline.imports[alias.asname or alias.name] = (statement.level, statement.module or "", alias.name)


def _callee(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _kind_of(node: FunctionNode, *, in_class: bool) -> FunctionKind:
    names = [last_name(_callee(decorator)) for decorator in node.decorator_list]
    if "contextmanager" in names:
        return "context"
    if not in_class:
        return "function"
    if "setter" in names:
        return "setter"
    if "property" in names or "cached_property" in names:
        return "property"
    if "staticmethod" in names:
        return "staticmethod"
    if "classmethod" in names or node.name in ("__new__", "__init_subclass__", "__class_getitem__"):
        return "classmethod"
    return "method"


def _is_main_guard(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or len(test.comparators) != 1:
        return False
    sides = [test.left, test.comparators[0]]
    named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    return named and any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)


def _generated_fields(node: ast.ClassDef, bases: tuple[str, ...]) -> tuple[Parameter, ...] | None:
    decorators = {last_name(_callee(decorator)) for decorator in node.decorator_list}
    record = {base.rpartition(".")[2] for base in bases} & {"NamedTuple", "Struct", "BaseModel"}
    attrs = bool(decorators & {"define", "attrs", "frozen", "mutable"})
    if not record and not attrs and "dataclass" not in decorators:
        return None
    found = []
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            parameter = _field(statement.target.id, statement.annotation, statement.value)
            if parameter is not None:
                found.append(replace(parameter, name=parameter.name.lstrip("_")) if attrs else parameter)
    return tuple(found)


def _field(name: str, annotation: ast.expr, value: ast.expr | None) -> Parameter | None:
    """The constructor parameter of one annotated field, None for a `ClassVar` or `field(init=False)`."""
    if last_name(annotation) == "ClassVar":
        return None
    default = value
    if isinstance(value, ast.Call) and last_name(value.func) in ("field", "Field", "attrib", "ib"):
        options = {keyword.arg: keyword.value for keyword in value.keywords}
        init = options.get("init")
        if isinstance(init, ast.Constant) and init.value is False:
            return None
        default = options.get("default") or options.get("default_factory") or options.get("factory")
    return Parameter(name, "positional", annotation, default)
