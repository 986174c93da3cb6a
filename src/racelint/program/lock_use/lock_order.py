"""The order in which the whole program takes its locks, and the cycles in it.

An edge says that somewhere a lock is taken while another is held. Threads deadlock along a cycle (Havender 1968),
unless all of its edges are taken under one more lock, the gate of Goodlock (Havelund 2000), or by one thread alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import msgspec

from racelint.model.summary import ELEMENT, Access, Branch, Call
from racelint.program.flow.values import nodes_of
from racelint.program.linked.takings import Nesting
from racelint.program.linker import Program
from racelint.program.locking.substitution import Owner
from racelint.program.objects.elements import container_behind
from racelint.program.objects.locations import Location
from racelint.program.sharing.ownership import makes_self

_MAX_LENGTH = 4
_MAX_CALLS = 4
"""Calls from one lock to the next: of longer chains, too few can really be gone."""
_MAX_WITNESSES = 6


class Edge(msgspec.Struct, frozen=True):
    """One place where the order is shown, and the locks held there besides the two."""

    nesting: Nesting
    gates: frozenset[Location]
    of_parts: bool = False
    """The second lock is that of each element of a container that the object with the first one has."""

    @property
    def first(self) -> Location:
        return self.nesting.held.lock.location

    @property
    def second(self) -> Location:
        return self.nesting.then.fact.lock.location


class LockOrder:
    """All edges, by the two locks they order."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.edges: dict[tuple[Location, Location], list[Edge]] = {}
        self.peers: list[Nesting] = []
        """Locks of two objects of one class, which nothing orders."""
        nestings = [each for function in program.index.functions for each in program.takings.nestings(function)]
        program.reach.follow(nesting.function for nesting in nestings)
        for nesting in nestings:
            self._note(nesting)

    def _note(self, nesting: Nesting) -> None:
        held, then = nesting.held, nesting.then
        of_parts = then.owner is None and self._is_of_parts(nesting)
        if held.owner is None or (then.owner is None and not of_parts) or len(then.chain) > _MAX_CALLS:
            return
        if makes_self(nesting.function) and (f"p:{nesting.function.self_name}",) in (held.owner, then.owner):
            return  # nobody else has the object yet
        if held.lock.location == then.fact.lock.location:
            if _are_peers(nesting) and not self._is_ordered(nesting):
                self.peers.append(nesting)
            return
        if any(lock.nameless or self.program.locks.is_passed_in(lock) for lock in (held.lock, then.fact.lock)):
            return
        around = self._gates(nesting)
        if then.fact.lock.location in around:
            return
        witnesses = self.edges.setdefault((held.lock.location, then.fact.lock.location), [])
        if len(witnesses) < _MAX_WITNESSES:
            witnesses.append(Edge(nesting, around - {held.lock.location}, of_parts))

    def _is_of_parts(self, nesting: Nesting) -> bool:
        """`for part in self.parts: part.step()`, where the step takes the part's lock."""
        chain, function = nesting.then.chain, nesting.function
        paths = [nesting.then.fact.lock.base]
        if chain:
            paths = [site.receiver or () for site in self.program.calls.at(function, chain[0].event)]
        facts = self.program.stores.facts[function.id]
        kept = [container_behind(path, facts) for path in paths if path]
        one_for_all = nesting.held.lock.shared
        return any(
            ELEMENT in path and (path[0] == f"p:{function.self_name}" or (one_for_all and path[0][:2] in ("g:", "cl")))
            for path in kept
        )

    def _gates(self, nesting: Nesting) -> frozenset[Location]:
        """Every lock that is held at the call or the taking: by the function, and by all who call it."""
        function, takings = nesting.function, self.program.takings
        event = nesting.then.chain[0].event if nesting.then.chain else nesting.then.fact.event
        found = {held.lock.location for held in takings.held(function, event)}
        contexts = self.program.reach.of(function)
        if contexts:
            found |= frozenset.intersection(*(frozenset(lock.location for lock in c.held) for c in contexts))
        return frozenset(found)

    def cycles(self) -> Iterator[tuple[Edge, ...]]:
        """One witness for each cycle that threads can run into, the cycle's first lock being the smallest."""
        following: dict[Location, list[Location]] = {}
        for first, second in sorted(self.edges):
            following.setdefault(first, []).append(second)
        known: set[frozenset[Location]] = set()
        for length in range(2, _MAX_LENGTH + 1):
            for start in following:
                for locks in _paths(following, (start,), length):
                    if any(found <= set(locks) for found in known):
                        continue
                    cycle = self._witness(locks)
                    if cycle is not None:
                        known.add(frozenset(locks))
                        yield cycle

    def _witness(self, locks: tuple[Location, ...]) -> tuple[Edge, ...] | None:
        pairs = zip(locks, (*locks[1:], locks[0]), strict=True)
        for edges in product(*(self.edges[pair] for pair in pairs)):
            gated = frozenset.intersection(*(edge.gates for edge in edges)) - set(locks)
            if not gated and self._may_meet(edges) and self._meet_in_parts(edges):
                return edges
        return None

    def _meet_in_parts(self, edges: tuple[Edge, ...]) -> bool:
        """Whether a part that waits for the lock of another object waits for that of the one that has it."""
        anchors = self.program.anchors
        for number, edge in enumerate(edges):
            cls, back = edge.nesting.function.cls, edges[1 - number].nesting if len(edges) == 2 else None
            if not edge.of_parts or edge.nesting.held.lock.shared:
                continue
            if cls is None or back is None or back.then.owner is None or back.function.cls is None:
                return False
            own = {back.function.self_name: anchors.of_class(back.function.cls)}
            awaited = anchors.of(back.then.owner, back.function, own)
            same = anchors.same(awaited, anchors.of_class(cls)) or anchors.is_global(awaited, cls)
            if not same and not self._joins_whole(back):
                return False
        return True

    def _joins_whole(self, back: Nesting) -> bool:
        """A part that puts itself into the whole that it keeps: `self.bus = bus`, `bus.subscribe(self)`."""
        owner, cls = back.then.owner, back.function.cls
        if owner is None or len(owner) != 2 or cls is None or owner[0] != f"p:{back.function.self_name}":
            return False
        for base in cls.mro:
            for entry in self.program.stores.attributes.get((base.id, owner[1]), []):
                maker, me = entry.function, (f"p:{entry.function.self_name}",)
                wholes = {*entry.value, (*me, owner[1])}
                for call in self.program.stores.facts[maker.id].calls if makes_self(maker) else ():
                    told = bool(call.func) and call.func[0][:-1] in wholes
                    if told and any(me in argument.value for argument in call.args):
                        return True
        return False

    def _may_meet(self, edges: tuple[Edge, ...]) -> bool:
        """Whether two threads may be there: not if one single root runs all of it, or it is set-up code."""
        roots = set()
        for edge in edges:
            for context in self.program.reach.of(edge.nesting.function):
                if context.root is None or context.root.many:
                    return True
                roots.add(context.root.id)
        return len(roots) > 1

    def _is_ordered(self, nesting: Nesting) -> bool:
        """Whether the function compares the two objects before it takes their locks."""
        roots = {owner[0] for owner in (nesting.held.owner, nesting.then.owner) if owner}
        facts = self.program.stores.facts[nesting.function.id]
        for node in nodes_of(nesting.function.ir.body):
            if isinstance(node, Branch) and node.test in ("compare", "other"):
                mentioned: set[str] = set()
                for dep in node.deps:
                    mentioned.update(_mentioned(facts.events.get(dep)))
                if roots <= mentioned:
                    return True
        return False


def _mentioned(event: Access | Call | None) -> Iterator[str]:
    if isinstance(event, Access):
        yield event.path[0]
    elif isinstance(event, Call):
        yield from (path[0] for argument in event.args for path in argument.value)


def _are_peers(nesting: Nesting) -> bool:
    """Two parameters of one function: nothing but the caller's order of them orders their locks."""
    mine, theirs = nesting.held.owner, nesting.then.owner
    return mine != theirs and _is_parameter(mine) and _is_parameter(theirs) and len(nesting.then.chain) <= 1


def _is_parameter(owner: Owner) -> bool:
    return owner is not None and len(owner) == 1 and owner[0].startswith("p:")


def _paths(
    following: dict[Location, list[Location]], path: tuple[Location, ...], length: int
) -> Iterator[tuple[Location, ...]]:
    """The cycles of a length that start at their smallest lock."""
    for target in following.get(path[-1], ()):
        if len(path) == length:
            if target == path[0]:
                yield path
        elif target > path[0] and target not in path:
            yield from _paths(following, (*path, target), length)
