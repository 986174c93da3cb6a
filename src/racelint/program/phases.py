"""Barriers: what a function does before it waits at one comes before all that another one does after that."""

from __future__ import annotations

from racelint.program.index import FunctionInfo
from racelint.program.linker import Program
from racelint.program.locations import Location
from racelint.program.things import Object


class Phases:
    """Answers for pairs of functions of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._barriers: dict[str, frozenset[Location]] = {}

    def separate(self, mine: FunctionInfo, theirs: FunctionInfo) -> bool:
        """Whether the two functions wait at one barrier, which orders what they do before and after it."""
        return mine is not theirs and bool(self._barriers_of(mine) & self._barriers_of(theirs))

    def _barriers_of(self, function: FunctionInfo) -> frozenset[Location]:
        known = self._barriers.get(function.id)
        if known is None:
            found: set[Location] = set()
            for call in self.program.stores.facts[function.id].calls:
                for path in call.func[:1]:
                    if len(path) > 1 and path[-1] == "wait":
                        things = self.program.types.of(path[:-1], function)
                        location = self.program.locations.of(path[:-1], function)
                        barrier = any(isinstance(t, Object) and t.dotted.endswith("ing.Barrier") for t in things)
                        if location is not None and barrier:
                            found.add(location)
            known = self._barriers[function.id] = frozenset(found)
        return known
