"""Iterations over a container that another thread resizes."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.summary import ELEMENT
from racelint.program.groups import Group
from racelint.program.records import Record
from racelint.program.suspects.deeds import removes
from racelint.program.suspects.inquiry import Search
from racelint.program.suspects.suspect import Suspect
from racelint.program.things import Object

_RAISING_CONTAINERS = frozenset(
    {"dict", "set", "deque", "ordereddict", "defaultdict", "counter", "weakset", "weakvaluedictionary"}
    | {"weakkeydictionary"}
)


class BrokenIterations(Search):
    """Finds them for one group at a time."""

    def of(self, group: Group) -> Iterator[Suspect]:
        """The iterations of one container that fail or skip elements."""
        for record in group.records:
            if record.access.deed != "iterate" or record.perhaps or self._keeps_guard(record, group):
                continue
            kind = self._container_kind(record)
            for other in group.changes:
                if not self._disturbs(other, kind) or other.perhaps or other.locations_held & record.locations_held:
                    continue
                if other.access is not record.access and self.overlap.parallel(record, other, group):
                    yield self.inquiry.suspect("iteration", group, record, other, None, self.guards.of(group))
                    break

    def _keeps_guard(self, record: Record, group: Group) -> bool:
        """The guard is held here: the defect is where it is not."""
        return self.guards.of(group) in record.locations_held

    def _container_kind(self, record: Record) -> str:
        """`dict` for what raises when it is resized, `list` for what silently skips elements, else empty."""
        for thing in self.program.types.of(record.access.path[:-1], record.access.function):
            if isinstance(thing, Object):
                name = thing.dotted.rpartition(".")[2].lower()
                if name in _RAISING_CONTAINERS:
                    return "dict"
                if name == "list":
                    return "list"
        return ""

    @staticmethod
    def _disturbs(record: Record, kind: str) -> bool:
        """Whether a change makes an iteration fail (dict) or skip elements (list)."""
        access = record.access
        if not access.location.content or not kind:
            return False
        if kind == "list":
            return removes(record)
        return access.resizes or (access.deed == "write" and not access.augmented and access.path[-1] == ELEMENT)
