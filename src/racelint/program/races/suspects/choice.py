"""All suspects of a program, one per defect."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec.structs import replace

from racelint.program.linker import Program
from racelint.program.objects.locations import Location
from racelint.program.races.suspects.broken_compounds import BrokenCompounds
from racelint.program.races.suspects.broken_exchanges import BrokenExchanges
from racelint.program.races.suspects.broken_guards import BrokenGuards
from racelint.program.races.suspects.broken_iterations import BrokenIterations
from racelint.program.races.suspects.broken_object_guards import BrokenObjectGuards, entered_through
from racelint.program.races.suspects.half_filled import HalfFilled
from racelint.program.races.suspects.inquiry import Inquiry, Search
from racelint.program.races.suspects.late_decisions import LateDecisions
from racelint.program.races.suspects.late_lookups import LateLookups
from racelint.program.races.suspects.lost_additions import LostAdditions
from racelint.program.races.suspects.overwritten_state import OverwrittenState
from racelint.program.races.suspects.stale_decisions import StaleDecisions
from racelint.program.races.suspects.suspect import Suspect, SuspectKind, rank
from racelint.program.races.suspects.torn_reads import TornReads

_ONE_PER_LOCATION: frozenset[SuspectKind] = frozenset({"update", "wrong-lock", "overwritten"})
_LEAVES_ITERATION: frozenset[SuspectKind] = frozenset({"check-then-act", "lazy-init", "update"})
"""What may be mended without the iteration in the same function being so."""
_MANY = 5
"""So many functions that initialise one variable, or look at it before they use it, are one defect: for want of one
that does."""


class Suspects:
    """All suspects of a program, in source order; `races` and `guards` are what they were found with."""

    def __init__(self, program: Program) -> None:
        inquiry = Inquiry(program)
        self.races = inquiry.races
        self.guards = inquiry.guards
        self._searches: tuple[Search, ...] = (
            BrokenCompounds(inquiry),
            BrokenExchanges(inquiry),
            BrokenGuards(inquiry),
            BrokenIterations(inquiry),
            HalfFilled(inquiry),
            LateDecisions(inquiry),
            LateLookups(inquiry),
            LostAdditions(inquiry),
            OverwrittenState(inquiry),
            StaleDecisions(inquiry),
            TornReads(inquiry),
        )
        self._object_guards = BrokenObjectGuards(inquiry)

    @cached_property
    def all(self) -> list[Suspect]:
        groups = self.races.groups
        found = list(self._object_guards.all())
        uses = frozenset((suspect.record.access.function.id, suspect.record.access.event) for suspect in found)
        for group in groups:
            suspects = [suspect for search in self._searches for suspect in search.of(group)]
            found.extend(self._chosen([each for each in suspects if not entered_through(each.record, uses)]))
        return _told_once(sorted(found, key=lambda s: (s.record.order, s.kind, s.group.location)))

    def of_kind(self, *kinds: SuspectKind) -> list[Suspect]:
        return [suspect for suspect in self.all if suspect.kind in kinds]

    @staticmethod
    def _chosen(suspects: list[Suspect]) -> Iterator[Suspect]:
        """One suspect per defect: the gravest kind in each function; one update or wrong lock per location, and one of
        many initialisations or uses of what was looked at."""
        by_function: dict[str, list[Suspect]] = {}
        made_by_calls = {s.compound.inner for s in suspects if s.compound is not None and not s.weak}
        entered = {s.record.access for s in suspects if s.kind == "unguarded" and s.record.context.parent is None}
        for suspect in suspects:
            changed_inside = suspect.compound.inner if suspect.compound is not None else None
            if changed_inside in entered or (
                suspect.kind == "unguarded" and suspect.record.access in made_by_calls - entered
            ):
                continue
            by_function.setdefault(suspect.record.access.function.id, []).append(suspect)
        whole: dict[str, list[Suspect]] = {}
        for mine in by_function.values():
            best = min(mine, key=rank)
            iterations = [suspect for suspect in mine if suspect.kind == "iteration" and suspect.evidence != "lock"]
            if iterations and best.kind in _LEAVES_ITERATION:
                yield min(iterations, key=rank)
            if best.kind in _ONE_PER_LOCATION or best.kind == "lazy-init" or best.reads_twice:
                whole.setdefault("reads-twice" if best.reads_twice else best.kind, []).append(best)
            else:
                yield best
        for kind, found in whole.items():
            if kind in ("lazy-init", "reads-twice") and len(found) < _MANY:
                yield from found
            else:
                yield min(found, key=lambda s: (s.weak, bool(s.benign), s.record.order))


def _told_once(suspects: list[Suspect]) -> list[Suspect]:
    """Counters of one class that one function sets back are one defect: after the first of many, advice."""
    counters: dict[tuple[str, str], set[Location]] = {}
    for suspect in suspects:
        if _is_set_back(suspect):
            counters.setdefault(_setting_back(suspect), set()).add(suspect.group.location)
    told: set[tuple[str, str]] = set()
    found: list[Suspect] = []
    for suspect in suspects:
        key = _setting_back(suspect)
        many = _is_set_back(suspect) and len(counters[key]) >= _MANY
        found.append(replace(suspect, weak=True) if many and key in told else suspect)
        if many:
            told.add(key)
    return found


def _is_set_back(suspect: Suspect) -> bool:
    change = suspect.conflict.access
    strong = suspect.kind == "update" and not suspect.weak and not suspect.benign
    return strong and change.deed == "write" and not change.augmented


def _setting_back(suspect: Suspect) -> tuple[str, str]:
    return suspect.group.location.owner, suspect.conflict.access.function.id
