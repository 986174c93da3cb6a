"""Locks that `with` does not take by themselves: `with self._lock.writer():` is written as others write it."""

from __future__ import annotations

from typing import NamedTuple

import libcst as cst

from racelint.fixes.draft import Draft
from racelint.fixes.sites import Site
from racelint.model.summary import With
from racelint.program.locking.locks import Lock
from racelint.program.objects.locations import Location
from racelint.program.parallel.records import Record


class Imitated(NamedTuple):
    """The lock, and what stands behind `with` where it is held while the variable is changed."""

    lock: Lock
    header: str


def imitated(draft: Draft, lock: Location, location: Location, site: Site) -> Imitated | None:
    """What methods write that change the same object's variable; None where they do not all write the same."""
    own = site.function.self_name
    if location.kind != "attribute" or not own or site.base != (f"p:{own}",):
        return None
    found: set[Imitated] = set()
    group = draft.program.suspects.races.by_location.get(location)
    for record in group.changes if group is not None else ():
        if lock in record.locations_held:
            found.update(_written(draft, lock, own, record))
    headers = {one.header for one in found}
    return next(iter(found)) if len(headers) == 1 and next(iter(headers)).startswith(f"{own}.") else None


def _written(draft: Draft, location: Location, own: str, record: Record) -> list[Imitated]:
    """By the function that makes the change, or the first of its callers that takes the lock."""
    function, event, context = record.access.function, record.access.event, record.context
    while draft.program.flows.of(function).at(event).hold(location) is None and context.parent is not None:
        function, event, context = context.parent.function, context.site, context.parent
    flow, tree = draft.program.flows.of(function), draft.tree(function.module.source.display)
    hold = flow.at(event).hold(location)
    found: list[Imitated] = []
    if function.self_name != own:
        return found
    for lock, node, _ in flow.acquisitions:
        taken = isinstance(node, With) and hold is not None and node.id == hold.region and lock.location == location
        item = tree.expression_at(node.item.span) if taken and isinstance(node, With) and not node.is_async else None
        if isinstance(item, cst.Call) and not item.args:
            found.append(Imitated(lock, tree.spelled(item)))
    return found
