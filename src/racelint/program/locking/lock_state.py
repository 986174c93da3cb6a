"""What a lockset analysis says: holds, states, exits, effects. Persistent values, no analysis."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec
from msgspec.structs import replace

from racelint.model.summary import AnyNode, Call
from racelint.program.flow.interpreter import Exit
from racelint.program.locking.locks import Lock, LockIdentity
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location


class Hold(msgspec.Struct, frozen=True):
    """A lock that is certainly held, since event `region`; `via` says how it was taken."""

    lock: Lock
    region: int
    via: Literal["with", "acquire", "call"]


class LockState(msgspec.Struct, frozen=True):
    """`must`: held on every path here. `may`: held on some. `dropped`: released here although taken by a caller."""

    must: tuple[Hold, ...] = ()
    may: frozenset[Location] = frozenset()
    dropped: frozenset[Location] = frozenset()

    def hold(self, location: Location) -> Hold | None:
        """A lock that is held at a location, of whatever object."""
        for hold in self.must:
            if hold.lock.location == location:
                return hold
        return None

    def holds(self, lock: Lock) -> bool:
        """Whether this object's lock is held."""
        return any(hold.lock.identity == lock.identity for hold in self.must)

    def acquired(self, hold: Hold) -> LockState:
        if self.holds(hold.lock):
            return self
        must = tuple(sorted((*self.must, hold), key=lambda h: (h.lock.identity, h.region)))
        return LockState(must, self.may | {hold.lock.location}, self.dropped - {hold.lock.location})

    def perhaps(self, lock: Lock) -> LockState:
        return LockState(self.must, self.may | {lock.location}, self.dropped)

    def released(self, lock: Lock) -> LockState:
        """That object's lock is given back; where it is not known to be held, any at its location may be."""
        if not self.holds(lock):
            return self.given_back(lock.location)
        return self.without({lock.identity})

    def given_back(self, location: Location) -> LockState:
        """Whatever is held at a location is given back."""
        must = tuple(hold for hold in self.must if hold.lock.location != location)
        dropped = self.dropped if len(must) < len(self.must) else self.dropped | {location}
        return LockState(must, self.may - {location}, dropped)

    def without(self, gone: Collection[LockIdentity]) -> LockState:
        """Certain holds end."""
        must = tuple(hold for hold in self.must if hold.lock.identity not in gone)
        over = {location for location, _ in gone} - {hold.lock.location for hold in must}
        return LockState(must, self.may - over, self.dropped)

    def joined(self, other: LockState) -> LockState:
        """What is certain where two paths meet."""
        if self == other:
            return self
        theirs = {hold.lock.identity: hold for hold in other.must}
        must = tuple(
            hold if theirs[hold.lock.identity].region == hold.region else replace(hold, region=-1)
            for hold in self.must
            if hold.lock.identity in theirs
        )
        return LockState(must, self.may | other.may, self.dropped | other.dropped)


EMPTY = LockState()


class Effect(msgspec.Struct, frozen=True):
    """What a call does to locks: leaves them held, releases them for its caller, or perhaps leaves them held."""

    held: tuple[Hold, ...] = ()
    dropped: frozenset[Location] = frozenset()
    perhaps: frozenset[Location] = frozenset()


NO_EFFECT = Effect()


class LockFlow(msgspec.Struct):
    """The result for one function.

    `before` holds the state before each numbered event; events that are missing hold nothing. `exits` are the ways
    out of the function, falling off its end included (node None).
    """

    function: FunctionInfo
    before: dict[int, LockState] = {}
    exits: list[Exit[LockState]] = []
    acquisitions: list[tuple[Lock, AnyNode, LockState]] = []
    """Every lock taken here, by what, and the state just before."""
    entrances: list[tuple[Lock, Call, LockState]] = []
    """Those that an ExitStack takes: `stack.enter_context(lock)`."""
    releases: list[tuple[Lock, Call, LockState]] = []

    def at(self, event: int) -> LockState:
        return self.before.get(event, EMPTY)
