"""Whether CPython 3.10 or later can switch threads inside a compound while it holds the GIL.

It does so on entry to a Python function, after calls, on leaving `with` and on taken backward jumps alone. Where it is
not certain that none of these lies between the read and the write, the compound counts as interruptible.
"""

from __future__ import annotations

from racelint.model.summary import Access, Call, Loop, Operation, Suspend, Try, With
from racelint.program.compounds import Compound
from racelint.program.linker import Program
from racelint.program.things import Constant, Object, Thing
from racelint.program.values import nodes_of

_PLAIN = frozenset({"builtins.int", "builtins.float", "builtins.bool", "builtins.str", "builtins.bytes"})
ATOMIC = "on the target versions, which have a GIL, nothing switches threads between the read and the write"


def atomic_with_gil(compound: Compound, program: Program) -> bool:
    """Whether an update of a plain value reads and writes with no switch point in between."""
    first, act, function = compound.first, compound.act, compound.function
    indirect = compound.through_call or compound.inner is not None or first.function is not function
    if indirect or act.deed != "write" or act.location.content or compound.since >= act.event:
        return False
    if not isinstance(program.stores.facts[function.id].events[compound.since], Access):
        return False
    things = program.types.of(act.path, function)
    if not things or not all(map(_is_plain, things)):
        return False
    begin, end = first.span[:2], act.span[2:]
    for node in nodes_of(function.ir.body):
        if isinstance(node, Call) and compound.since < node.id < act.event:
            return False
        if isinstance(node, With):
            span = node.item.span
        elif isinstance(node, (Loop, Suspend, Try, Operation)):
            span = node.span
        else:
            continue
        if begin <= span[:2] < end:
            return False
    return True


def _is_plain(thing: Thing) -> bool:
    """Its operators run no Python code."""
    return isinstance(thing, Constant) or (isinstance(thing, Object) and thing.dotted in _PLAIN)
