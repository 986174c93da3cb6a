"""What `id` and the plain `hash` of an object are: numbers in the order in which they are asked for, not addresses.

So sets of objects keep one order, and what the target makes of identities is the same in every execution.
"""

from __future__ import annotations

import builtins
import functools
from _weakref import ref
from typing import Any

STEP = 16
PLAIN = ("builtins", "abc")
"""Modules of metaclasses that let a class be changed."""


class Identities:
    """The numbers of the objects that are alive. Those made before `keep` was called keep theirs after a `reset`."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, Any]] = {}
        self._last = self._kept = 0
        self._held: list[int] = []
        self.builtins = {**vars(builtins), "id": self.of, "hash": self.hash}
        """The built-in names of instrumented modules."""

    def of(self, obj: Any) -> int:
        """What `id(obj)` is for the target."""
        address = id(obj)
        known = self._known.get(address)
        if known is None:
            self._last += 1
            try:
                holder: Any = ref(obj, functools.partial(self._forget, address))
            except TypeError:
                holder = obj  # has no weak references: kept, so that its address stays its own
                self._held.append(address)
            known = self._known[address] = (STEP * self._last, holder)
        return known[0]

    def hash(self, obj: Any) -> int:
        """What `hash(obj)` is for the target."""
        own: Any = type(obj).__hash__
        return self.of(obj) if own is object.__hash__ else hash(obj)

    def adopt(self, members: dict[str, Any], module: str) -> None:
        """Let objects of the module's own classes be hashed by number."""
        numbered = _hash_of(self)
        plain: tuple[Any, Any] = (object.__hash__, object.__eq__)
        for value in list(members.values()):
            own = isinstance(value, type) and type(value).__module__ in PLAIN and value.__module__ == module
            if own and (value.__hash__, value.__eq__) == plain:
                value.__hash__ = numbered

    def keep(self) -> None:
        """What has a number by now belongs to the imported modules."""
        self._kept = self._last
        self._held.clear()

    def reset(self) -> None:
        """Count again from where the imported modules left off."""
        if self._held:
            for address in self._held:
                self._known.pop(address, None)
            self._held.clear()
        self._last = self._kept

    def _forget(self, address: int, _: Any) -> None:
        self._known.pop(address, None)


def _hash_of(identities: Identities) -> Any:
    def __hash__(self: Any) -> int:
        return identities.of(self)

    return __hash__
