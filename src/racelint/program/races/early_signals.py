"""Flags that a thread sets before it stores what they stand for: who believes the flag finds the value of before.

`self.done = True` / `self.result = work()` in a thread, `if self.done: use(self.result)` in another, without a lock.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Access, AnyNode, Branch, Jump, Raise, Return
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import place_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.races import guarded_together

_TRUE = (("k:True",),)


class EarlySignal(msgspec.Struct, frozen=True):
    """`told` sets the flag and `stored` what it stands for, `data`; `asked` finds it set and `used` reads `data`."""

    location: Location
    data: Location
    told: Record
    stored: Access
    asked: Record
    used: Access


class EarlySignals:
    """All of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.races = program.suspects.races

    def found(self) -> Iterator[EarlySignal]:
        """One for each flag, in the order of the locations."""
        for group in self.races.groups:
            if group.location.kind == "attribute" and not group.location.content and self._may_be_unset(group.location):
                yield from self._of(group)

    def _of(self, group: Group) -> Iterator[EarlySignal]:
        for told in group.changes:
            if told.context.root is None or told.perhaps:
                continue
            for stored, data in self._stored_after(told):
                for asked in group.records:
                    used = self._relied_on(asked, data)
                    apart = not asked.perhaps and not guarded_together(told, asked)
                    if used is not None and apart and self.races.overlap.parallel(told, asked, group):
                        yield EarlySignal(group.location, data, told, stored, asked, used)
                        return

    def _may_be_unset(self, location: Location) -> bool:
        """Somebody stores False or None: the flag tells one time from another."""
        entries = self.program.stores.attributes.get((location.owner, location.fields[-1]), [])
        return any(entry.value in ((("k:False",),), (("k:None",),)) for entry in entries)

    def _stored_after(self, told: Record) -> Iterator[tuple[Access, Location]]:
        """What is worked out and stored beside the flag, later in its block, and not before."""
        function = told.access.function
        facts = self.program.stores.facts[function.id]
        flag = facts.events.get(told.access.event)
        if not isinstance(flag, Access) or flag.kind != "write" or flag.value != _TRUE:
            return
        for node in self._rest(function, flag.id):
            if not isinstance(node, Access) or node.kind != "write" or node.augmented or _is_constant(node):
                continue
            before = facts.stored_before(node.path, flag.id)
            data = self.program.locations.of(node.path, function)
            if data is not None and node.path[:-1] == flag.path[:-1] and node.path != flag.path and not before:
                yield node, data

    @staticmethod
    def _rest(function: FunctionInfo, event: int) -> Iterator[AnyNode]:
        """What certainly follows in the same block."""
        places = place_of(function, event)
        for node in places[-1].block[places[-1].position + 1 :] if places else ():
            if isinstance(node, (Return, Raise, Jump)):
                return
            yield node

    def _relied_on(self, asked: Record, data: Location) -> Access | None:
        """The read of `data` that is made because the flag was found set."""
        function = asked.access.function
        if asked.access.deed != "read":
            return None
        for branch in nodes_of(function.ir.body):
            if isinstance(branch, Branch) and _holds_where_set(branch, asked.access.event):
                for node in nodes_of(branch.then):
                    if isinstance(node, Access) and self.program.locations.of(node.path, function) == data:
                        return node if node.kind == "read" else None
        return None


def _is_constant(write: Access) -> bool:
    return bool(write.value) and all(path[0].startswith("k:") for path in write.value)


def _holds_where_set(branch: Branch, event: int) -> bool:
    """`if self.done:` or `if self.done and …:`."""
    if branch.deps == (event,) and not branch.parts:
        return branch.test == "truth" and not branch.negated
    return not branch.otherwise and any(
        p.deps == (event,) and p.test == "truth" and not p.negated for p in branch.parts
    )
