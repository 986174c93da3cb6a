"""What all searches for suspects share: the program, its races and guards, and how a suspect is made out."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.program.compounds import Compound
from racelint.program.groups import Group
from racelint.program.linker import Program
from racelint.program.locations import Location
from racelint.program.races import Races
from racelint.program.records import Record
from racelint.program.suspects.guards import Guards
from racelint.program.suspects.suspect import Suspect, SuspectKind


class Inquiry:
    """The means of a search."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.races = Races(program)
        self.overlap = self.races.overlap
        self.guards = Guards(program)

    def suspect(
        self,
        kind: SuspectKind,
        group: Group,
        record: Record,
        conflict: Record,
        compound: Compound | None = None,
        guard: Location | None = None,
    ) -> Suspect:
        """A suspect with what makes it more or less credible."""
        guarded = group.guards.get(guard, 0) if guard is not None else 0
        evidence = self.overlap.evidence_of(record, conflict, group)
        related = guard is not None or bool(
            self.guards.own_locks(conflict, group) | self.guards.own_locks(record, group)
        )
        use = compound is not None and compound.kind == "check-then-use" and not record.access.location.content
        weak = (evidence == "lock" and not related) or (use and evidence == "thread" and guard is None)
        flag = self._is_flag(group)
        return Suspect(kind, group, record, conflict, compound, guard, guarded, group.total, evidence, flag, weak)

    @staticmethod
    def _is_flag(group: Group) -> bool:
        """A monotonic flag: one constant is ever stored after construction."""
        stored = {path[0] for record in group.changes for path in record.access.value}
        if len(stored) > 1:
            return False
        for record in group.changes:
            access = record.access
            if access.deed != "write" or access.augmented or access.location.content:
                return False
            if not access.value or not all(path[0] in ("k:True", "k:False", "k:None") for path in access.value):
                return False
        return True


class Search:
    """Base of the searches: one kind of defect, looked for in one group at a time."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry = inquiry
        self.program = inquiry.program
        self.races = inquiry.races
        self.overlap = inquiry.overlap
        self.guards = inquiry.guards

    def of(self, group: Group) -> Iterator[Suspect]:
        """The suspects of one location."""
        raise NotImplementedError
