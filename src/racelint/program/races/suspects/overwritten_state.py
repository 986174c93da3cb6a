"""State of one call on a shared object that another thread's call overwrites."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec.structs import replace

from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect
from racelint.program.sharing.call_state import CallState
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.effects import MAX_DEPTH


class OverwrittenState(Search):
    """Finds it for one group at a time."""

    @cached_property
    def _states(self) -> dict[Location, list[CallState]]:
        found: dict[Location, list[CallState]] = {}
        writing = self.races.functions_with(self.program.call_states.is_kept, calls=MAX_DEPTH)
        for function in self.program.index.functions:
            for state in self.program.call_states.of(function) if function.id in writing else ():
                found.setdefault(state.read.access.location, []).append(state)
        return found

    def of(self, group: Group) -> Iterator[Suspect]:
        """What one call stores for itself, another thread's call overwrites before it is read back.

        A call that holds a lock from the one to the other does its part: who writes without it is reported there.
        """
        for state in self._states.get(group.location, ()):
            written, read = state.written.access, state.read.access
            compound = Compound("write-then-use", read, state.written.event, written, state.function)
            seen = replace(read, function=state.function, event=state.read.event)
            records = self.races.records.of(seen)
            writes = self.races.records.of(written) if records else []
            for record in records:
                guards = self.races.compound_guards(compound, record)
                conflict = None if record.perhaps or guards else self._same_write(group, record, state, writes)
                if conflict is not None:
                    if state.read.through or not state.written.through:
                        record = self._in_same_run(record, writes)
                    yield self.inquiry.suspect("overwritten", group, record, conflict, compound, None)
                    break

    @staticmethod
    def _in_same_run(record: Record, writes: list[Record]) -> Record:
        """The write on the way on which the record is come to; any where none is told to be that."""
        same = (write for write in writes if write.context.entry is record.context.entry)
        return next(same, next(iter(writes), record))

    def _same_write(self, group: Group, record: Record, state: CallState, writes: list[Record]) -> Record | None:
        """Another thread that is in the same call; a lock beside the class promises too little for that."""
        direct = not state.written.through and not state.read.through
        for other in writes:
            if (other.perhaps and record.held) or not self.overlap.parallel(record, other, group):
                continue
            evidence = self.overlap.evidence_of(record, other, group)
            if evidence == "contract" or (evidence == "thread" and direct):
                return other
        return None
