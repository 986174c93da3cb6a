"""The calls that made the object at a path, followed through variables and attributes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Call, Path
from racelint.program.flow.values import Stored
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo

_MAX_DEPTH = 4


class Maker(msgspec.Struct, frozen=True):
    """A call and the function that it stands in."""

    call: Call
    function: FunctionInfo


def makers(program: Program, path: Path, function: FunctionInfo, depth: int = 0) -> Iterator[Maker]:
    """Every call whose answer the path may hold; parameters are followed to the arguments of known callers."""
    if depth > _MAX_DEPTH or not path:
        return
    root = path[0]
    if len(path) == 1 and root.startswith("c:"):
        call = program.stores.facts[function.id].call(int(root[2:]))
        if call is not None:
            yield Maker(call, function)
        return
    if len(path) == 1 and root.startswith("p:"):
        for value, caller in program.types.arguments.get((function.id, root[2:]), []):
            for passed in value:
                yield from makers(program, passed, caller, depth + 1)
        return
    for entry in _stored(program, path, function):
        for value_ in entry.value:
            yield from makers(program, value_, entry.function, depth + 1)


def _stored(program: Program, path: Path, function: FunctionInfo) -> list[Stored]:
    location = program.locations.of(path, function)
    if location is None or len(location.fields) != 1:
        return []
    name = location.fields[0]
    if location.kind == "attribute":
        return program.stores.attributes.get((location.owner, name), [])
    if location.kind == "global":
        return program.stores.variables.get((location.owner, name), [])
    module, _, qualname = location.owner.partition(":")
    return program.stores.captured.get((module, qualname, name), [])


def calls_of(program: Program, dotted: str) -> Iterator[Maker]:
    """Every call of something outside of the program, by its dotted name."""
    for named in program.callees.named((dotted,)):
        yield Maker(named.call, named.function)
