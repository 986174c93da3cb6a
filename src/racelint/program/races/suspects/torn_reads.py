"""Reads of variables that belong together, made one after the other without the lock under which they are changed.

One read is atomic, two are not: `self.hits / self.total` may take the one from before a change and the other from
after it. Variables belong together where one function changes both with their common guard held.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import combinations

from racelint.model.summary import Access, AnyNode, Branch, Call, Loop, Return
from racelint.program.flow.values import FunctionFacts
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.shared import SharedAccess

_Pair = tuple[FunctionInfo, SharedAccess, SharedAccess, bool]
"""The function, the two reads, and whether a condition is what they are for."""

_SHOWING = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "print", "format"})


class TornReads(Search):
    """Finds them for one group at a time: the group is that of the first variable."""

    def of(self, group: Group) -> Iterator[Suspect]:
        guard = self.guards.of(group)
        if guard is None or group.location not in self._pairs:
            return
        seen: set[str] = set()
        for function, first, second, decides in self._pairs[group.location]:
            other = self.races.by_location.get(second.location)
            if function.id in seen or other is None or self.guards.of(other) != guard:
                continue
            if decides and self._looks_again(guard, first, second):
                continue
            if self._changed_together(group, other, guard):
                suspect = self._suspect(group, guard, first, second)
                if suspect is not None:
                    seen.add(function.id)
                    yield suspect

    def _suspect(self, group: Group, guard: Location, first: SharedAccess, second: SharedAccess) -> Suspect | None:
        if self.program.flows.of(first.function).at(first.event).hold(guard) is not None:
            return None
        for record in self.races.records.of(second):
            if record.perhaps or guard in record.locations_held or self.guards.only_called_with(guard, record):
                continue
            for other in group.changes:
                if guard in other.locations_held and self.overlap.parallel(record, other, group):
                    compound = Compound("check-then-use", first, first.event, second, first.function)
                    return self.inquiry.suspect("torn", group, record, other, compound, guard)
        return None

    def _looks_again(self, guard: Location, first: SharedAccess, second: SharedAccess) -> bool:
        """One of them is read again with the lock held, here or in what is called: what was decided is asked again."""
        called = (
            site.callee
            for site in self.program.calls.outgoing[first.function.id]
            if site.event > second.event and site.receiver == first.path[: -len(first.location.fields)]
        )
        again = [access for access in self.program.shared.of(first.function) if access.event > second.event]
        again += [access for callee in called for access in self.program.shared.of(callee)]
        return any(
            access.deed == "read"
            and access.location in (first.location, second.location)
            and self.program.flows.of(access.function).at(access.event).hold(guard) is not None
            for access in again
        )

    @staticmethod
    def _changed_together(left: Group, right: Group, guard: Location) -> bool:
        return bool(_changers(left, guard) & _changers(right, guard))

    @cached_property
    def _pairs(self) -> dict[Location, list[_Pair]]:
        """By location: functions that compute one thing from it and from another variable, and the two reads."""
        found: dict[Location, list[_Pair]] = {}
        guarded_reads = self._guarded_reads()
        for function in self.program.index.functions:
            reads = guarded_reads.get(function.id, {})
            if len(reads) < 2:
                continue
            for deps, decides in _combined(self.program.stores.facts[function.id]):
                own = [reads[dep] for dep in deps if dep in reads]
                for first, second in combinations(own, 2):
                    if _apart(first.location, second.location):
                        found.setdefault(first.location, []).append((function, first, second, decides))
        return found

    def _guarded_reads(self) -> dict[str, dict[int, SharedAccess]]:
        """By function and event: the reads of variables that have a guard."""
        found: dict[str, dict[int, SharedAccess]] = {}
        for location, group in self.races.by_location.items():
            for access in self.program.shared.at(location) if self.guards.of(group) is not None else ():
                if access.deed == "read":
                    found.setdefault(access.function.id, {})[access.event] = access
        return found


def _apart(left: Location, right: Location) -> bool:
    """Two variables, none of which lies below the other."""
    fields = min(len(left.fields), len(right.fields))
    return (left.owner, left.fields[:fields]) != (right.owner, right.fields[:fields])


def _changers(group: Group, guard: Location) -> set[str]:
    """The functions that change a variable with the guard held."""
    return {record.access.function.id for record in group.changes if guard in record.locations_held}


def _combined(facts: FunctionFacts) -> Iterator[tuple[tuple[int, ...], bool]]:
    """What values and conditions of the function were computed from, and whether it is a condition."""
    for node in facts.nodes:
        for deps in _computed_from(node):
            yield deps, isinstance(node, (Branch, Loop))


def _computed_from(node: AnyNode) -> Iterator[tuple[int, ...]]:
    if type(node) is Access or type(node) is Return:
        if not node.value:
            yield node.deps
    elif type(node) is Branch or type(node) is Loop:
        yield node.deps
    elif type(node) is Call and not any(path[-1].removeprefix("g:") in _SHOWING for path in node.func):
        yield from (argument.deps for argument in node.args if not argument.value)
