"""The happens-before order of an execution, as one number for each of its prefixes.

Two prefixes with the same number made the same accesses and ordered the conflicting ones alike, so what can follow is
the same: one of them need not be looked at, and what follows one needs no second search. That is the partial-order
reduction of Musuvathi and Qadeer (Partial-order reduction for context-bounded state exploration, MSR-TR-2007-12).

An access is named by all that its thread did before and by the accesses of the same location that it follows: reads
of one location commute, all else does not. Where the location is not known, it is taken to conflict with everything.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import Any

from . import sites as kinds
from .access_log import CONTAINERS, ITERATORS, MUTATORS, behind_view, is_synchroniser, lock_identity, walked_by
from .execution import TAKEN, Event
from .sites import Site, SiteTable

BY_NAME = frozenset({kinds.READ, kinds.WRITE, kinds.NAME_READ, kinds.NAME_WRITE})
WRITES = kinds.CHANGES_CONTENTS | {kinds.WRITE, kinds.NAME_WRITE}
PLAIN, LOCK, VIEW, WALKER, OPAQUE = range(5)


class Order:
    """Numbers the prefixes of executions over one table of sites."""

    def __init__(self, table: SiteTable) -> None:
        self._table = table
        self._sites: list[tuple[str | None, bool, bool]] = [(None, False, False)]
        """Of each site: the name that its location goes by, whether it writes, whether the object tells instead."""
        self._kinds: dict[type, int] = dict.fromkeys(CONTAINERS, PLAIN)

    def states(self, events: Iterable[Event]) -> list[int]:
        """The number of the empty prefix, of the first event, of the first two, and so on."""
        sites = self._sites
        if len(sites) <= len(self._table.sites):
            self._learn(self._table.sites[len(sites) - 1 :])
        pasts: dict[int, int] = {}
        written: dict[Any, int] = {}
        read: dict[Any, int] = {}
        state = 0
        states = [0]
        for thread, site, obj in events:
            past = pasts.get(thread, thread)
            if site >= 0:
                key: Any
                key, write, is_told = sites[site]
                if is_told:
                    key, lock = self._location(obj)
                    write = write or lock
            else:
                key, write = (id(obj), True) if site == TAKEN else (None, True)
            if key is None:
                event = hash((past, site, state))
                state = hash((state, event))
            elif write:
                event = hash((past, site, written.get(key, 0), read.pop(key, 0)))
                written[key] = event
                state ^= event
            else:
                event = hash((past, site, written.get(key, 0)))
                read[key] = read.get(key, 0) ^ event
                state ^= event
            pasts[thread] = event
            states.append(state)
        return states

    def _location(self, obj: Any) -> tuple[int | None, bool]:
        """The location that an access of what `obj` holds touches, and whether it is a lock."""
        kind = self._kinds.get(type(obj))
        if kind is None:
            kind = self._kinds[type(obj)] = _kind_of(type(obj))
        if kind == OPAQUE:
            return None, True
        if kind == LOCK:
            return lock_identity(obj), True
        if kind == WALKER:
            walked = walked_by(obj)
            return (None, True) if walked is None else (id(walked), False)
        return id(behind_view(obj) if kind == VIEW else obj), False

    def _learn(self, sites: Iterable[Site]) -> None:
        for site in sites:
            is_named = site.kind in BY_NAME
            writes = site.kind in WRITES or (site.kind == kinds.CALL and site.what in MUTATORS)
            self._sites.append((site.what if is_named else None, writes, not is_named and site.kind != kinds.YIELD))


def _kind_of(kind: type) -> int:
    if is_synchroniser(kind):
        return LOCK
    if kind.__module__ == "builtins" and kind.__name__ in ("dict_items", "dict_keys", "dict_values"):
        return VIEW
    if issubclass(kind, ITERATORS):
        return WALKER
    return PLAIN if issubclass(kind, _KNOWN) or hasattr(kind, "__next__") else OPAQUE


_KNOWN = (*CONTAINERS, str, bytes, tuple, int, float, range, frozenset, type(None), collections.OrderedDict)
