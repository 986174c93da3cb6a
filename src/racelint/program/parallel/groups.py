"""Groups: all that is done to one variable, and which locks are held while it is done."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

import msgspec

from racelint.model.finding import Evidence
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.parallel.records import Record


class AccessLine(msgspec.Struct, frozen=True):
    """The records of one line of one function, and the locks that all of them hold."""

    records: tuple[Record, ...]
    locks: frozenset[Location]

    @classmethod
    def of(cls, records: list[Record]) -> AccessLine:
        """A line that the program itself calls is judged by these calls alone."""
        called = [record for record in records if record.context.parent is not None]
        held = {record.held for record in called or records}
        return cls(tuple(records), frozenset.intersection(*map(_nameable, held)))


class Group(msgspec.Struct, dict=True):
    """All records of one variable: the name that holds it and, for a container, what it holds."""

    location: Location
    records: list[Record]
    evidence: Evidence
    owner_locks: frozenset[Location]
    contract: bool = False
    """Declared thread-safe."""
    of_locks: bool = False
    """A container of locks, one for each key: whoever makes those means it for several threads."""
    guards: Counter[Location] = msgspec.field(default_factory=Counter)
    """Lines (not records) that access it, constructors left out, by lock held."""
    total: int = 0

    @cached_property
    def changes(self) -> list[Record]:
        return [record for record in self.records if record.access.changes]

    @cached_property
    def starters(self) -> frozenset[FunctionInfo | None]:
        """The functions that start the threads of the records."""
        return frozenset(r.context.root.site_function for r in self.records if r.context.root is not None)

    @cached_property
    def lines(self) -> list[AccessLine]:
        """The records by line, constructors left out."""
        by_line: dict[tuple[str, int], list[Record]] = {}
        for record in self.records:
            if self.location.kind == "captured" and self.location.owner == record.access.function.id:
                continue
            by_line.setdefault((record.access.function.id, record.access.span[0]), []).append(record)
        return [AccessLine.of(records) for records in by_line.values()]

    def count_guards(self) -> None:
        """Fill `guards` and `total` from the lines."""
        self.total = len(self.lines)
        for line in self.lines:
            self.guards.update(line.locks)


def _nameable(locks: frozenset[Lock]) -> frozenset[Location]:
    """Of locks that are held those that other functions can name: not one of a family, not a local of unknown make."""
    return frozenset(
        lock.location for lock in locks if not lock.keyed and not (lock.opaque and lock.location.kind == "captured")
    )
