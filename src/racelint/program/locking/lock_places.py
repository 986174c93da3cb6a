"""Which locks live where a variable lives: in its class and those related to it, its module or its function."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from racelint.program.flow.values import Stored, Stores
from racelint.program.locking.locks import Locks
from racelint.program.names.index import ClassInfo, Index
from racelint.program.objects.families import descendants
from racelint.program.objects.locations import Location
from racelint.program.objects.types import Types

_KINDS: dict[str, Literal["attribute", "global"]] = {"class": "attribute", "module": "global"}
"""Where containers live whose elements are known, as locations say it."""


class LockPlaces:
    """The thread locks of every class, module and function."""

    def __init__(self, index: Index, stores: Stores, types: Types, locks: Locks) -> None:
        self.stores = stores
        self.types = types
        self.locks = locks
        self._classes = index.classes_by_id
        self._of_class: dict[str, frozenset[Location]] = {}

    def beside(self, location: Location) -> frozenset[Location]:
        """The thread locks that live where the variable lives."""
        if location.kind == "attribute":
            return self.of_class(location.owner)
        return self._places.get((location.kind, location.owner), frozenset())

    def of_class(self, owner: str) -> frozenset[Location]:
        """Those of the class of this id and of the classes related to it."""
        known = self._of_class.get(owner)
        if known is None:
            cls: ClassInfo | None = self._classes.get(owner)
            related = (*cls.mro, *descendants(cls)) if cls is not None else ()
            places = (self._places.get(("attribute", each.id), frozenset()) for each in related)
            known = self._of_class[owner] = frozenset().union(*places)
        return known

    def holds_locks(self, location: Location) -> bool:
        """Whether the variable is a container of thread locks: one for each key, and so used by several threads."""
        return location in self._containers

    def of_subclass(self, lock: Location, location: Location) -> bool:
        """A lock that only some children of the location's class have guards nothing for the class itself."""
        owner, cls = self._classes.get(lock.owner), self._classes.get(location.owner)
        return owner is not None and cls is not None and owner is not cls and cls in owner.mro

    @cached_property
    def _places(self) -> dict[tuple[str, str], frozenset[Location]]:
        found: dict[tuple[str, str], set[Location]] = {}
        for (owner, name), entries in self.stores.attributes.items():
            self._note(found, Location("attribute", owner, (name,)), entries)
        for (module, name), entries in self.stores.variables.items():
            self._note(found, Location("global", module, (name,)), entries)
        for (module, function, name), entries in self.stores.captured.items():
            self._note(found, Location("captured", f"{module}:{function}", (name,)), entries)
        return {key: frozenset(value) for key, value in found.items()}

    @cached_property
    def _containers(self) -> frozenset[Location]:
        found: set[Location] = set()
        for (kind, owner, *fields), entries in self.stores.elements.items():
            if kind in _KINDS and len(fields) == 1 and self._are_locks(entries):
                found.add(Location(_KINDS[kind], owner, (fields[0],)))
        return frozenset(found)

    def _are_locks(self, entries: list[Stored]) -> bool:
        facts = self.locks.facts_of(tuple(self.types.of_stored(entries)))
        return facts is not None and facts.world == "thread"

    def _note(self, found: dict[tuple[str, str], set[Location]], place: Location, entries: list[Stored]) -> None:
        if self._are_locks(entries):
            found.setdefault((place.kind, place.owner), set()).add(place)
