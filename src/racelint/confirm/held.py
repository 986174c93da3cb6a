"""Methods that run under a lock of their object: their callers take it, so a scenario does, too."""

from __future__ import annotations

import ast
from functools import lru_cache

import msgspec

from racelint.confirm.operations import Entry
from racelint.confirm.outline import FunctionOutline, ModuleOutline, dotted, last_name, own_nodes
from racelint.confirm.project import Project
from racelint.model.scenario import Operation

_LOCKS = frozenset({"Lock", "RLock", "Condition"})


def locks_of_callers(project: Project, entry: Entry) -> list[str]:
    """The locks, `self.lock`, that every caller in the project holds around the method, outermost first.

    Empty where nobody calls it, where one does without, and where the method takes it itself.
    """
    if entry.cls is None or entry.function.kind != "method":
        return []
    known = locks_made_for(project, entry) - set(locks_of(entry.function))
    if not known:
        return []
    calls = _calls(project, entry)
    held = [set(locks) & known for locks in calls]
    if not held or not set.intersection(*held):
        return []
    return [lock for lock in reversed(calls[0]) if lock in set.intersection(*held)]


def as_called(project: Project, entry: Entry, operation: Operation, subject: str) -> Operation:
    """The operation with the locks held that its callers hold."""
    locks = [f"{subject}.{lock.removeprefix('self.')}" for lock in locks_of_callers(project, entry)]
    if not locks:
        return operation
    body = "\n".join(f"    {line}" for line in operation.source.splitlines())
    return msgspec.structs.replace(operation, source=f"with {', '.join(locks)}:\n{body}")


def _calls(project: Project, entry: Entry) -> list[list[str]]:
    """The locks held at each call of the method in the project; of one on another object than self none is known."""
    found: list[list[str]] = []
    name = entry.function.name
    modules = {module.path: module for module in (entry.module, *project.mentioning(name))}
    for module in modules.values():
        for function, call in _calls_in(module).get(name, ()):
            cls = module.classes.get(function.owner)
            own = cls is not None and project.find_method(module, cls, name) is entry.function
            on_self = dotted(call.func) == f"self.{name}"
            if own or not on_self:
                found.append(locks_at(function, call.lineno) if on_self else [])
    return found


@lru_cache(maxsize=1024)
def _calls_in(module: ModuleOutline) -> dict[str, list[tuple[FunctionOutline, ast.Call]]]:
    """The calls in the module's functions, by the last name of what they call."""
    found: dict[str, list[tuple[FunctionOutline, ast.Call]]] = {}
    for function in module.functions.values():
        for node in own_nodes(function.node):
            if isinstance(node, ast.Call):
                found.setdefault(last_name(node.func), []).append((function, node))
    return found


def locks_made_for(project: Project, entry: Entry) -> set[str]:
    """The fields that the object's class or a base of it puts a lock in."""
    assert entry.cls is not None
    methods = project.methods(entry.module, entry.cls).values()
    return {lock for method in methods for lock in _locks_made_in(method)}


@lru_cache(maxsize=4096)
def _locks_made_in(method: FunctionOutline) -> frozenset[str]:
    return frozenset(
        dotted(target)
        for node in own_nodes(method.node)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and last_name(node.value.func) in _LOCKS
        for target in node.targets
        if dotted(target).startswith("self.")
    )


def locks_of(function: FunctionOutline) -> list[str]:
    """What the function enters or acquires, as it is written there: `self.lock`."""
    found: dict[str, None] = {}
    for node in own_nodes(function.node):
        if isinstance(node, ast.withitem):
            found[dotted(node.context_expr)] = None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "acquire":
            found[dotted(node.func.value)] = None
    return [name for name in found if name]


def locks_at(function: FunctionOutline, line: int) -> list[str]:
    """The locks that may be held on a line, as they are written there, the innermost first."""
    return list(dict.fromkeys(_held(function, line)))


def _held(function: FunctionOutline, line: int) -> list[str]:
    entered: list[tuple[int, str]] = []
    for node in own_nodes(function.node):
        if isinstance(node, ast.With) and node.lineno <= line <= (node.end_lineno or node.lineno):
            entered += [(node.lineno, dotted(item.context_expr)) for item in node.items]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.lineno <= line:
            entered += [(node.lineno, dotted(node.func.value))] if node.func.attr == "acquire" else []
    return [name for _, name in sorted(entered, reverse=True) if name]
