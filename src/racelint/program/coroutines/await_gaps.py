"""Compounds of coroutines with a switch point inside: what was read is acted on after other tasks have run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import msgspec

from racelint.model.summary import Branch, Path, Raise, Span
from racelint.program.coroutines.switch_points import Seen
from racelint.program.coroutines.tasks import Entry
from racelint.program.flow.values import nodes_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.decisions import takes
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import SharedAccess

GapKind = Literal["update", "initialise", "count", "take", "empty", "act"]
"""`count`: a limit is checked, and what it limits counted up. `take`: an element is there, and taken out, which fails
where another task was faster. The gravest of a location comes first."""
_RANK: dict[str, int] = {kind: rank for rank, kind in enumerate(get_args(GapKind))}


class Gap(msgspec.Struct, frozen=True):
    """A read, a switch point at `switch`, an act; `entry` is how several tasks come to run the coroutine.

    `guarded`: other accesses of the location hold an asyncio lock, so that its author expects several tasks.
    """

    kind: GapKind
    compound: Compound
    switch: Span
    entry: Entry
    guarded: bool

    @property
    def location(self) -> Location:
        return self.compound.act.location.container()


class AwaitGaps:
    """All gaps of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.points = program.switch_points
        self.guards = program.await_guards
        self.tasks = program.tasks

    def found(self) -> Iterator[Gap]:
        """In source order, one for each location and coroutine, the gravest."""
        for function in self.program.index.functions:
            compounds = self.program.compounds.of(function) if function.ir.is_async else []
            if compounds and not makes_self(function) and not self._is_primitive(function):
                found: dict[Location, Gap] = {}
                for gap in _Coroutine(self, function, compounds).gaps():
                    if gap.location not in found or _RANK[gap.kind] < _RANK[found[gap.location].kind]:
                        found[gap.location] = gap
                yield from found.values()

    def _is_primitive(self, function: FunctionInfo) -> bool:
        """A method of a lock or semaphore: what it does at its awaits is its business."""
        return function.cls is not None and {"acquire", "release"} <= {
            n for c in function.cls.mro for n in c.ir.methods
        }

    def entry(self, act: SharedAccess) -> Entry | None:
        """How several tasks come to run the function of an act, on what it changes."""
        cls = act.function.cls
        same = act.location.kind != "global"
        found = self.tasks.overlapping(act.function, same=same)
        if found is None:
            return self._beside_another(act, same=same)
        if found.kind == "task":
            return found
        promised = self.program.contracts.covers_function(act.function)
        shared = promised or (cls is not None and self.tasks.sharing.is_shared(cls))
        return found if shared or act.location.kind == "global" else None

    def _beside_another(self, act: SharedAccess, *, same: bool) -> Entry | None:
        """A task that runs the function while another task runs one that changes the same."""
        for access in self.program.shared.at(act.location):
            if access.changes and access.function is not act.function and access.function.ir.is_async:
                entry = self.tasks.beside(act.function, access.function, same=same)
                if entry is not None and not makes_self(access.function):
                    return entry
        return None

    def has_lock(self, location: Location) -> bool:
        """Some access of the location is made under an asyncio lock."""
        for access in self.program.shared.at(location):
            holds = self.program.flows.of(access.function).at(access.event).must
            if any(hold.lock.facts is not None and hold.lock.facts.world == "async" for hold in holds):
                return True
        return False


class _Coroutine:
    """One coroutine function: its compounds, and what had run before each of its events."""

    def __init__(self, gaps: AwaitGaps, function: FunctionInfo, compounds: list[Compound]) -> None:
        self.parent = gaps
        self.function = function
        self.compounds = sorted(compounds, key=lambda compound: (compound.act.event, compound.since))
        self.accesses = {access.event: access for access in gaps.program.shared.of(function)}
        self.deciding = gaps.program.compounds.deciding
        watched = {compound.since for compound in compounds}
        for compound in compounds:
            watched.update(self.deciding(function, compound.act.event))
        self.before = gaps.points.since(function, frozenset(watched), self._superseded(watched))
        self.claims = [compound for compound in self.compounds if self._claims(compound)]

    def _superseded(self, watched: set[int]) -> dict[int, frozenset[int]]:
        """For each change, the watched reads of the same place: the coroutine knows better from then on."""
        found: dict[int, frozenset[int]] = {}
        for change in self.accesses.values():
            if change.changes:
                place = change.location.container()
                same = {a.event for a in self.accesses.values() if a.location.container() == place}
                found[change.event] = frozenset(same & watched)
        return found

    def gaps(self) -> Iterator[Gap]:
        for compound in self.compounds:
            seen = self.before.get(compound.act.event, {})
            switch = seen.get(compound.since)
            kind = _kind(compound)
            if switch is None or kind is None or not self._is_on_shared(compound):
                continue
            if self._is_excluded(compound, seen) or self._is_assertion(compound):
                continue
            entry = self.parent.entry(compound.act)
            if entry is not None:
                yield Gap(kind, compound, switch, entry, self.parent.has_lock(compound.act.location))

    def _is_on_shared(self, compound: Compound) -> bool:
        """An attribute of the coroutine's own object, or a variable, or what such a container holds."""
        path = compound.act.path[:-1] if compound.act.location.content else compound.act.path
        root = path[0]
        if root.startswith(("g:", "cls:", "f:")):
            return True
        return len(path) == 2 and root == f"p:{self.function.self_name}"

    def _is_excluded(self, compound: Compound, seen: Seen) -> bool:
        """By a lock, by a flag that was taken before the switch, or by a second look after it."""
        if self.parent.guards.span(self.function, compound.since, compound.act.event):
            return True
        return self._is_claimed(compound) or self._is_rechecked(compound, seen)

    def _is_rechecked(self, compound: Compound, seen: Seen) -> bool:
        """The act is decided once more by a read of the same place with no switch since, or under one lock with it."""
        for event in self.deciding(self.function, compound.act.event):
            if event == compound.since or event not in seen:
                continue
            if seen[event] is None or self.parent.guards.span(self.function, event, compound.act.event):
                reads = self.parent.program.compounds.reads_behind(event, self.function, self.accesses)
                if any(read.location.container() == compound.act.location.container() for read in reads):
                    return True
        return False

    def _claims(self, compound: Compound) -> bool:
        """`if self.busy: return`, `self.busy = True`: no switch between, so that one task alone comes past it."""
        seen = self.before.get(compound.act.event, {})
        fresh = compound.since in seen and seen[compound.since] is None
        takes = compound.act.deed == "write" and not _says_nothing(compound.act)
        return fresh and takes and compound.kind in ("check-then-act", "lazy-init")

    def _is_claimed(self, compound: Compound) -> bool:
        inner = {id(node) for node in self.parent.guards.around(self.function, compound.act.event)}
        for claim in self.claims:
            event = claim.act.event
            if event >= compound.act.event:
                continue
            around = self.parent.guards.around(self.function, event)
            fresh = self.before.get(event, {}).get(compound.since) is None
            if fresh and all(id(node) in inner for node in around):
                return True
        return False

    def _is_assertion(self, compound: Compound) -> bool:
        """A check that only raises where it fails: who gets there has misused the object."""
        for node in nodes_of(self.function.ir.body):
            if type(node) is Branch and node.span == compound.check_span:
                for side in (node.then, node.orelse):
                    if side and isinstance(side[-1], Raise):
                        return True
        return False


def _kind(compound: Compound) -> GapKind | None:
    act = compound.act
    if compound.kind == "check-then-use":
        return None
    if compound.kind == "update":
        afresh = act.augmented and compound.first.span != act.span
        return "update" if not act.value and not afresh else None
    if act.deed != "write":
        return "take" if _fails(compound) else "act"
    if act.augmented and compound.test == "compare":
        return "count"
    if _says_nothing(act):
        return "empty"
    if not compound.negated and compound.test != "other":
        return "act"
    same_key = bool(act.key) and compound.first.key in ("", act.key)
    return "initialise" if not act.location.content or same_key else "act"


def _fails(compound: Compound) -> bool:
    """An element that was found there is taken out under the same key, which raises where it is gone."""
    act, first = compound.act, compound.first
    return takes(act) and compound.test == "in" and not compound.negated and first.key == act.key != ""


def _says_nothing(act: SharedAccess) -> bool:
    """None, False, 0 or an empty string is stored."""
    return bool(act.value) and all(_is_nothing(path) for path in act.value)


def _is_nothing(path: Path) -> bool:
    return path[0] in ("k:None", "k:False", "k:int:0", "k:str:''", 'k:str:""')
