"""Methods that syntax and built-in functions run: `len(self)`, `self[key]`, `key in self`, `for x in self`."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.summary import ELEMENT, Access, Call, Path
from racelint.program.calls import CallSite, is_own
from racelint.program.index import External, FunctionInfo
from racelint.program.linker import Program
from racelint.program.things import Instance

_BY_BUILTIN: dict[str, tuple[str, ...]] = {
    **{f"builtins.{name}": (f"__{name}__",) for name in ("len", "iter", "next", "repr", "bool", "hash", "reversed")},
    **{f"builtins.{name}": ("__str__", "__repr__") for name in ("str", "print", "format")},
    **{f"builtins.{name}": ("__iter__",) for name in ("list", "tuple", "set", "sorted", "sum", "any", "all", "dict")},
}
_BY_ACCESS = {"read": "__getitem__", "write": "__setitem__", "delete": "__delitem__", "test": "__contains__"}


def implicit_calls(program: Program, function: FunctionInfo) -> Iterator[CallSite]:
    """In source order, where the class of the object is certain."""
    facts = program.stores.facts[function.id]
    for call in facts.calls:
        yield from _by_builtin(program, call, function)
    for access in facts.accesses:
        yield from _by_access(program, access, function)


def _by_builtin(program: Program, call: Call, function: FunctionInfo) -> Iterator[CallSite]:
    for thing in program.types.of_value(call.func, function):
        names = _BY_BUILTIN.get(thing.dotted, ()) if isinstance(thing, External) else ()
        for argument in call.args if names else ():
            for path in argument.value if not argument.name else ():
                yield from _of(program, function, call.id, path, names)


def _by_access(program: Program, access: Access, function: FunctionInfo) -> Iterator[CallSite]:
    if access.kind == "iterate":
        yield from _of(program, function, access.id, access.path, ("__iter__",))
    elif len(access.path) > 1 and access.path[-1] == ELEMENT and access.kind in _BY_ACCESS:
        yield from _of(program, function, access.id, access.path[:-1], (_BY_ACCESS[access.kind],))


def _of(program: Program, function: FunctionInfo, event: int, path: Path, names: tuple[str, ...]) -> Iterator[CallSite]:
    things = program.types.of(path, function)
    if len(things) == 1 and isinstance(things[0], Instance):
        cls = things[0].cls
        method = next(filter(None, map(cls.method, names)), None)
        if method is not None:
            on = None if is_own(path, function) else cls
            yield CallSite(function, event, method, path, {}, False, on=on)
