"""Methods that an object keeps of itself and calls later: `self.callbacks.append(self.changed)`, then `callback()`."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.summary import ELEMENT, Path, Value
from racelint.program.flow.values import Stored, Stores
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.elements import container_behind
from racelint.program.objects.things import Instance
from racelint.program.objects.types import Types


class KeptMethods:
    """Answers whose method it is that a path of unknown receiver leads to."""

    def __init__(self, stores: Stores, types: Types) -> None:
        self.stores = stores
        self.types = types
        self._handed: dict[tuple[str, str], set[Path]] = {}
        """By function id and parameter: the methods of its own object that callers hand it."""

    def record(
        self, caller: FunctionInfo, callee: FunctionInfo, receiver: Path | None, given: dict[str, Value]
    ) -> bool:
        """Note what an object hands to its own methods: `self.subscribe(self.changed)`; whether that is new."""
        fresh = False
        own: Path = (f"p:{caller.self_name}",)
        if caller.self_name and receiver == own:
            for name, value in given.items():
                for path in value:
                    if path[:1] == own and len(path) == 2:
                        known = self._handed.setdefault((callee.id, name), set())
                        fresh = fresh or path[1:] not in known
                        known.add(path[1:])
        return fresh

    def is_handed(self, method: FunctionInfo, function: FunctionInfo, parameter: str) -> bool:
        """Whether an object hands the method, one of its own, to its `function` for the parameter."""
        return (method.ir.name,) in self._handed.get((function.id, parameter), ())

    def owner(self, path: Path, function: FunctionInfo, method: FunctionInfo) -> Path | None:
        """The object that put its own `method` where `path` leads; None where that cannot be said."""
        kept = container_behind(path, self.stores.facts[function.id])
        while kept and kept[-1] == ELEMENT:
            kept = kept[:-1]
        if len(kept) < 2:
            return None
        for thing in self.types.of(kept[:-1], function):
            if isinstance(thing, Instance):
                for cls in thing.cls.mro:
                    if any(self._is_own(entry, method) for entry in self._stored(cls.id, kept[-1])):
                        return kept[:-1]
        return None

    def _stored(self, owner: str, field: str) -> Iterator[Stored]:
        """What is put under an attribute, into the container there, and into a display that it begins as."""
        entries = self.stores.attributes.get((owner, field), [])
        yield from entries
        for key in (("class", owner, field), ("class", owner, field, ELEMENT)):
            yield from self.stores.elements.get(key, [])
        for entry in entries:
            for value in entry.value:
                if value[0].startswith("v:"):
                    yield from self.stores.elements.get(("function", entry.function.id, *value), [])

    def _is_own(self, entry: Stored, method: FunctionInfo) -> bool:
        function = entry.function
        for value in entry.value:
            call = self.stores.facts[function.id].made_by(value)
            inside = call.args[0].value if call is not None and call.args and len(value) == 1 else ()
            if (f"p:{function.self_name}", method.ir.name) in (value, *inside):  # the method, or a partial of it
                return True
            if len(value) == 1 and value[0].startswith("p:") and self.is_handed(method, function, value[0][2:]):
                return True
        return False
