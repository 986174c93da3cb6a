"""What the calls of a program name: classes of it that are made, what is outside of it, the words that they end in."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from racelint.model.summary import Call
from racelint.program.flow.values import Stores
from racelint.program.names.index import ClassInfo, External, FunctionInfo, Index
from racelint.program.objects.things import Member, Thing
from racelint.program.objects.types import Types

_Entry = tuple[int, FunctionInfo, Call]
"""A call and where it stands in the program."""


class Named(msgspec.Struct, frozen=True):
    """A call, the function that it stands in, and the dotted name of what it calls."""

    function: FunctionInfo
    call: Call
    dotted: str


class Callees:
    """Found in one pass for all who ask: who looks for a few calls need not go through all. In source order."""

    def __init__(self, index: Index, stores: Stores, types: Types) -> None:
        self.makings: dict[str, list[tuple[FunctionInfo, Call]]] = {}
        """By class id: the calls of the class itself."""
        self._outside: dict[str, list[Named]] = {}
        self._named: dict[str, list[tuple[int, Named]]] = {}
        self._members: dict[tuple[str, str], list[_Entry]] = {}
        self._written: dict[str, list[_Entry]] = {}
        number = 0
        for function in index.functions:
            for call in stores.facts[function.id].calls:
                number += 1
                entry = (number, function, call)
                for path in call.func:
                    word = path[-1] if len(path) > 1 else path[0].rpartition(":")[2]
                    self._written.setdefault(word, []).append(entry)
                for thing in _called(call, function, types):
                    if type(thing) is Member:
                        self._members.setdefault((thing.dotted, thing.name), []).append(entry)
                    elif type(thing) is ClassInfo:
                        self.makings.setdefault(thing.id, []).append((function, call))
                    elif type(thing) is External:
                        number += 1
                        named = Named(function, call, thing.dotted)
                        self._outside.setdefault(function.id, []).append(named)
                        self._named.setdefault(thing.dotted, []).append((number, named))

    @property
    def names(self) -> Iterable[str]:
        """The dotted names of all that is called outside of the program."""
        return self._named.keys()

    @property
    def members(self) -> Iterable[tuple[str, str]]:
        """The methods of types outside of the program that are called, each with its type's dotted name."""
        return self._members.keys()

    def outside(self, function: FunctionInfo) -> list[Named]:
        """The function's calls of what is outside of the program."""
        return self._outside.get(function.id, [])

    def named(self, names: Iterable[str]) -> list[Named]:
        """All calls of what has one of these dotted names."""
        found = [entry for name in names for entry in self._named.get(name, [])]
        return [named for _, named in sorted(found, key=lambda entry: entry[0])]

    def written(self, *words: str) -> list[tuple[FunctionInfo, Call]]:
        """All calls that end in one of these words, whatever they call: `wait()` and `self.done.wait()` in `wait`."""
        return self.calls(words=words)

    def calls(
        self, *, words: Iterable[str] = (), names: Iterable[str] = (), members: Iterable[tuple[str, str]] = ()
    ) -> list[tuple[FunctionInfo, Call]]:
        """All calls that end in one of the words, or call what has one of the names, or a method of an outside type."""
        found: list[_Entry] = [entry for word in words for entry in self._written.get(word, ())]
        found += [entry for member in members for entry in self._members.get(member, ())]
        for name in names:
            found += [(number, named.function, named.call) for number, named in self._named.get(name, ())]
        found.sort(key=lambda entry: entry[0])
        return list({id(call): (function, call) for _, function, call in found}.values())

    def by_function(self, *, words: Iterable[str] = (), names: Iterable[str] = ()) -> dict[FunctionInfo, list[Call]]:
        """Those calls by the function that they stand in."""
        found: dict[FunctionInfo, list[Call]] = {}
        for function, call in self.calls(words=words, names=names):
            found.setdefault(function, []).append(call)
        return found


def _called(call: Call, function: FunctionInfo, types: Types) -> Iterable[Thing]:
    """All that the call may run, each once."""
    if len(call.func) == 1:
        return types.of(call.func[0], function)
    return dict.fromkeys(thing for path in call.func for thing in types.of(path, function))
