"""What a scan knows besides its findings: what it looked at, which lock guards what, and in which order locks go."""

from __future__ import annotations

import msgspec

from racelint.model.finding import Evidence


class Coverage(msgspec.Struct, frozen=True):
    """The files of a scan by how closely they were looked at, as shown to the user, sorted.

    `paths` are as given. `analysed` and `quiet` were asked for; a quiet one shows no sign of concurrency and was only
    parsed. `context` are those that the asked for import, or that share their project. What is `unreadable` is in none
    of these.
    """

    paths: tuple[str, ...] = ()
    analysed: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


class AccessedLine(msgspec.Struct, frozen=True):
    """A line that touches a shared location; `locks` are those that it certainly holds, whoever runs it."""

    path: str
    line: int
    symbol: str
    changes: bool
    locks: tuple[str, ...]


class SharedLocation(msgspec.Struct, frozen=True):
    """A location that may be shared between threads, and its guard: the lock that `guarded` of its `lines` hold.

    `guard` is None where no lock is held often enough to be meant. `declared`: the user's word rather than inferred.
    """

    location: str
    evidence: Evidence
    guard: str | None
    declared: bool
    guarded: int
    lines: tuple[AccessedLine, ...]


class LockEdge(msgspec.Struct, frozen=True):
    """`second` is taken at a line while `first` is held; `cycle` numbers the cycle that it is part of, 0 for none."""

    first: str
    second: str
    path: str
    line: int
    symbol: str
    cycle: int = 0


class LockedLines(msgspec.Struct, frozen=True):
    """Lines of a file, both ends included, on which a lock is certainly held."""

    path: str
    first: int
    last: int
    lock: str


class Overview(msgspec.Struct, frozen=True):
    """What the page shows around the findings; `locked` covers the functions that findings speak of."""

    coverage: Coverage = Coverage()
    locations: tuple[SharedLocation, ...] = ()
    edges: tuple[LockEdge, ...] = ()
    locked: tuple[LockedLines, ...] = ()
