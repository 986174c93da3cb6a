"""What a suspect is, and which of several in one function is the one to report."""

from __future__ import annotations

from typing import Literal

import msgspec

from racelint.model.finding import Evidence
from racelint.model.summary import Span
from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.interruptible import ATOMIC
from racelint.program.sharing.compounds import Compound

SuspectKind = Literal[
    "split",
    "unguarded",
    "check-then-act",
    "lazy-init",
    "wrong-lock",
    "update",
    "overwritten",
    "iteration",
    "stale-decision",
    "torn",
    "half-filled",
    "late-lookup",
]
_PRECEDENCE: tuple[SuspectKind, ...] = (
    "split",
    "wrong-lock",
    "unguarded",
    "lazy-init",
    "overwritten",
    "check-then-act",
    "iteration",
    "update",
    "stale-decision",
    "torn",
    "half-filled",
    "late-lookup",
)


class Suspect(msgspec.Struct, frozen=True, eq=False):
    """`record` is where the defect stands, `conflict` the record of another thread that it clashes with.

    `guard` is the lock inferred for the location; `guarded` of `total` accesses hold it.
    """

    kind: SuspectKind
    group: Group
    record: Record
    conflict: Record
    compound: Compound | None = None
    guard: Location | None = None
    guarded: int = 0
    total: int = 0
    evidence: Evidence = "lock"
    benign: str = ""
    """Why it does no harm, where that is so."""

    weak: bool = False
    """Little says that it is concurrent: a lock beside it that is not its guard, or an attribute that is read twice."""

    @property
    def reads_twice(self) -> bool:
        """`if self.socket: self.socket.send(…)`, with no guard that some access holds."""
        used = self.compound is not None and self.compound.kind == "check-then-use"
        return used and self.guard is None and self.kind == "check-then-act"

    @property
    def span(self) -> Span:
        """Where to report: the check where one decides, else the change itself."""
        if self.compound is not None and self.kind in ("check-then-act", "lazy-init"):
            return self.compound.check_span
        return self.record.access.span


def rank(suspect: Suspect) -> tuple[object, ...]:
    """The gravest kind first, then the strongest evidence, then the first in the source."""
    weight = {"thread": 0, "contract": 1, "lock": 2}[suspect.evidence]
    return (suspect.weak, suspect.benign == ATOMIC, _PRECEDENCE.index(suspect.kind), weight, suspect.record.order)
