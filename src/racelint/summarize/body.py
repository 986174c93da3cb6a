"""The state of lowering one body (a function, a class body, a module): where events go and what names mean."""

from __future__ import annotations

import ast
from types import TracebackType

import msgspec

from racelint.model.summary import (
    Access,
    AccessKind,
    AnyNode,
    ClassDef,
    Function,
    Import,
    Part,
    Path,
    Span,
    Value,
)
from racelint.summarize.environment import NOTHING, Environment, Operand
from racelint.syntax.scopes import Scope, ScopeTable
from racelint.syntax.spans import NameSpans, SpanOf


class ModuleContext(msgspec.Struct):
    """What all bodies of one module share."""

    span: SpanOf
    names: NameSpans
    scopes: ScopeTable
    settled: dict[str, bool] = {}
    """See `racelint.summarize.settled`."""
    functions: list[Function] = []
    classes: list[ClassDef] = []
    imports: list[Import] = []
    _taken: dict[str, int] = {}

    def unique(self, qualname: str) -> str:
        """`qualname`, or with `#2`, `#3` … where the name was defined before."""
        count = self._taken[qualname] = self._taken.get(qualname, 0) + 1
        return qualname if count == 1 else f"{qualname}#{count}"


class _Block:
    """Collects the events of a nested block while it is entered."""

    __slots__ = ("_body", "_outer")

    def __init__(self, body: Body) -> None:
        self._body = body

    def __enter__(self) -> list[AnyNode]:
        self._outer = self._body.out
        self._body.out = []
        return self._body.out

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._body.out = self._outer


class Body:
    """Lowering state of one body; `out` is the list that events are appended to."""

    def __init__(self, context: ModuleContext, scope: Scope, qualname: str, kind: str, params: frozenset[str]) -> None:
        self.context = context
        self.scope = scope
        self.qualname = qualname
        self.kind = kind
        self.params = params
        self.environment = Environment()
        self.out: list[AnyNode] = []
        self.hints: dict[str, Value] = {}
        self.parts: dict[ast.BoolOp, tuple[Part, ...]] = {}
        """What several conditions in one say, each by itself."""
        self.is_generator = False
        self.own_object = ""
        """The parameter of a method that is its object."""
        self.span = context.span
        self._outer: dict[Scope, Body] = {}
        """The bodies around this one."""
        self._owners: dict[str, Scope | None] = {}
        self._next = 0

    def child(self, scope: Scope, qualname: str, kind: str, params: frozenset[str]) -> Body:
        """The state for a body inside this one."""
        inner = Body(self.context, scope, qualname, kind, params)
        inner._outer = {**self._outer, self.scope: self}
        return inner

    def owner_of(self, name: str) -> Scope | None:
        """The scope that `name` belongs to, as seen from here; None for a builtin or unknown name."""
        if name not in self._owners:
            self._owners[name] = self.scope.owner_of(name)
        return self._owners[name]

    def holder_of(self, scope: Scope) -> Body | None:
        """The body, this one or one around it, that a scope is of."""
        return self if scope is self.scope else self._outer.get(scope)

    def number(self) -> int:
        self._next += 1
        return self._next

    def block(self) -> _Block:
        """Collect the events of a nested block: `with body.block() as events`."""
        return _Block(self)

    def access(
        self,
        kind: AccessKind,
        path: Path,
        span: Span,
        *,
        deps: tuple[int, ...] = (),
        value: Value = (),
        key: str = "",
        augmented: bool = False,
        called: bool = False,
        operands: Value = (),
    ) -> int:
        """Append an access; returns its number."""
        number = self.number()
        self.out.append(Access(number, kind, path, span, deps, value, key, augmented, called, operands))
        if kind == "write" and not augmented and self.kind != "module":
            self.environment.replace(path, number, value)
        return number

    def write(self, path: Path, span: Span, operand: Operand, *, key: str = "", augmented: bool = False) -> None:
        """Append a write of what `operand` denotes."""
        value, parts = operand.value, operand.parts
        self.access("write", path, span, deps=operand.deps, value=value, key=key, augmented=augmented, operands=parts)

    def inner_prefix(self) -> str:
        return "" if self.kind == "module" else f"{self.qualname}."

    def load_name(self, name: str, node: ast.AST) -> Operand:
        """What a name denotes here; shared variables (module, captured, class body) become read events."""
        owner = self.owner_of(name)
        if owner is None:
            return Operand(((f"g:{name}",),))
        if owner is self.scope and self.kind in ("function", "lambda"):
            return self._load_local(name, node)
        if owner.kind == "module":
            return self._load_global(name, node)
        holder = self.holder_of(owner)
        if holder is None:
            return NOTHING
        if owner.kind == "class":
            return Operand(((f"cls:{holder.qualname}", name),))
        return self._load_captured(name, holder, node)

    def _load_local(self, name: str, node: ast.AST) -> Operand:
        if name in self.scope.captured and not self._fixed_parameter(name):
            return self._load_captured(name, self, node)
        known = self.environment.get(name)
        if known is not None:
            return known
        if name in self.params:
            return Operand(((f"p:{name}",),))
        return Operand(((f"l:{name}",),))

    def _fixed_parameter(self, name: str) -> bool:
        """Parameters that are captured but hold what was passed: they are no shared variable."""
        return name in self.params and self.environment.get(name) is None

    def _load_global(self, name: str, node: ast.AST) -> Operand:
        path: Path = (f"g:{name}",)
        if name not in self.context.scopes.module_variables:
            return Operand((path,))
        read = self.access("read", path, self.span(node))
        known = self.environment.get(name) if self.kind == "module" else None
        return Operand((path,), (read,) if known is None else (*known.deps, read))

    def _load_captured(self, name: str, holder: Body, node: ast.AST) -> Operand:
        path: Path = (f"f:{holder.qualname}:{name}",)
        if name in holder.params and holder.environment.get(name) is None:
            return Operand((path,))
        return Operand((path,), (self.access("read", path, self.span(node)),))

    def store_name(self, name: str, span: Span, operand: Operand, *, augmented: bool = False) -> None:
        """Bind a name; shared variables become write events."""
        owner = self.owner_of(name) or self.scope
        holder = self.holder_of(owner)
        if owner.kind == "module":
            self._store_global(name, span, operand, augmented)
        elif owner.kind == "class":
            path: Path = (f"cls:{holder.qualname if holder else self.qualname}", name)
            self.write(path, span, operand, augmented=augmented)
        elif owner is not self.scope or name in owner.captured:
            prefix = holder.qualname if holder else self.qualname
            path = (f"f:{prefix}:{name}",)
            self.write(path, span, operand, augmented=augmented)
            if owner is self.scope:
                self.environment.assign(name, operand)
        else:
            self.environment.assign(name, operand)

    def _store_global(self, name: str, span: Span, operand: Operand, augmented: bool) -> None:
        path: Path = (f"g:{name}",)
        self.write(path, span, operand, augmented=augmented)
        if self.kind == "module":
            self.environment.assign(name, operand)
