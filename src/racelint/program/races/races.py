"""Races: the groups of a program that may race, with the questions that the rules ask of them.

Reporting principles are the rules'. This file says what is so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

import msgspec

from racelint.model.finding import Evidence
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.own_threads import OwnThreads
from racelint.program.parallel.groups import Group
from racelint.program.parallel.overlap import Overlap
from racelint.program.parallel.records import Record, Records
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import SharedAccess


class _Doubt(msgspec.Struct, frozen=True):
    """A variable that may be used in parallel: it has locks beside it, is promised to be safe, or a thread uses it.

    `under_locks`: a variable of a module that methods change with the lock of their object held.
    """

    location: Location
    accesses: list[SharedAccess]
    locks: frozenset[Location]
    contract: bool
    promised: bool
    of_locks: bool
    under_locks: bool


class Races:
    """The groups of a program that may race, in source order."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.records = Records(program)
        self.overlap = Overlap(program, self.records)
        self._own_threads = OwnThreads(program.stores)

    @cached_property
    def groups(self) -> list[Group]:
        worth: list[tuple[Location, list[SharedAccess]]] = []
        for location in sorted(filter(self.may_be_met, self._changed())):
            accesses = self.program.shared.within(location)
            if not any(access.changes and self._changes_later(access.function) for access in accesses):
                continue
            if not self.program.contracts.confined(location, accesses) and not self._is_for_one_thread(location):
                worth.append((location, accesses))
        return self.grouped(worth)

    def _changed(self) -> set[Location]:
        """The variables that running functions change, but for what constructors set on the new object."""
        found: set[Location] = set()
        for function in self.program.index.functions:
            if function.ir.kind not in ("module", "class"):
                changes = self.program.shared.changes(function, with_own=self._changes_later(function))
                found.update(access.location.container() for access in changes)
        return found

    def may_be_met(self, location: Location) -> bool:
        """Whether anything may say that the variable is used in parallel, before all that is done to it is known."""
        places = self.program.lock_places
        told = places.beside(location) or places.holds_locks(location) or self.program.contracts.covers(location)
        return bool(told) or location.kind == "global" or location in self._met

    def may_be_beside(self, function: FunctionInfo) -> bool:
        """Whether a thread runs the function, or any threads may call it."""
        return self.program.reach.in_thread(function) or self.program.contracts.covers_function(function)

    @cached_property
    def _met(self) -> frozenset[Location]:
        """The variables that threads access, or functions that any threads may call."""
        program = self.program
        return frozenset(
            access.location.container()
            for function in program.index.functions
            if self.may_be_beside(function)
            for access in program.shared.of(function)
        )

    @cached_property
    def by_location(self) -> dict[Location, Group]:
        """The groups by their variable."""
        return {group.location: group for group in self.groups}

    def grouped(self, variables: Iterable[tuple[Location, list[SharedAccess]]]) -> list[Group]:
        """The groups of those variables of which anything says that they may be used in parallel."""
        doubtful = [d for location, accesses in variables if (d := self._doubt(location, accesses)) is not None]
        self.program.reach.follow(a.function for doubt in doubtful for a in doubt.accesses if a.changes)
        changed = [doubt for doubt in doubtful if self._is_changed(doubt)]
        self.program.reach.follow(access.function for doubt in changed for access in doubt.accesses)
        return [group for doubt in changed if (group := self._group(doubt)) is not None]

    def _is_changed(self, doubt: _Doubt) -> bool:
        """Whether anything changes the variable where another thread may reach it."""
        return any(access.changes and self.records.of(access) for access in doubt.accesses)

    def _changes_later(self, function: FunctionInfo) -> bool:
        """Whether what the function does may be done to an object that others have."""
        return not makes_self(function) or function.id in self.records.rerun

    def _is_for_one_thread(self, location: Location) -> bool:
        """An attribute of an object that works for no thread but its maker, or lives in a thread-local."""
        cls = self.program.index.classes_by_id.get(location.owner) if location.kind == "attribute" else None
        if cls is None:
            return False
        return self._own_threads.refuses_others(cls) or self.program.thread_values.keep_all(cls)

    def _doubt(self, location: Location, accesses: list[SharedAccess]) -> _Doubt | None:
        contracts = self.program.contracts
        locks = self.program.lock_places.beside(location)
        of_locks = self.program.lock_places.holds_locks(location)
        contract = contracts.covers(location)
        promised = contract or any(contracts.covers_function(access.function) for access in accesses)
        under_locks = location.kind == "global" and any(map(self._is_under_own_lock, accesses))
        told = locks or promised or of_locks or under_locks
        if not told and not any(self.program.reach.in_thread(access.function) for access in accesses):
            return None
        return _Doubt(location, accesses, locks, contract, promised, of_locks, under_locks)

    def _is_under_own_lock(self, access: SharedAccess) -> bool:
        holds = self.program.flows.of(access.function).at(access.event).must if access.changes else ()
        return any(
            hold.lock.location.kind == "attribute"
            and not hold.lock.shared
            and hold.lock.facts is not None
            and hold.lock.facts.world == "thread"
            for hold in holds
        )

    def _group(self, doubt: _Doubt) -> Group | None:
        """All that is done to one variable."""
        records = [record for access in doubt.accesses for record in self.records.of(access)]
        records = self.program.locked_calls.as_called(records, records)
        records.sort(key=lambda record: record.order)
        evidence: Evidence = "contract" if doubt.promised else "lock"
        if any(record.context.root is not None for record in records):
            evidence = "thread"
        elif not (doubt.locks or doubt.promised or doubt.of_locks or doubt.under_locks):
            return None
        group = Group(doubt.location, records, evidence, doubt.locks, doubt.contract, doubt.of_locks)
        group.count_guards()
        return group

    def records_beside(self, group: Group, access: SharedAccess) -> list[Record]:
        """Those of an access that is none of the group's own: a call that makes the change inside."""
        return self.program.locked_calls.as_called(self.records.of(access), group.records)

    def compound_guards(self, compound: Compound, record: Record) -> frozenset[Location]:
        """The locks held from the compound's first step to its last without a break."""
        since = self.program.flows.of(compound.function).at(compound.begins)
        regions = {hold.lock.location: hold.region for hold in since.must}
        own = {
            hold.lock.location
            for hold in record.state.must
            if hold.lock.location in regions
            and (regions[hold.lock.location] == hold.region or -1 in (hold.region, regions[hold.lock.location]))
        }
        inherited = {
            lock.location
            for lock in record.context.held
            if lock.location not in record.state.dropped and lock.location not in since.dropped
        }
        return frozenset(own | inherited)

    def functions_with(self, is_meant: Callable[[SharedAccess], bool], calls: int = 0) -> frozenset[str]:
        """The ids of functions that access the variable of a group so, and of those that so many calls lead there."""
        within, incoming = self.program.shared.within, self.program.calls.incoming
        fresh = {access.function.id for place in self.by_location for access in within(place) if is_meant(access)}
        found = frozenset(fresh)
        for _ in range(calls):
            fresh = {site.caller.id for name in fresh for site in incoming.get(name, ()) if not site.weak}
            found |= fresh
        return found

    def may_meet(self, mine: SharedAccess, theirs: SharedAccess) -> bool:
        """Whether two threads may do both at once, on one variable, no lock keeping them apart."""
        group = self.by_location.get(theirs.location.container())
        if group is None:
            return False
        records = [record for record in group.records if not record.perhaps]
        ours, others = ([r for r in records if r.access == access] for access in (mine, theirs))
        return any(
            not guarded_together(one, other) and self.overlap.parallel(one, other, group)
            for one in ours
            for other in others
        )


def guarded_together(left: Record, right: Record) -> bool:
    """Whether one lock excludes the two, certainly or perhaps."""
    if left.locations_held & right.locations_held:
        return True
    return left.perhaps or right.perhaps
