"""What a lockset analysis says: holds, states, exits, effects. Persistent values, no analysis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from racelint.model.summary import AnyNode, Call
from racelint.program.index import FunctionInfo
from racelint.program.locations import Location
from racelint.program.locks import Lock


class Hold(NamedTuple):
    """A lock that is certainly held, since event `region`; `via` says how it was taken."""

    lock: Lock
    region: int
    via: Literal["with", "acquire", "call"]


@dataclass(frozen=True)
class LockState:
    """`must`: held on every path here. `may`: held on some. `dropped`: released here although taken by a caller."""

    must: tuple[Hold, ...] = ()
    may: frozenset[Location] = frozenset()
    dropped: frozenset[Location] = frozenset()

    def hold(self, location: Location) -> Hold | None:
        return next((hold for hold in self.must if hold.lock.location == location), None)

    def acquired(self, hold: Hold) -> LockState:
        if self.hold(hold.lock.location) is not None:
            return self
        must = tuple(sorted((*self.must, hold), key=lambda h: (h.lock.location, h.region)))
        return LockState(must, self.may | {hold.lock.location}, self.dropped - {hold.lock.location})

    def perhaps(self, lock: Lock) -> LockState:
        return LockState(self.must, self.may | {lock.location}, self.dropped)

    def released(self, location: Location) -> LockState:
        must = tuple(hold for hold in self.must if hold.lock.location != location)
        dropped = self.dropped if len(must) < len(self.must) else self.dropped | {location}
        return LockState(must, self.may - {location}, dropped)

    def joined(self, other: LockState) -> LockState:
        """What is certain where two paths meet."""
        if self == other:
            return self
        theirs = {hold.lock.location: hold for hold in other.must}
        must = tuple(
            hold if theirs[hold.lock.location].region == hold.region else hold._replace(region=-1)
            for hold in self.must
            if hold.lock.location in theirs
        )
        return LockState(must, self.may | other.may, self.dropped | other.dropped)


EMPTY = LockState()
ExitKind = Literal["return", "raise", "break", "continue"]


class Exit(NamedTuple):
    """How control leaves: by which node, in what state."""

    kind: ExitKind
    node: AnyNode | None
    state: LockState


class Effect(NamedTuple):
    """What a call does to locks: leaves them held, releases them for its caller, or perhaps leaves them held."""

    held: tuple[Hold, ...] = ()
    dropped: frozenset[Location] = frozenset()
    perhaps: frozenset[Location] = frozenset()


NO_EFFECT = Effect()


@dataclass
class LockFlow:
    """The result for one function.

    `before` holds the state before each numbered event; events that are missing hold nothing. `exits` are the ways
    out of the function, falling off its end included (node None).
    """

    function: FunctionInfo
    before: dict[int, LockState] = field(default_factory=dict)
    exits: list[Exit] = field(default_factory=list)
    acquisitions: list[tuple[Lock, AnyNode, LockState]] = field(default_factory=list)
    """Every lock taken here, by what, and the state just before."""
    releases: list[tuple[Lock, Call, LockState]] = field(default_factory=list)

    def at(self, event: int) -> LockState:
        return self.before.get(event, EMPTY)
