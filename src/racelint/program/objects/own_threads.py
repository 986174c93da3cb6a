"""Classes whose objects belong to the thread that made them, and say so: they refuse to work for any other.

`self._owner = get_ident()` in the constructor, and a method that compares it and raises.
"""

from __future__ import annotations

from racelint.model.summary import Branch, Raise
from racelint.program.flow.values import Stores, nodes_of
from racelint.program.names.index import ClassInfo, FunctionInfo

_WHO = frozenset({"get_ident", "current_thread", "get_native_id"})


def asking_who(stores: Stores, function: FunctionInfo) -> frozenset[int]:
    """The calls that ask which thread runs."""
    calls = stores.facts[function.id].calls
    return frozenset(c.id for c in calls if any(path[-1].rpartition(":")[2] in _WHO for path in c.func))


class OwnThreads:
    """Answers for the classes of a program."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._known: dict[str, bool] = {}

    def refuses_others(self, cls: ClassInfo) -> bool:
        """Whether its objects, or those of a base, raise when another thread than their maker's comes."""
        return any(self._refuses(base) for base in cls.mro)

    def _refuses(self, cls: ClassInfo) -> bool:
        if cls.id not in self._known:
            methods = [cls.module.functions[name] for name in cls.ir.methods.values()]
            kept = {name for method in methods if method.ir.name == "__init__" for name in self._owners(method)}
            self._known[cls.id] = bool(kept) and any(self._compares(method, kept) for method in methods)
        return self._known[cls.id]

    def _owners(self, function: FunctionInfo) -> set[str]:
        """The attributes that keep the answer."""
        answers = {(f"c:{event}",) for event in asking_who(self.stores, function)}
        return {
            access.path[1]
            for access in self.stores.facts[function.id].accesses
            if access.kind == "write" and len(access.path) == 2 and answers.intersection(access.value)
        }

    def _compares(self, function: FunctionInfo, kept: set[str]) -> bool:
        asked = asking_who(self.stores, function)
        reads = {a.id for a in self.stores.facts[function.id].accesses if len(a.path) == 2 and a.path[1] in kept}
        return any(
            isinstance(node, Branch)
            and asked.intersection(node.deps)
            and reads.intersection(node.deps)
            and any(isinstance(inner, Raise) for inner in nodes_of(node.then))
            for node in nodes_of(function.ir.body)
        )
