"""The map of guards as the page shows it: each lock with what it protects, and what nothing protects."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from racelint.model.overview import SharedLocation


class Guarded(msgspec.Struct, frozen=True):
    """A lock and the locations that it guards; `lock` is empty for those that have no guard."""

    lock: str
    locations: tuple[SharedLocation, ...]


def by_guard(locations: Sequence[SharedLocation]) -> list[Guarded]:
    """The locations by their guard: what is not always guarded first, what has no guard at the end."""
    found: dict[str, list[SharedLocation]] = {}
    for location in sorted(locations, key=lambda location: (_is_safe(location), location.location)):
        found.setdefault(location.guard or "", []).append(location)
    groups = [Guarded(lock, tuple(protected)) for lock, protected in found.items()]
    return sorted(groups, key=lambda group: (not group.lock, all(map(_is_safe, group.locations)), group.lock))


def _is_safe(location: SharedLocation) -> bool:
    return location.guarded == len(location.lines)
