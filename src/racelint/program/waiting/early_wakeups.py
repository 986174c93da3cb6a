"""Events that are set before what the woken thread looks at is stored: it finds the value of before, and waits again.

`self.event.set()` / `self.going = False` in a thread, `while self.going: event.wait(); event.clear()` in another.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Access, AnyNode, Call, Jump, Loop, Raise, Return
from racelint.program.flow.values import blocks_of, nodes_of
from racelint.program.flow.walk import following, place_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import loops_around
from racelint.program.objects.locations import Location
from racelint.program.sharing.shared import SharedAccess
from racelint.program.waiting.event_races import EventUse

_TRUE, _FALSE = (("k:True",),), (("k:False",),)


class EarlyWakeup(msgspec.Struct, frozen=True):
    """`setter` sets the event before `stored`; `asked` is read by the loop in which `waiter` waits and clears."""

    setter: EventUse
    stored: SharedAccess
    waiter: EventUse
    asked: SharedAccess
    clear: EventUse


class EarlyWakeups:
    """All of a program, by what it does with its events."""

    def __init__(self, program: Program, uses: dict[str, list[EventUse]]) -> None:
        self.program = program
        self.uses = [use for of_function in uses.values() for use in of_function]

    def found(self) -> Iterator[EarlyWakeup]:
        """In source order of the waits, one for each."""
        for waiter in self.uses:
            loop = _loop_of(waiter)
            clear = self._clears(waiter, loop) if loop is not None else None
            if loop is not None and clear is not None:
                yield from list(self._of(waiter, clear, loop))[:1]

    def _clears(self, waiter: EventUse, loop: Loop) -> EventUse | None:
        """The clear after the wait, in one turn with it."""
        inside = {id(node) for node in nodes_of(loop.body)}
        for use in self.uses:
            after = use.function is waiter.function and use.call.id > waiter.call.id
            if after and use.method == "clear" and use.place == waiter.place and id(use.call) in inside:
                return use
        return None

    def _of(self, waiter: EventUse, clear: EventUse, loop: Loop) -> Iterator[EarlyWakeup]:
        inside = {node.id for node in nodes_of(loop.head) if isinstance(node, Access)} | set(loop.deps)
        asked = [access for access in self.program.shared.of(waiter.function) if access.event in inside]
        places = {access.location.container() for access in asked}
        for setter in self.uses:
            if setter.method != "set" or setter.place != waiter.place or setter.function is waiter.function:
                continue
            if places & self._changed_before(setter.function, setter.call.id):
                continue  # that is what it tells of
            for stored in self._stored_after(setter, places):
                for read in asked:
                    same = read.location == stored.location and read.deed == "read"
                    if same and _may_end(loop, read, stored) and self.program.suspects.races.may_meet(read, stored):
                        yield EarlyWakeup(setter, stored, waiter, read, clear)

    def _stored_after(self, setter: EventUse, places: set[Location]) -> Iterator[SharedAccess]:
        """What is stored after the event is set, by the function or whoever called it, and not told of again."""
        yield from self._stored_in(setter, setter.function, setter.call.id)
        for site in self.program.calls.incoming.get(setter.function.id, ()):
            plain = not site.weak and site.caller is not setter.function and not site.caller.ir.is_async
            if plain and not places & self._changed_before(site.caller, site.event):
                yield from self._stored_in(setter, site.caller, site.event)

    def _stored_in(self, setter: EventUse, function: FunctionInfo, event: int) -> Iterator[SharedAccess]:
        later = [use for use in self.uses if use.function is function and use.method == "set"]
        for access in self._straight_after(function, event):
            if not any(use.place == setter.place and use.call.id > access.event for use in later):
                yield access

    def _changed_before(self, function: FunctionInfo, event: int) -> set[Location]:
        """What is changed on the way to an event, in the blocks that it stands in."""
        events = {n for place in place_of(function, event) for n in _events(place.block[: place.position])}
        effects = self.program.effects.of(function)
        return {e.access.location.container() for e in effects if e.access.changes and e.event in events}

    def _straight_after(self, function: FunctionInfo, event: int) -> Iterator[SharedAccess]:
        """Attributes written on the way from the event, before any turn of a loop begins anew."""
        by_event = {access.event: access for access in self.program.shared.of(function)}
        for node in following(place_of(function, event)):
            if isinstance(node, Loop):
                return
            access = by_event.get(node.id) if isinstance(node, Access) and node.kind == "write" else None
            if access is not None and access.location.kind == "attribute" and not access.location.content:
                yield access


def _events(nodes: tuple[AnyNode, ...]) -> Iterator[int]:
    """What may have happened where control has come past the nodes: not in arms that leave."""
    for node in nodes:
        if isinstance(node, (Access, Call)):
            yield node.id
        for block in blocks_of(node):
            if not block or not isinstance(block[-1], (Jump, Raise, Return)):
                yield from _events(block)


def _loop_of(waiter: EventUse) -> Loop | None:
    """The `while` whose turns the wait is one of."""
    if waiter.method != "wait" or waiter.function.ir.is_async:
        return None
    loops = loops_around(waiter.function).get(waiter.call.id, [])
    return loops[-1] if loops and loops[-1].kind == "while" and not loops[-1].infinite else None


def _may_end(loop: Loop, read: SharedAccess, stored: SharedAccess) -> bool:
    """Whether the loop may end by the value: a plain True or False must be the one that it does not wait for."""
    if stored.value not in (_TRUE, _FALSE):
        return not all(path[0].startswith("k:") for path in stored.value) or not stored.value
    return loop.deps == (read.event,) and loop.negated == (stored.value == _TRUE)
