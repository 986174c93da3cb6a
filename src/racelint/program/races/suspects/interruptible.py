"""Whether CPython 3.10 or later can switch threads inside a compound while it holds the GIL.

It does so on entry to a Python function, after calls, on leaving `with` and on taken backward jumps alone. Where it is
not certain that none of these lies between the steps, the compound counts as interruptible.
"""

from __future__ import annotations

from collections.abc import Sequence

from racelint.model.summary import ELEMENT, Access, Call, Loop, Operation, Suspend, Try, With
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Constant, Instance, Object, Thing
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.shared import SharedAccess

ATOMIC = "on the target versions, which have a GIL, nothing switches threads between the steps"
BUILT_IN = frozenset({"builtins.list", "builtins.dict", "builtins.set", "builtins.bytearray", "collections.deque"})
"""Containers whose operations run no Python code but that of their keys."""

_PLAIN = frozenset({"builtins.int", "builtins.float", "builtins.bool", "builtins.str", "builtins.bytes"})
_OPERATORS = frozenset(
    f"__{side}{name}__"
    for side in ("", "r")
    for name in (
        *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow"),
        *("lshift", "rshift", "and", "xor", "or"),
    )
)
_COMPARING_NOTHING = frozenset({"pop", "popleft", "popitem", "append", "appendleft", "clear", "insert"})
_HASHING = frozenset({"pop", "add", "discard", "remove"})


def atomic_with_gil(compound: Compound, program: Program) -> bool:
    """Whether the steps of a compound follow one another with no switch point in between."""
    first, act, function = compound.first, compound.act, compound.function
    indirect = compound.through_call or compound.inner is not None or first.function is not function
    if indirect or compound.since >= act.event or first.event != compound.since:
        return False
    if not _is_quiet(first, program) or not _is_quiet(act, program) or _runs_operator(act, program):
        return False
    if compound.test not in ("", "none", "truth", "in", "compare"):
        return False
    if compound.test in ("", "truth", "compare") and not _is_tame(first, program):
        return False
    return runs_through([first, act], function, program)


def runs_through(steps: Sequence[SharedAccess], function: FunctionInfo, program: Program) -> bool:
    """Whether nothing switches threads from the first of these accesses of one function to the last."""
    begin, end = min(step.span[:2] for step in steps), max(step.span[2:] for step in steps)
    since, until = min(step.event for step in steps), max(step.event for step in steps)
    for node in program.stores.facts[function.id].nodes:
        if isinstance(node, (Access, Call)):
            inside = since <= node.id <= until
            if inside and (program.calls.at(function, node.id) or (isinstance(node, Call) and since < node.id < until)):
                return False
            continue
        span = node.item.span if isinstance(node, With) else node.span
        if isinstance(node, (With, Loop, Suspend, Try, Operation)) and begin <= span[:2] < end:
            return False
    return True


def _runs_operator(act: SharedAccess, program: Program) -> bool:
    """Whether the arithmetic takes an object of a class that says in Python what `x + y` means."""
    event = program.stores.facts[act.function.id].events[act.event]
    operands = event.operands if isinstance(event, Access) else ()
    return any(
        isinstance(thing, Instance) and any(thing.cls.method(name) is not None for name in _OPERATORS)
        for thing in program.types.of_value(operands, act.function)
    )


def _is_quiet(access: SharedAccess, program: Program) -> bool:
    """One step that runs no Python code: of an attribute or variable, or of a built-in container with plain keys."""
    if access.deed == "iterate":
        return False
    if not access.location.content and access.deed != "mutate":
        return True
    container = access.path[:-1] if access.location.content and access.path[-1] == ELEMENT else access.path
    things = program.types.of(container, access.function)
    if not things or not all(isinstance(thing, Object) and thing.dotted in BUILT_IN for thing in things):
        return False
    if access.deed != "mutate":
        return bool(access.key) and _is_plain_key(access, program)
    keyed = access.method in _HASHING and bool(access.key) and _is_plain_key(access, program)
    compares = any(isinstance(thing, Object) and thing.dotted == "builtins.list" for thing in things)
    return (access.method in _COMPARING_NOTHING and not access.key) or (keyed and not compares)


def _is_plain_key(access: SharedAccess, program: Program) -> bool:
    """A literal, or a parameter that is certainly a number or a string."""
    if access.key[:1] in "'\"-0123456789":
        return True
    things = program.types.of((f"p:{access.key}",), access.function) if access.key.isidentifier() else ()
    return bool(things) and all(map(_is_plain, things))


def _is_tame(access: SharedAccess, program: Program) -> bool:
    """Its operators and its truth run no Python code."""
    things = program.types.of(access.path, access.function)
    return bool(things) and all(
        _is_plain(thing) or (isinstance(thing, Object) and thing.dotted in BUILT_IN) for thing in things
    )


def _is_plain(thing: Thing) -> bool:
    return isinstance(thing, Constant) or (isinstance(thing, Object) and thing.dotted in _PLAIN)
