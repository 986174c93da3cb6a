"""Iterations over a container that another thread resizes."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import is_caught
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.deeds import are_others, removes
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect
from racelint.program.sharing.containers import kind_of, may_resize
from racelint.program.sharing.shared import SharedAccess


class BrokenIterations(Search):
    """Finds them for one group at a time."""

    def of(self, group: Group) -> Iterator[Suspect]:
        """The iterations of one container that fail or skip elements."""
        for record in group.records:
            if record.access.deed != "iterate" or record.perhaps or self._keeps_guard(record, group):
                continue
            kind = kind_of(record.access, self.program.types)
            if kind != "list" and _minds_resizing(record.access):
                continue
            for other in group.changes:
                if not self._disturbs(other, kind) or other.perhaps or other.locations_held & record.locations_held:
                    continue
                if other.access.location != record.access.location:
                    continue  # of a table, whose rows stay as they are
                if are_others(record.access.outer_key, other.access.outer_key):
                    continue  # of another part of the row
                if other.access is not record.access and self.overlap.parallel(record, other, group):
                    yield self.inquiry.suspect("iteration", group, record, other, None, self.guards.of(group))
                    break

    def _keeps_guard(self, record: Record, group: Group) -> bool:
        """The guard is held here: the defect is where it is not."""
        return self.guards.of(group) in record.locations_held

    @staticmethod
    def _disturbs(record: Record, kind: str) -> bool:
        """Whether a change makes an iteration fail (dict) or skip elements (list)."""
        access = record.access
        if not access.location.content or not kind:
            return False
        if kind == "list":
            return removes(record)
        return may_resize(access)


def _minds_resizing(access: SharedAccess) -> bool:
    """Whether its function catches the RuntimeError that a resized dict, set or deque raises."""
    return is_caught(nodes_of(access.function.ir.body), access.event, {"g:RuntimeError"})
