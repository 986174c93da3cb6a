"""Phases: what is done before a barrier, or before a queue is worked off, comes before all that is done after that."""

from __future__ import annotations

from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Object
from racelint.program.parallel.records import Record
from racelint.program.parallel.worked_off import WorkedOff


class Phases:
    """Answers for pairs of records of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._worked_off = WorkedOff(program)
        self._barriers: dict[str, frozenset[Location]] = {}

    def separate(self, left: Record, right: Record) -> bool:
        """Whether their functions wait at one barrier, or the one waits for the queue of which the other is a part."""
        mine, theirs = left.access.function, right.access.function
        return mine is not theirs and (
            bool(self._barriers_of(mine) & self._barriers_of(theirs))
            or self._works_off_before(left, right)
            or self._works_off_before(right, left)
        )

    def _works_off_before(self, worker: Record, other: Record) -> bool:
        return self._worked_off.precedes(worker.context, worker.access.event, other.context, other.access.event)

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
