"""Waits that miss a notification, since nothing was asked under the lock before them, and changes told of too early."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from racelint.model.summary import Access, AnyNode, Branch, Call, Loop
from racelint.program.flow.values import event_span
from racelint.program.flow.walk import Place, contains, following, place_of
from racelint.program.linked.condition_uses import Use
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.waiting.waits import waits_of

_CLOCKS = ("time.", "builtins.max", "builtins.min", "builtins.float")


class MissedNotify(msgspec.Struct, frozen=True):
    """`use` waits or notifies.

    `never`: nothing is asked before the wait. `before`: it is, at `node`, but before the lock is taken. `late`: what
    the waiters ask for changes at `node`, after the notification and without the lock.
    """

    use: Use
    kind: Literal["never", "before", "late"]
    node: AnyNode | None
    notifier: Use | None = None


class LostNotifies:
    """All of the program, in source order."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[MissedNotify]:
        """In source order; waits that something relies on untested are another rule's."""
        judged = {
            (wait.function.id, wait.call.id)
            for wait in waits_of(self.program)
            if wait.outcome == "used" or (wait.outcome == "ends" and wait.guard is not None)
        }
        for use in self.program.conditions.all:
            if use.method == "wait" and (use.function.id, use.call.id) not in judged:
                yield from self._unasked(use)
            elif use.method not in ("wait", "wait_for"):
                yield from self._late(use)

    def _unasked(self, use: Use) -> Iterator[MissedNotify]:
        """A wait that comes first thing in its section."""
        places = place_of(use.function, use.call.id)
        region = self._region(use)
        notifiers = [other for other in self.program.conditions.notifiers(use) if other.function is not use.function]
        if region is None or not notifiers or _asked_inside(places, use.function, region):
            return
        if not any(self._says_something(event, use) for event in self._events(use, region)):
            asked = self._asked_before(places, use.function)
            yield MissedNotify(use, "before" if asked is not None else "never", asked, notifiers[0])

    def _events(self, use: Use, region: int) -> Iterator[Access | Call]:
        """What happens in the section before the wait."""
        events = self.program.stores.facts[use.function.id].events
        return (event for number, event in events.items() if region < number < use.call.id)

    def _says_something(self, event: Access | Call, use: Use) -> bool:
        """A change or a call by which others learn that somebody waits: they cannot answer before the wait."""
        if isinstance(event, Access):
            return event.kind in ("write", "delete")
        things = self.program.types.of_value(event.func, use.function)
        return not things or not all(isinstance(t, External) and t.dotted.startswith(_CLOCKS) for t in things)

    def _region(self, use: Use) -> int | None:
        hold = self.program.flows.of(use.function).at(use.call.id).hold(use.lock.location)
        return hold.region if hold is not None and hold.region > 0 else None

    def _asked_before(self, places: list[Place], function: FunctionInfo) -> AnyNode | None:
        """The innermost condition around the section that asks for something shared."""
        facts = self.program.stores.facts[function.id]
        for place in reversed(places):
            node = place.node
            if isinstance(node, (Branch, Loop)) and place.block is not getattr(node, "head", None):
                events = [facts.events.get(dep) for dep in node.deps]
                if any(isinstance(e, Access) and self.program.locations.of(e.path, function) for e in events):
                    return node
        return None

    def _late(self, use: Use) -> Iterator[MissedNotify]:
        """What the waiters ask for is written after the section that notifies them."""
        asked = self._asked_for(use)
        region = self._region(use)
        if not asked or region is None:
            return
        flow = self.program.flows.of(use.function)
        for node in following(place_of(use.function, use.call.id)):
            if isinstance(node, Call) and node.func and node.func[0] == use.call.func[0]:
                return
            if isinstance(node, Access) and node.kind == "write":
                hold = flow.at(node.id).hold(use.lock.location)
                if hold is None and self.program.locations.of(node.path, use.function) in asked:
                    yield MissedNotify(use, "late", node)
                    return

    def _asked_for(self, use: Use) -> set[Location]:
        """What the loops around the waits for this condition read."""
        found: set[Location] = set()
        uses = self.program.conditions.by_place.get(use.place, []) if use.place is not None else []
        for other in uses:
            if other.method != "wait" or other.timed:
                continue
            facts = self.program.stores.facts[other.function.id]
            for place in place_of(other.function, other.call.id):
                if isinstance(place.node, Loop):
                    events = [facts.events.get(dep) for dep in place.node.deps]
                    paths = [event.path for event in events if isinstance(event, Access)]
                    locations = [self.program.locations.of(path, other.function) for path in paths]
                    found |= {location for location in locations if location is not None}
        return found


def _asked_inside(places: list[Place], function: FunctionInfo, region: int) -> bool:
    """Whether a condition stands around the wait, or before it, in the section that starts at `region`."""
    start = event_span(function, region)
    for place in places:
        if isinstance(place.node, (Branch, Loop)) and not contains(place.node, region):
            return True
        before = place.block[: place.position]
        if any(isinstance(node, (Branch, Loop)) and node.span > start for node in before):
            return True
    return False
