"""What a function touches, roughly: fields, globals, conditions, whether it starts threads or processes.

It only orders and prunes what is tried first. The static half decides what is suspect, the harness what is wrong.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from racelint.confirm.outline import ClassOutline, FunctionOutline, ModuleOutline, dotted, last_name
from racelint.confirm.project import Project
from racelint.knowledge.containers import CHANGING_FUNCTIONS

THREAD_STARTERS = frozenset(
    {"Thread", "Timer", "ThreadPoolExecutor", "ThreadPool", "start_new_thread", "to_thread", "run_in_executor"}
)
CHANGERS = frozenset(name.rpartition(".")[2] for name in CHANGING_FUNCTIONS)
_Node = tuple[FunctionOutline, ClassOutline | None]
TASK_STARTERS = frozenset({"create_task", "ensure_future", "gather", "TaskGroup", "start_soon", "as_completed"})
PROCESS_STARTERS = frozenset({"Process", "ProcessPoolExecutor", "Pool", "fork"})


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
    starts_tasks: bool = False
    reached: set[str] = field(default_factory=set)
    """Qualified names of the functions of the module that it comes to, itself included, and classes it makes."""

    @property
    def touched(self) -> set[str]:
        return self.reads | self.writes | self.calls_on

    @property
    def starts(self) -> bool:
        return self.starts_threads or self.starts_processes

    def add(self, other: Footprint) -> None:
        """Take in all of another."""
        self.reads |= other.reads
        self.writes |= other.writes
        self.calls_on |= other.calls_on
        self.notifies |= other.notifies
        self.waits |= other.waits
        self.add_reach(other)

    def add_reach(self, other: Footprint) -> None:
        """Take in where another comes to and what it starts, not the fields it touches: they are another object's."""
        self.reached |= other.reached
        self.starts_threads |= other.starts_threads
        self.starts_processes |= other.starts_processes
        self.starts_tasks |= other.starts_tasks


def conflict(first: Footprint, second: Footprint) -> int:
    """How likely two functions interfere: 4 a written name in common, 1 a name one may change, 0 nothing shared."""
    shared = first.touched & second.touched
    if (first.writes & second.touched) | (second.writes & first.touched):
        return 4
    return 1 if shared & (first.calls_on | second.calls_on) else 0


@dataclass
class _Facts:
    """What one function does by itself, and where it goes: `own` calls on the same object or plain functions,
    `other` calls on objects of unknown type and new objects, whose fields are not those of `self`."""

    footprint: Footprint
    own: list[_Node] = field(default_factory=list)
    other: list[_Node] = field(default_factory=list)


class Footprints:
    """Footprints of the functions of one module, through the calls that stay inside it."""

    def __init__(self, project: Project, outline: ModuleOutline) -> None:
        self.project = project
        self.outline = outline
        self.variables = outline.variables
        self.by_name: dict[str, list[FunctionOutline]] = {}
        for function in outline.functions.values():
            if function.owner and function.kind != "setter":
                self.by_name.setdefault(function.name, []).append(function)
        self._facts: dict[_Node, _Facts] = {}
        self._known: dict[_Node, Footprint] = {}

    def of(self, function: FunctionOutline, cls: ClassOutline | None = None) -> Footprint:
        """The footprint of a function; `cls` is the class of the object, for methods found through `self`."""
        node = (function, cls or self.outline.classes.get(function.owner))
        if node not in self._known:
            self._known[node] = self._closed(self._facts_of(node))
        return self._known[node]

    def calls(self, caller: FunctionOutline, cls: ClassOutline, called: FunctionOutline) -> bool:
        """Whether a method calls another of the same object itself, not by way of a third."""
        return any(function is called for function, _ in self._facts_of((caller, cls)).own)

    def of_body(self, body: list[ast.stmt]) -> Footprint:
        """The footprint of loose statements, such as a main guard's."""
        facts = _Facts(Footprint())
        for statement in body:
            self._walk(facts, statement, None)
        return self._closed(facts)

    def _closed(self, start: _Facts) -> Footprint:
        """The facts together with those of everything that is reached from them."""
        total = Footprint()
        total.add(start.footprint)
        waiting = [(node, True) for node in start.own] + [(node, False) for node in start.other]
        seen: set[tuple[_Node, bool]] = set()
        while waiting:
            node, same = waiting.pop()
            if (node, same) in seen or (node, True) in seen:
                continue
            seen.add((node, same))
            facts = self._facts_of(node)
            (total.add if same else total.add_reach)(facts.footprint)
            waiting.extend((inner, same) for inner in facts.own)
            waiting.extend((inner, False) for inner in facts.other)
        return total

    def _facts_of(self, node: _Node) -> _Facts:
        if node not in self._facts:
            function, cls = node
            facts = self._facts[node] = _Facts(Footprint())
            facts.footprint.reached.add(function.qualname)
            self._walk(facts, function.node, cls)
        return self._facts[node]

    def _walk(self, facts: _Facts, root: ast.AST, cls: ClassOutline | None) -> None:
        footprint = facts.footprint
        for node in ast.walk(root):
            if isinstance(node, ast.Attribute):
                name = _field(node, cls)
                if name:
                    (footprint.reads if isinstance(node.ctx, ast.Load) else footprint.writes).add(name)
            elif isinstance(node, ast.Name) and node.id in self.variables:
                (footprint.reads if isinstance(node.ctx, ast.Load) else footprint.writes).add(node.id)
            elif isinstance(node, ast.AugAssign | ast.Assign | ast.Delete):
                self._stored(footprint, node, cls)
            elif isinstance(node, ast.Call):
                self._call(facts, node, cls)

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

    def _call(self, facts: _Facts, node: ast.Call, cls: ClassOutline | None) -> None:
        name = "" if self._is_own(node.func) else last_name(node.func)
        facts.footprint.starts_threads |= name in THREAD_STARTERS
        facts.footprint.starts_processes |= name in PROCESS_STARTERS
        facts.footprint.starts_tasks |= name in TASK_STARTERS
        if isinstance(node.func, ast.Attribute):
            self._method_call(facts.footprint, node.func, cls)
        if name in CHANGERS and node.args:
            self._changed(facts.footprint, node.args[0], cls)
        for mentioned in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
            self._reach(facts, mentioned, cls)

    def _is_own(self, func: ast.expr) -> bool:
        """Whether a name of the module itself is called, whatever else of the name there is."""
        return isinstance(func, ast.Name) and (func.id in self.outline.classes or func.id in self.outline.functions)

    def _method_call(self, footprint: Footprint, func: ast.Attribute, cls: ClassOutline | None) -> None:
        name = self._changed(footprint, func.value, cls)
        if name:
            if func.attr in ("notify", "notify_all"):
                footprint.notifies.add(name)
            elif func.attr in ("wait", "wait_for"):
                footprint.waits.add(name)

    def _changed(self, footprint: Footprint, node: ast.expr, cls: ClassOutline | None) -> str:
        """Note the field or global that a call may change, or one of whose elements; empty for anything else."""
        while isinstance(node, ast.Subscript):
            node = node.value
        name = _field(node, cls) if isinstance(node, ast.Attribute) else dotted(node)
        if not (name.startswith("self.") or name in self.variables):
            return ""
        footprint.calls_on.add(name)
        return name

    def _reach(self, facts: _Facts, node: ast.expr, cls: ClassOutline | None) -> None:
        """Note a function or class of the module that is called, or handed to something that may call it."""
        name = dotted(node)
        if isinstance(node, ast.Attribute):
            if cls is not None and dotted(node.value) in ("self", "cls"):
                method = self.project.find_method(self.outline, cls, node.attr)
                if method is not None:
                    facts.own.append((method, cls))
                return
            # The type of the object is not known here: every method so named may be meant.
            facts.other.extend((f, self.outline.classes.get(f.owner)) for f in self.by_name.get(node.attr, ()))
        if name in self.outline.functions:
            facts.own.append((self.outline.functions[name], None))
        if name in self.outline.classes:
            self._made(facts, self.outline.classes[name])

    def _made(self, facts: _Facts, cls: ClassOutline) -> None:
        facts.footprint.reached.add(cls.qualname)
        outer = set(self.project.outer_bases(self.outline, cls))
        facts.footprint.starts_threads |= bool(outer & {"Thread", "Timer"})
        facts.footprint.starts_processes |= "Process" in outer
        for name in ("__init__", "run") if outer & {"Thread", "Process"} else ("__init__",):
            if name in cls.methods:
                facts.other.append((cls.methods[name], cls))


def _field(node: ast.Attribute, cls: ClassOutline | None) -> str:
    """`self.x` for a field read through self, cls, the class's name, `type(self)` or `self.__class__`."""
    head = node.value
    if isinstance(head, ast.Name) and head.id in ("self", "cls", cls.name if cls else "self"):
        return f"self.{node.attr}"
    through_type = isinstance(head, ast.Call) and last_name(head.func) == "type"
    through_class = isinstance(head, ast.Attribute) and head.attr == "__class__"
    return f"self.{node.attr}" if through_type or through_class else ""
