"""Classes of the program that are locks themselves, told by the methods that they have."""

from __future__ import annotations

from racelint.knowledge.locks import READERS_AND_WRITERS
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.names.signatures import Given, misfit


class LockClasses:
    """Answers for the classes of a program."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def is_lock(self, cls: ClassInfo) -> bool:
        """Whether it has acquire and release and can be entered."""
        known = self._known.get(cls.id)
        if known is None:
            names = {name for c in cls.mro for name in c.ir.methods}
            known = self._known[cls.id] = bool({"acquire", "release"} <= names and {"__enter__", "__exit__"} & names)
        return known

    @staticmethod
    def is_reentrant(cls: ClassInfo) -> bool:
        """Whether the name says that its holder may take it again."""
        return "reentrant" in cls.name.lower() or "rlock" in cls.name.lower()

    @staticmethod
    def has_both_sides(cls: ClassInfo) -> bool:
        """Whether it has the methods by which readers and writers take a lock."""
        return any(all(map(_is_side, map(cls.method, names))) for names in READERS_AND_WRITERS.items())


def _is_side(method: FunctionInfo | None) -> bool:
    """Reading or writing under a lock: what has to be told what to read or write is no such thing."""
    return method is not None and not misfit(method, Given(0, False, frozenset()), bound=True)
