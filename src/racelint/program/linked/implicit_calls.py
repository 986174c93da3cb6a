"""Methods that syntax and builtins run: `len(self)`, `self[key]`, `key in self`, `self + 1`, `f"{self}"`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard

from racelint.model.summary import ELEMENT, Access, Call, Path
from racelint.program.calling.calls import CallSite, is_own
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.things import Bound, Instance, Member, Thing

_AS_TEXT = ("__str__", "__repr__")
_LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
_LOGGING = frozenset(f"logging.{level}" for level in _LEVELS)
_FILLED_IN = {("builtins.str", "format"): 0, **{("logging.Logger", level): 1 for level in _LEVELS}}
"""Methods that put their arguments into a text, and the first argument that they do so to."""
_BY_BUILTIN: dict[str, tuple[str, ...]] = {
    **{f"builtins.{name}": (f"__{name}__",) for name in ("len", "iter", "next", "repr", "hash", "reversed")},
    "builtins.bool": ("__bool__", "__len__"),
    **{f"builtins.{name}": _AS_TEXT for name in ("str", "print")},
    "builtins.format": ("__format__", *_AS_TEXT),
    **{f"builtins.{name}": ("__iter__",) for name in ("list", "tuple", "set", "sorted", "sum", "any", "all", "dict")},
}
_SORTING = frozenset({"builtins.sorted", "builtins.min", "builtins.max", "builtins.list.sort"})
_REDUCING = frozenset({"functools.reduce"})
_RUNNING = frozenset({*_BY_BUILTIN, *_LOGGING, *_SORTING, *_REDUCING})
_MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_BY_ACCESS = {"read": "__getitem__", "write": "__setitem__", "delete": "__delitem__", "test": "__contains__"}


def implicit_calls(program: Program, function: FunctionInfo) -> Iterator[CallSite]:
    """In source order, where the class of the object is certain."""
    facts = program.stores.facts[function.id]
    for call in facts.calls:
        outside = [t for t in program.types.of_value(call.func, function) if _runs_more(t)]
        if outside:
            yield from _by_builtin(program, call, function, outside)
            yield from _by_key(program, call, function, outside)
    for access in facts.accesses:
        if access.kind == "iterate" or access.path[-1] == ELEMENT:
            yield from _by_access(program, access, function)


def _runs_more(thing: Thing) -> TypeGuard[External | Member]:
    """Whether a call of it may run methods of what it is given."""
    if type(thing) is External:
        return thing.dotted in _RUNNING or thing.dotted.startswith("operator.")
    return type(thing) is Member and ((thing.dotted, thing.name) in _FILLED_IN or thing.name == "sort")


def _by_builtin(
    program: Program, call: Call, function: FunctionInfo, called: Sequence[External | Member]
) -> Iterator[CallSite]:
    for thing in called:
        if type(thing) is External and thing.dotted.startswith("operator."):
            yield from _by_operator(program, call, function, thing.dotted[9:])
            continue
        names, first = _run_by(thing)
        if names is _AS_TEXT and first and _is_log_handler(function):  # what it logs may come to itself
            yield from _of(program, function, call.id, (f"p:{function.self_name}",), ("emit",))
        for argument in call.args[first:] if names else ():
            for path in argument.value if not argument.name else ():
                yield from _of(program, function, call.id, path, names)


def _by_key(
    program: Program, call: Call, function: FunctionInfo, called: Sequence[External | Member]
) -> Iterator[CallSite]:
    """The function that compares, or reduces, while the call runs: `sorted(jobs, key=self.rank)`."""
    given = [argument.value for argument in call.args if argument.name == "key"]
    for thing in called if call.args else ():
        dotted = thing.dotted if type(thing) is External else f"{thing.dotted}.{thing.name}"
        values = given if dotted in _SORTING else [call.args[0].value] if dotted in _REDUCING else []
        for path in (path for value in values for path in value):
            for run in program.types.of(path, function):
                if type(run) is Bound:
                    receiver = path[:-1] if run.bound and path[-1] == run.function.ir.name else None
                    yield CallSite(function, call.id, run.function, receiver, {}, False)


def _by_operator(program: Program, call: Call, function: FunctionInfo, name: str) -> Iterator[CallSite]:
    """The left operand's method; that of the right one where the left is a constant."""
    sides = [argument.value for argument in call.args]
    if not sides or not all(sides[:1]):
        return
    left = sides[0][0]
    if not left[0].startswith("k:"):
        names = ("__ne__", "__eq__") if name == "ne" else (f"__{name}__",)
        yield from _of(program, function, call.id, left, names)
    elif len(sides) == 2 and sides[1]:
        mirrored = _MIRRORED.get(name, f"r{name}")
        yield from _of(program, function, call.id, sides[1][0], (f"__{mirrored}__",))


def _is_log_handler(function: FunctionInfo) -> bool:
    bases = function.cls.all_external_bases() if function.cls is not None and function.self_name else ()
    return any(base.startswith("logging.") and base.endswith("Handler") for base in bases)


def _run_by(thing: Thing) -> tuple[tuple[str, ...], int]:
    """The methods that a call of it runs of its arguments, and the first argument that it does so to."""
    if type(thing) is External:
        if thing.dotted in _LOGGING:
            return _AS_TEXT, 1
        return _BY_BUILTIN.get(thing.dotted, ()), 0
    if type(thing) is Member and (thing.dotted, thing.name) in _FILLED_IN:
        return _AS_TEXT, _FILLED_IN[thing.dotted, thing.name]
    return (), 0


def _by_access(program: Program, access: Access, function: FunctionInfo) -> Iterator[CallSite]:
    if access.kind == "iterate":
        yield from _of(program, function, access.id, access.path, ("__iter__",))
    elif len(access.path) > 1 and access.path[-1] == ELEMENT and access.kind in _BY_ACCESS:
        yield from _of(program, function, access.id, access.path[:-1], (_BY_ACCESS[access.kind],))


def _of(program: Program, function: FunctionInfo, event: int, path: Path, names: tuple[str, ...]) -> Iterator[CallSite]:
    things = program.types.of(path, function)
    if len(things) == 1 and type(things[0]) is Instance:
        cls = things[0].cls
        method = next(filter(None, map(cls.method, names)), None)
        if method is not None:
            on = None if is_own(path, function) else cls
            yield CallSite(function, event, method, path, {}, False, on=on)
