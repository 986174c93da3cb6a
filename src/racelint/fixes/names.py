"""Names for what fixes make, and how paths are written where they are used."""

from __future__ import annotations

import re

from racelint.model.summary import ELEMENT, Call, Path
from racelint.program import Program
from racelint.program.flow.values import FunctionFacts
from racelint.program.locking.locks import Lock
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.objects.families import descendants
from racelint.program.objects.locations import Location

_LOCK_WORDS = frozenset(
    {"lock", "rlock", "mutex", "guard", "sync", "cond", "condition", "cv", "thread", "state", "data"}
)
"""What a name says that is of a lock for whatever stands beside it."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def is_for_another(lock: Location, variable: Location) -> bool:
    """Whether the lock's name says what it is for, and that is not the variable: `flush_lock` beside `sessions`."""
    named = _words(lock) - _LOCK_WORDS
    return bool(named) and not {word[:4] for word in named} & {word[:4] for word in _words(variable)}


def _words(location: Location) -> set[str]:
    return {word.lower() for word in _WORD.findall(location.fields[0])}


def written(path: Path, facts: FunctionFacts) -> str | None:
    """The path as an expression of the function's source; None for what has no name there."""
    kind, _, rest = path[0].partition(":")
    root = rest.rpartition(":")[2] if kind == "f" else rest
    if kind == "c":
        root = _class_of_self(facts.call(int(rest)), facts.function)
    elif kind not in ("p", "g", "f", "cls"):
        return None
    if not root or "<" in root or ELEMENT in path:
        return None
    return ".".join((root, *path[1:]))


def _class_of_self(call: Call | None, function: FunctionInfo) -> str:
    """`type(self)`, the one call that may be made twice."""
    own = ((f"p:{function.self_name}",),)
    if call is None or call.func != (("g:type",),) or [argument.value for argument in call.args] != [own]:
        return ""
    return f"type({function.self_name})"


def lock_path(lock: Location, function: FunctionInfo, base: Path, beside: Location) -> Path | None:
    """The path by which `function` can name a lock; `base` is that of the object whose state `beside` is."""
    (name,) = lock.fields[:1]
    if len(lock.fields) != 1:
        return None
    if lock.kind == "global":
        return (f"g:{name}",) if lock.owner == function.module.name else None
    if lock.kind == "captured":
        module, _, qualname = lock.owner.partition(":")
        inside = function.module.name == module and f"{function.qualname}.".startswith(f"{qualname}.")
        return (f"f:{qualname}:{name}",) if inside else None
    own = (f"p:{function.self_name}",)
    inherits = function.cls is not None and function.self_name and lock.owner in {cls.id for cls in function.cls.mro}
    if inherits and (beside.kind != "attribute" or base == own):
        return (*own, name)
    return (*base, name) if base and beside.kind == "attribute" else None


def lock_at(program: Program, lock: Location, function: FunctionInfo, base: Path, beside: Location) -> Lock | None:
    """The lock as the analysis sees it under that path; None where that is another one, or not certain."""
    path = lock_path(lock, function, base, beside)
    found = program.locks.of(path, function) if path is not None else None
    return found if found is not None and found.location == lock and not found.opaque else None


def is_class(program: Program, base: Path, function: FunctionInfo) -> bool:
    """Whether the path is that of a class, as `cls` is in a class method: instances' attributes are not there."""
    things = program.types.of(base, function)
    return base[0].startswith("cls:") or (bool(things) and all(isinstance(thing, ClassInfo) for thing in things))


def class_of(program: Program, location: Location) -> ClassInfo | None:
    """The class whose attribute a location is."""
    return program.index.classes_by_id.get(location.owner)


def names_in_class(program: Program, cls: ClassInfo) -> set[str]:
    """Every attribute and method name that the class, its bases and its children use for themselves."""
    related = {*(c.id for c in cls.mro), *(c.id for c in descendants(cls))}
    found = {name for owner, name in program.stores.attributes if owner in related}
    for one in (*cls.mro, *descendants(cls)):
        found |= {*one.ir.methods, *one.ir.hints, *one.ir.slots}
    return found


def claims_of(program: Program, location: Location) -> frozenset[str]:
    """What a new attribute, or variable, takes up: its name in the class, its bases and its children."""
    cls = class_of(program, location) if location.kind == "attribute" else None
    owners = [c.id for c in (*cls.mro, *descendants(cls))] if cls is not None else [location.owner]
    return frozenset(str(Location(location.kind, owner, location.fields)) for owner in owners)


def free_name(taken: set[str], *wanted: str) -> str:
    """The first of the wanted names that is not taken, else the last one with a number."""
    numbered = (f"{wanted[-1]}_{number}" for number in range(2, 1000))
    return next(name for name in (*wanted, *numbered) if name not in taken)
