"""What the calls of a program name: classes of it that are made, and what is outside of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from racelint.model.summary import Call
from racelint.program.index import ClassInfo, External, FunctionInfo, Index
from racelint.program.types import Types
from racelint.program.values import Stores


class Named(msgspec.Struct, frozen=True):
    """A call, the function that it stands in, and the dotted name of what it calls."""

    function: FunctionInfo
    call: Call
    dotted: str


class Callees:
    """Found in one pass for all who ask. Each list is in source order."""

    def __init__(self, index: Index, stores: Stores, types: Types) -> None:
        self.makings: dict[str, list[tuple[FunctionInfo, Call]]] = {}
        """By class id: the calls of the class itself."""
        self._outside: dict[str, list[Named]] = {}
        self._named: dict[str, list[tuple[int, Named]]] = {}
        number = 0
        for function in index.functions:
            for call in stores.facts[function.id].calls:
                for thing in types.of_value(call.func, function):
                    if isinstance(thing, ClassInfo):
                        self.makings.setdefault(thing.id, []).append((function, call))
                    elif isinstance(thing, External):
                        named = Named(function, call, thing.dotted)
                        self._outside.setdefault(function.id, []).append(named)
                        self._named.setdefault(thing.dotted, []).append((number, named))
                        number += 1

    def outside(self, function: FunctionInfo) -> list[Named]:
        """The function's calls of what is outside of the program."""
        return self._outside.get(function.id, [])

    def named(self, names: Iterable[str]) -> list[Named]:
        """All calls of what has one of these dotted names."""
        found = [entry for name in names for entry in self._named.get(name, [])]
        return [named for _, named in sorted(found, key=lambda entry: entry[0])]
