"""Conditions that come from outside (`condition_factory()`), known by what is done with them.

What is waited for, notified without arguments and held meanwhile is a condition, whoever made it.
"""

from __future__ import annotations

from racelint.knowledge.locks import ACQUIRES, LockFacts
from racelint.model.summary import Call, Path
from racelint.program.flow.values import Stores
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location, Locations
from racelint.program.objects.types import Types

_NOTIFIES = frozenset({"notify", "notify_all", "notifyAll"})
_HELD, _WAITED, _NOTIFIED = "held", "waited", "notified"


def conditions_by_use(stores: Stores, types: Types, locations: Locations) -> dict[Location, LockFacts]:
    """Where the program keeps such, with what is known of each; whether its holder may take it again is not."""
    uses: dict[Location, set[str]] = {}
    awaited: set[Location] = set()
    for facts in stores.facts.values():
        for call in facts.calls:
            use = _use(call)
            place = _place(call.func[0][:-1], facts.function, types, locations) if use else None
            if place is not None:
                uses.setdefault(place, set()).add(use)
                if call.awaited and use == _WAITED:
                    awaited.add(place)
        for node in facts.withs:
            for path in node.item.value[:1]:
                held = _place(path, facts.function, types, locations) if len(path) > 1 else None
                if held is not None:
                    uses.setdefault(held, set()).add(_HELD)
    return {
        place: LockFacts("condition", True, "async" if place in awaited else "thread")
        for place, found in uses.items()
        if {_HELD, _WAITED, _NOTIFIED} <= found
    }


def _use(call: Call) -> str:
    path = call.func[0] if len(call.func) == 1 else ()
    if len(path) < 3:
        return ""
    if path[-1] in _NOTIFIES:
        return _NOTIFIED if not call.args else ""
    return _WAITED if path[-1] == "wait" else _HELD if path[-1] in ACQUIRES else ""


def _place(path: Path, function: FunctionInfo, types: Types, locations: Locations) -> Location | None:
    """An attribute of which nothing else is known."""
    place = locations.of(path, function)
    if place is None or place.kind != "attribute" or len(place.fields) != 1 or types.of(path, function):
        return None
    return place
