"""What a function touches, roughly: fields, globals, conditions, whether it starts threads or processes.

It only orders and prunes what is tried first. The static half decides what is suspect, the harness what is wrong.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from racelint.confirm.outline import ClassOutline, FunctionOutline, ModuleOutline, dotted, last_name
from racelint.confirm.project import Project

THREAD_STARTERS = frozenset(
    {"Thread", "Timer", "ThreadPoolExecutor", "ThreadPool", "start_new_thread", "to_thread", "run_in_executor"}
)
PROCESS_STARTERS = frozenset({"Process", "ProcessPoolExecutor", "Pool", "fork"})
DEPTH = 6
"""Calls followed inside the module."""


@dataclass
class Footprint:
    """Names as `self.x` for fields of the object or its class, and plain ones for globals."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    calls_on: set[str] = field(default_factory=set)
    """Fields and globals a method is called on: it may change them."""
    notifies: set[str] = field(default_factory=set)
    waits: set[str] = field(default_factory=set)
    starts_threads: bool = False
    starts_processes: bool = False
    reached: set[str] = field(default_factory=set)
    """Qualified names of the functions of the module that it comes to, itself included, and classes it makes."""

    @property
    def touched(self) -> set[str]:
        return self.reads | self.writes | self.calls_on

    @property
    def starts(self) -> bool:
        return self.starts_threads or self.starts_processes


def conflict(first: Footprint, second: Footprint) -> int:
    """How likely two functions interfere: 4 a written name in common, 1 a name one may change, 0 nothing shared."""
    shared = first.touched & second.touched
    if (first.writes & second.touched) | (second.writes & first.touched):
        return 4
    return 1 if shared & (first.calls_on | second.calls_on) else 0


class Footprints:
    """Footprints of the functions of one module, through the calls that stay inside it."""

    def __init__(self, project: Project, outline: ModuleOutline) -> None:
        self.project = project
        self.outline = outline
        self.variables = outline.variables
        self._known: dict[tuple[str, str], Footprint] = {}

    def of(self, function: FunctionOutline, cls: ClassOutline | None = None) -> Footprint:
        """The footprint of a function; `cls` is the class of the object, for methods found through `self`."""
        key = (function.qualname, cls.qualname if cls else function.owner)
        if key not in self._known:
            footprint = Footprint()
            self._follow(footprint, function, cls, 0)
            self._known[key] = footprint
        return self._known[key]

    def of_body(self, body: list[ast.stmt]) -> Footprint:
        """The footprint of loose statements, such as a main guard's."""
        footprint = Footprint()
        for statement in body:
            self._walk(footprint, statement, None, 0)
        return footprint

    def _follow(self, footprint: Footprint, function: FunctionOutline, cls: ClassOutline | None, depth: int) -> None:
        if function.qualname in footprint.reached or depth > DEPTH:
            return
        footprint.reached.add(function.qualname)
        owner = cls or self.outline.classes.get(function.owner)
        self._walk(footprint, function.node, owner, depth)

    def _walk(self, footprint: Footprint, root: ast.AST, cls: ClassOutline | None, depth: int) -> None:
        for node in ast.walk(root):
            if isinstance(node, ast.Attribute):
                self._attribute(footprint, node, cls)
            elif isinstance(node, ast.Name):
                self._name(footprint, node)
            elif isinstance(node, ast.AugAssign | ast.Assign | ast.Delete):
                self._stored(footprint, node, cls)
            elif isinstance(node, ast.Call):
                self._call(footprint, node, cls, depth)

    def _attribute(self, footprint: Footprint, node: ast.Attribute, cls: ClassOutline | None) -> None:
        name = _field(node, cls)
        if name:
            (footprint.reads if isinstance(node.ctx, ast.Load) else footprint.writes).add(name)

    def _name(self, footprint: Footprint, node: ast.Name) -> None:
        if node.id in self.variables:
            (footprint.reads if isinstance(node.ctx, ast.Load) else footprint.writes).add(node.id)

    def _stored(
        self, footprint: Footprint, node: ast.AugAssign | ast.Assign | ast.Delete, cls: ClassOutline | None
    ) -> None:
        """`self.d[k] = v` and `G[k] += 1` change what they subscript."""
        targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
        for target in targets:
            inner: ast.expr = target
            while isinstance(inner, ast.Subscript | ast.Starred):
                inner = inner.value
            name = _field(inner, cls) if isinstance(inner, ast.Attribute) else dotted(inner)
            if name and inner is not target and (name.startswith("self.") or name in self.variables):
                footprint.writes.add(name)

    def _call(self, footprint: Footprint, node: ast.Call, cls: ClassOutline | None, depth: int) -> None:
        name = last_name(node.func)
        footprint.starts_threads |= name in THREAD_STARTERS
        footprint.starts_processes |= name in PROCESS_STARTERS
        if isinstance(node.func, ast.Attribute):
            self._method_call(footprint, node.func, cls)
        for mentioned in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
            self._reach(footprint, mentioned, cls, depth)

    def _method_call(self, footprint: Footprint, func: ast.Attribute, cls: ClassOutline | None) -> None:
        receiver = func.value
        while isinstance(receiver, ast.Subscript):
            receiver = receiver.value
        name = _field(receiver, cls) if isinstance(receiver, ast.Attribute) else dotted(receiver)
        if name.startswith("self.") or name in self.variables:
            footprint.calls_on.add(name)
            if func.attr in ("notify", "notify_all"):
                footprint.notifies.add(name)
            elif func.attr in ("wait", "wait_for"):
                footprint.waits.add(name)

    def _reach(self, footprint: Footprint, node: ast.expr, cls: ClassOutline | None, depth: int) -> None:
        """Follow a function or class of the module that is called, or handed to something that may call it."""
        name = dotted(node)
        if isinstance(node, ast.Attribute):
            if cls is not None and dotted(node.value) in ("self", "cls"):
                method = self.project.find_method(self.outline, cls, node.attr)
                if method is not None:
                    self._follow(footprint, method, cls, depth + 1)
                return
            self._methods_named(footprint, node.attr, depth)
        if name in self.outline.functions:
            self._follow(footprint, self.outline.functions[name], None, depth + 1)
        made = self.outline.classes.get(name)
        if made is not None:
            self._made(footprint, made, depth)

    def _methods_named(self, footprint: Footprint, name: str, depth: int) -> None:
        """`x.name`: every method of the module so named, since the type of `x` is not known here."""
        for function in self.outline.functions.values():
            if function.name == name and function.owner and function.kind != "setter":
                inner = Footprint()
                self._follow(inner, function, None, depth + 1)
                footprint.reached |= inner.reached
                footprint.starts_threads |= inner.starts_threads
                footprint.starts_processes |= inner.starts_processes

    def _made(self, footprint: Footprint, cls: ClassOutline, depth: int) -> None:
        if cls.qualname in footprint.reached:
            return
        footprint.reached.add(cls.qualname)
        outer = set(self.project.outer_bases(self.outline, cls))
        footprint.starts_threads |= bool(outer & {"Thread", "Timer"})
        footprint.starts_processes |= "Process" in outer
        inner = Footprint()
        for name in ("__init__", "run") if outer & {"Thread", "Process"} else ("__init__",):
            if name in cls.methods:
                self._follow(inner, cls.methods[name], cls, depth + 1)
        footprint.reached |= inner.reached
        footprint.starts_threads |= inner.starts_threads
        footprint.starts_processes |= inner.starts_processes


def _field(node: ast.Attribute, cls: ClassOutline | None) -> str:
    """`self.x` for a field read through self, cls, the class's name, `type(self)` or `self.__class__`."""
    head = node.value
    if isinstance(head, ast.Name) and head.id in ("self", "cls", cls.name if cls else "self"):
        return f"self.{node.attr}"
    through_type = isinstance(head, ast.Call) and last_name(head.func) == "type"
    through_class = isinstance(head, ast.Attribute) and head.attr == "__class__"
    return f"self.{node.attr}" if through_type or through_class else ""
