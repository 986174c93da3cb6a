"""Containers that are emptied after all that they hold was read: what another thread adds in between is lost.

`send(list(self.pending)); self.pending = []`. To put an empty one in its place first and then read the old is right.
"""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.summary import ELEMENT, Call, Path
from racelint.program.flow.walk import may_follow
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.deeds import adds
from racelint.program.races.suspects.emptying import leaves_nothing, puts_empty_map
from racelint.program.races.suspects.inquiry import Search
from racelint.program.races.suspects.suspect import Suspect
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.shared import SharedAccess

_COPYING = frozenset(
    {"copy", "deepcopy", "list", "tuple", "dict", "set", "frozenset", "sorted", "join", "sum", "min", "max"}
    | {"extend", "update", "dump", "dumps"}
)
"""Functions that are done with a container when they return."""

_VIEWS = frozenset({"copy", "items", "values", "keys"})
_LOOKING = frozenset({"len", "bool", "any", "all", "isinstance", "id", "repr", "print", "type", "hasattr", "getattr"})
"""Functions that may be given a container without passing on what is in it."""


class LostAdditions(Search):
    """Finds them for one group at a time."""

    def of(self, group: Group) -> Iterator[Suspect]:
        guard = self.guards.of(group)
        for record in group.changes:
            if record.perhaps or not leaves_nothing(record.access, self.program):
                continue
            compound = self._compound(record.access)
            if compound is None:
                continue
            conflict = self._addition(group, record, compound)
            kept = guard in record.locations_held
            if conflict is None or (puts_empty_map(record.access) and self._only_a_lock(record, conflict, group)):
                continue
            if not kept or guard in conflict.locations_held:
                yield self.inquiry.suspect(
                    "split" if kept else "check-then-act", group, record, conflict, compound, guard
                )

    def _only_a_lock(self, record: Record, conflict: Record, group: Group) -> bool:
        """Nothing but a lock beside it says that the two overlap: a map is often started anew when its user is done."""
        return self.overlap.evidence_of(record, conflict, group) == "lock"

    def _compound(self, act: SharedAccess) -> Compound | None:
        """From the first reading of all that the container holds to the emptying that follows it."""
        function = act.function
        container = act.path[:-1] if act.location.content else act.path
        for access in self.program.shared.of(function):
            if access.event >= act.event or access.changes:
                continue
            if self._reads_all(access, container, act.location.content) and may_follow(
                function, access.event, act.event
            ):
                return Compound("read-then-empty", access, access.event, act, function, check_span=act.span)
        return None

    def _reads_all(self, access: SharedAccess, container: Path, cleared: bool) -> bool:
        """It iterates or copies the container, or hands it to a function: for good where another takes its place."""
        if access.path == (*container, ELEMENT):
            return access.deed == "iterate" or access.method in _VIEWS
        return access.path == container and any(
            access.event in argument.deps and container in argument.value and _uses_up(call, cleared)
            for call in self.program.stores.facts[access.function.id].calls
            for argument in call.args
        )

    def _addition(self, group: Group, record: Record, compound: Compound) -> Record | None:
        guards = self.races.compound_guards(compound, record)
        for other in group.changes:
            apart = other.access.function is not record.access.function and not other.locations_held & guards
            if apart and adds(other) and not other.perhaps and self.overlap.parallel(record, other, group):
                return other
        return None


def _uses_up(call: Call, cleared: bool) -> bool:
    """Whether a call takes what is in its argument; one that keeps the container itself has the additions, too."""
    names = {path[-1].rpartition(":")[2] for path in call.func}
    return not names & _LOOKING if cleared else bool(names & _COPYING)
