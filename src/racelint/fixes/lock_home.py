"""Where a lock that was made for one call belongs: beside the shared state that is touched while it is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from racelint.fixes.draft import Draft
from racelint.fixes.lock_safety import Extent
from racelint.fixes.names import claims_of, is_class, lock_at, lock_path, written
from racelint.fixes.new_lock import make_lock, new_lock
from racelint.fixes.sites import base_of
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.sharing.shared import SharedAccess
from racelint.syntax.edits import Rewriting


class LockHome(NamedTuple):
    """`header` names the lock in the function, `make` writes it where there is none, `claims`: see Proposal.

    `identity` tells locks apart, and one of a class from one of each instance.
    """

    identity: tuple[Location, bool]
    header: str
    make: Callable[[Rewriting], None]
    claims: frozenset[str]


def lock_home(draft: Draft, function: FunctionInfo, extent: Extent, factory: str) -> LockHome | None:
    """The lock beside what is changed there, else a new one that `factory` of `threading` makes; None for neither."""
    touched = [a for a in draft.program.shared.of(function) if extent.holds(a.span)]
    for access in sorted(touched, key=lambda access: not access.changes):
        home = _beside(draft, access, factory) if access.location.kind in ("attribute", "global") else None
        if home is not None:
            return home
    return None


def _beside(draft: Draft, access: SharedAccess, factory: str) -> LockHome | None:
    program, location = draft.program, access.location.container()
    group = program.suspects.races.by_location.get(location)
    known = sorted(group.owner_locks) if group is not None else []
    static = location.kind == "attribute" and is_class(program, base_of(access), access.function)
    if len(known) == 1:
        header = _header(draft, access, location, known[0])
        lock = lock_at(program, known[0], access.function, base_of(access), location)
        plain = lock is not None and lock.facts is not None and lock.facts.family == "lock"
        if header is not None and lock is not None and plain and (lock.shared or not static):
            return LockHome((known[0], lock.shared), header, lambda rewriting: None, frozenset())
    new = new_lock(draft, location, static)
    header = _header(draft, access, location, new.location) if new is not None else None
    if new is None or header is None or new.doubt or new.display != access.function.module.source.display:
        return None
    claims = claims_of(program, new.location)
    return LockHome(
        (new.location, static), header, lambda rewriting: make_lock(rewriting, new, "threading", factory), claims
    )


def _header(draft: Draft, access: SharedAccess, location: Location, lock: Location) -> str | None:
    base = base_of(access) if location.kind == "attribute" else ()
    path = lock_path(lock, access.function, base, location)
    return written(path, draft.program.stores.facts[access.function.id]) if path is not None else None
