"""Classes of a program that keep a lock for each key: `await self.locks.acquire(name)`, `self.locks.release(name)`.

Several tasks may hold one at once, by different keys: to what is guarded they are a semaphore, and like one they are
lost where the release is skipped.
"""

from __future__ import annotations

from racelint.knowledge.locks import LockFacts, World
from racelint.model.summary import ELEMENT
from racelint.program.flow.values import Stores
from racelint.program.names.index import ClassInfo, FunctionInfo


class LockFamilies:
    """Answers which classes are such; remembers what it answered."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._known: dict[str, LockFacts | None] = {}

    def facts_of(self, cls: ClassInfo) -> LockFacts | None:
        """None for a class that is none: both its methods take the lock from one table by the key they are given."""
        if cls.id not in self._known:
            self._known[cls.id] = None
            acquire, release = cls.method("acquire"), cls.method("release")
            if acquire is not None and release is not None and self._tables(acquire) & self._tables(release):
                world: World = "async" if acquire.ir.is_async else "thread"
                self._known[cls.id] = LockFacts("semaphore", False, world, own=True, by_key=True)
        return self._known[cls.id]

    def _tables(self, method: FunctionInfo) -> set[str]:
        """The attributes with elements, by the first parameter, on which the method calls what has its own name."""
        facts = self.stores.facts[method.id]
        params = [param.name for param in method.ir.params if param.name != method.self_name]
        keyed = {access.path for access in facts.accesses if params and access.key == params[0]}
        own = f"p:{method.self_name}"
        called = (call.func[0] for call in facts.calls if call.func)
        return {
            path[1]
            for path in called
            if len(path) == 4 and path[0] == own and path[2:] == (ELEMENT, method.ir.name) and path[:3] in keyed
        }
