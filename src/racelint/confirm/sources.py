"""Where else an object of a class comes from than from its constructor: subclasses, and functions that return one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from racelint.confirm.outline import ClassOutline, FunctionOutline, ModuleOutline, last_name, own_nodes
from racelint.confirm.project import Project

Source = ClassOutline | FunctionOutline


def other_sources(project: Project, module: ModuleOutline, cls: ClassOutline) -> Iterator[Source]:
    """What of the module makes an object that has the class's methods: functions that return one, then subclasses."""
    for function in module.functions.values():
        if not function.nested and not function.is_async and function.owner != cls.qualname and _makes(function, cls):
            yield function
    for other in module.classes.values():
        if other is not cls and not other.nested and cls in [found for _, found in project.lineage(module, other)]:
            yield other


def is_abstract(cls: ClassOutline, outer: list[str], methods: Iterable[FunctionOutline]) -> bool:
    """Whether it has no objects of its own; `outer` are bases outside the project, `methods` also inherited ones."""
    if "Protocol" in outer and "Protocol" in {base.rpartition(".")[2] for base in cls.bases}:
        return True
    return any("abstract" in ast.unparse(decorator) for method in methods for decorator in method.node.decorator_list)


@lru_cache(maxsize=4096)
def _makes(function: FunctionOutline, cls: ClassOutline) -> bool:
    """Whether it returns what it makes of the class, directly or by a name."""
    if function.kind not in ("function", "method", "classmethod", "staticmethod") or function.is_generator:
        return False
    made = set()
    for node in own_nodes(function.node):
        if isinstance(node, ast.Assign) and _is_call_of(node.value, cls):
            made |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    returned = [node.value for node in own_nodes(function.node) if isinstance(node, ast.Return) and node.value]
    return any(_is_call_of(v, cls) or (isinstance(v, ast.Name) and v.id in made) for v in returned)


def _is_call_of(node: ast.expr, cls: ClassOutline) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == cls.name
