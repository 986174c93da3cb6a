"""All suspects of a program, one per defect."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from racelint.program.linker import Program
from racelint.program.suspects.broken_compounds import BrokenCompounds
from racelint.program.suspects.broken_guards import BrokenGuards
from racelint.program.suspects.broken_iterations import BrokenIterations
from racelint.program.suspects.inquiry import Inquiry, Search
from racelint.program.suspects.overwritten_state import OverwrittenState
from racelint.program.suspects.stale_decisions import StaleDecisions
from racelint.program.suspects.suspect import Suspect, SuspectKind, rank
from racelint.program.suspects.torn_reads import TornReads

_ONE_PER_LOCATION: frozenset[SuspectKind] = frozenset({"update", "wrong-lock", "overwritten"})


class Suspects:
    """All suspects of a program, in source order; `races` and `guards` are what they were found with."""

    def __init__(self, program: Program) -> None:
        inquiry = Inquiry(program)
        self.races = inquiry.races
        self.guards = inquiry.guards
        self._searches: tuple[Search, ...] = (
            BrokenCompounds(inquiry),
            BrokenGuards(inquiry),
            BrokenIterations(inquiry),
            OverwrittenState(inquiry),
            StaleDecisions(inquiry),
            TornReads(inquiry),
        )

    @cached_property
    def all(self) -> list[Suspect]:
        found: list[Suspect] = []
        for group in self.races.groups:
            found.extend(self._chosen([suspect for search in self._searches for suspect in search.of(group)]))
        return sorted(found, key=lambda s: (s.record.order, s.kind, s.group.location))

    def of_kind(self, *kinds: SuspectKind) -> list[Suspect]:
        return [suspect for suspect in self.all if suspect.kind in kinds]

    @staticmethod
    def _chosen(suspects: list[Suspect]) -> Iterator[Suspect]:
        """One suspect per defect: the gravest kind in each function; one update or wrong lock per location."""
        by_function: dict[str, list[Suspect]] = {}
        made_by_calls = {s.compound.inner for s in suspects if s.compound is not None and not s.weak}
        for suspect in suspects:
            if suspect.kind == "unguarded" and suspect.record.access in made_by_calls:
                continue
            by_function.setdefault(suspect.record.access.function.id, []).append(suspect)
        whole: dict[SuspectKind, list[Suspect]] = {}
        for mine in by_function.values():
            best = min(mine, key=rank)
            if best.kind in _ONE_PER_LOCATION:
                whole.setdefault(best.kind, []).append(best)
            else:
                yield best
        for found in whole.values():
            yield min(found, key=lambda s: (s.weak, s.record.order))
