"""Conditions on which threads wait for different things, and notifications that wake just one of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import msgspec

from racelint.knowledge.containers import RESIZING_METHODS
from racelint.model.summary import Loop
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linked.condition_uses import Use
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location

_TAKING = frozenset({"pop", "popleft", "popitem", "clear", "remove", "discard"})


class Waiter(msgspec.Struct, frozen=True):
    """A wait, what the loop around it asks, whether for its being false, and what the function then does to that."""

    use: Use
    asked: frozenset[Location]
    negated: bool
    adds: frozenset[Location]
    takes: frozenset[Location]

    def waits_for_another(self, other: Waiter) -> bool:
        """Whether what ends one wait is nothing to the other."""
        shared = self.asked & other.asked
        if not shared or (self.asked == other.asked and self.negated != other.negated):
            return True
        return bool(shared & ((self.adds & other.takes) | (self.takes & other.adds)))


class MixedNotify(msgspec.Struct, frozen=True):
    """`use` wakes one thread, of those in `first` or `second`."""

    use: Use
    first: Waiter
    second: Waiter


def mixed_notifies(program: Program) -> Iterator[MixedNotify]:
    """In source order of the conditions. Waits that end by themselves ask again without being notified."""
    for uses in program.conditions.by_place.values():
        waiters = [waiter for use in uses if (waiter := _waiter(program, use)) is not None]
        pairs = [(a, b) for a, b in combinations(waiters, 2) if a.waits_for_another(b)]
        if not pairs:
            continue
        for use in uses:
            if use.method == "notify" and _wakes_one(use) and _may_miss(program, use, pairs[0]):
                yield MixedNotify(use, *pairs[0])


def _wakes_one(use: Use) -> bool:
    """`notify()`, `notify(1)` or `notify(n=1)`."""
    return all(argument.value == (("k:int:1",),) for argument in use.call.args)


def _waiter(program: Program, use: Use) -> Waiter | None:
    asker, loop = use.function, _loop_of(use)
    events: set[int] = set()
    negated = False
    if use.method == "wait" and loop is not None and not use.timed:
        events = {node.id for node in nodes_of(loop.head) if hasattr(node, "id")} | set(loop.deps)
        negated = loop.negated
    elif use.method == "wait_for" and not use.timed:
        found = _predicate(program, use)
        if found is None:
            return None
        asker, events = found, set(program.stores.facts[found.id].events)
        negated = True
    effects = [e for e in program.effects.of(asker) if e.event in events and e.access.deed in ("read", "iterate")]
    asked = frozenset(effect.access.location.container() for effect in effects)
    if not asked:
        return None
    adds, takes = _changes(program, use)
    return Waiter(use, asked, negated, adds, takes)


def _loop_of(use: Use) -> Loop | None:
    """The loop that tests around a wait; none where it is one of several tests."""
    for node in reversed(enclosing(place_of(use.function, use.call.id))):
        if isinstance(node, Loop):
            return node if node.kind == "while" and not node.infinite else None
    return None


def _predicate(program: Program, use: Use) -> FunctionInfo | None:
    """The function or lambda that `wait_for` asks."""
    values = [path for argument in use.call.args[:1] for path in argument.value if len(path) == 1]
    found = program.index.entity_of(use.function.module, values[0]) if len(values) == 1 else None
    return found if isinstance(found, FunctionInfo) else None


def _changes(program: Program, use: Use) -> tuple[frozenset[Location], frozenset[Location]]:
    """The containers that the function adds to after a wait, and those that it takes from."""
    adds: set[Location] = set()
    takes: set[Location] = set()
    for effect in program.effects.of(use.function):
        access = effect.access
        if effect.event < use.call.id or access.deed not in ("mutate", "delete"):
            continue
        owner = access.location.container()
        if access.deed == "delete" or access.method in _TAKING:
            takes.add(owner)
        elif access.method in RESIZING_METHODS:
            adds.add(owner)
    return frozenset(adds), frozenset(takes)


def _may_miss(program: Program, use: Use, pair: tuple[Waiter, Waiter]) -> bool:
    """Not where one thread waits for each, and it is these that notify each other."""
    functions = {waiter.use.function.id: waiter.use.function for waiter in pair}
    if use.function.id not in functions or len(functions) < 2:
        return True
    roots = [context.root for function in functions.values() for context in program.reach.of(function)]
    return not roots or any(root is None or root.many for root in roots) or len(set(roots)) > len(functions)
