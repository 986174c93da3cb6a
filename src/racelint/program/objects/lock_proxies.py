"""Objects of a class that derives from a proxy of third parties, and what they stand for: `Proxy(threading.Lock)`."""

from __future__ import annotations

from collections.abc import Iterable

from racelint.knowledge.locks import LOCK_FACTORIES, LockFacts
from racelint.model.summary import Path
from racelint.program.flow.values import Stored, Stores
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.objects.things import Bound, Instance, Object, Thing
from racelint.program.objects.types import Types

_MAX_DEPTH = 2
_STANDARD = frozenset({"builtins", "typing", "abc", "enum", "threading", "contextlib", "collections", "object"})
"""Modules whose classes are no proxies."""


class LockProxies:
    """Answers which objects may be proxies of locks, and of which."""

    def __init__(self, stores: Stores, types: Types) -> None:
        self.stores = stores
        self.types = types

    @staticmethod
    def may_be(thing: Thing) -> bool:
        """What `with` does with it says a base of third parties."""
        return isinstance(thing, Instance) and _is_entered_elsewhere(thing.cls)

    def facts_of(self, entries: Iterable[Stored]) -> LockFacts | None:
        """What the lock is that one of the stored objects was made with."""
        for entry in entries:
            for path in entry.value:
                facts = self._behind(path, entry.function, 0)
                if facts is not None:
                    return facts
        return None

    def _behind(self, path: Path, function: FunctionInfo, depth: int) -> LockFacts | None:
        call = self.stores.facts[function.id].made_by(path) if len(path) == 1 else None
        if call is None or depth > _MAX_DEPTH:
            return None
        for maker in self.types.of_value(call.func, function):
            if isinstance(maker, ClassInfo) and _is_entered_elsewhere(maker) and call.args:
                for given in self.types.of_value(call.args[0].value, function):
                    if isinstance(given, (External, Object)) and given.dotted in LOCK_FACTORIES:
                        return LOCK_FACTORIES[given.dotted]
            if isinstance(maker, Bound):
                for node in self.stores.facts[maker.function.id].returns:
                    for value in node.value:
                        facts = self._behind(value, maker.function, depth + 1)
                        if facts is not None:
                            return facts
        return None


def _is_entered_elsewhere(cls: ClassInfo) -> bool:
    foreign = any(name.partition(".")[0] not in _STANDARD for name in cls.all_external_bases())
    return foreign and cls.method("__enter__") is None
