"""Which classes of a family, up and down, say something of an attribute."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from racelint.program.flow.values import Stored, Stores
from racelint.program.names.index import ClassInfo, FunctionInfo, Index

_CONSTRUCTORS = frozenset({"__init__", "__new__", "setup", "__post_init__"})
_MAX_HEIRS = 20


class Families:
    """Answers which classes bear an attribute; remembers what it answered."""

    def __init__(self, index: Index, stores: Stores, late_attributes: dict[tuple[str, str], list[Stored]]) -> None:
        self.index = index
        self.stores = stores
        self.late_attributes = late_attributes
        """Grows until `complete` is set."""
        self.complete = False
        self._constructors: dict[ClassInfo, list[FunctionInfo]] = {}
        self._families: dict[ClassInfo, tuple[ClassInfo, ...]] = {}
        self._known_bearers: dict[tuple[ClassInfo, str], tuple[ClassInfo, ...]] = {}

    def bearers(self, cls: ClassInfo, name: str) -> Iterable[ClassInfo]:
        """Of the class, its bases and what derives from it, those that say something of an attribute."""
        if cls not in self._families:
            self._families[cls] = (*cls.mro, *descendants(cls))
        family = self._families[cls]
        if not self.complete:
            return family
        bearing = self._bearing.get(name)
        if bearing is None:
            return ()
        known = self._known_bearers.get((cls, name))
        if known is None:
            known = self._known_bearers[cls, name] = tuple(owner for owner in family if owner.id in bearing)
        return known

    @cached_property
    def _bearing(self) -> dict[str, set[str]]:
        """By attribute: the ids of the classes that store it, annotate it, or have a class of that name inside."""
        found: dict[str, set[str]] = {}
        for owner, name in (*self.stores.attributes, *self.late_attributes):
            found.setdefault(name, set()).add(owner)
        for cls in self.index.classes:
            annotated = [hint.partition(".")[2] for method in self.constructors_of(cls) for hint in method.ir.hints]
            for name in (*cls.ir.hints, *annotated):
                found.setdefault(name, set()).add(cls.id)
            outer = cls.module.classes.get(cls.ir.qualname.rpartition(".")[0])
            if outer is not None:
                found.setdefault(cls.ir.name, set()).add(outer.id)
        return found

    def constructors_of(self, cls: ClassInfo) -> list[FunctionInfo]:
        """Its methods that set up instances and annotate what they set."""
        known = self._constructors.get(cls)
        if known is None:
            found = [method for key, method in cls.own.items() if key in _CONSTRUCTORS and method.ir.hints]
            known = self._constructors[cls] = found
        return known


def unrelated(left: ClassInfo | None, right: ClassInfo | None) -> bool:
    """Whether no object is of both classes, as far as the program has classes; False where one is not known."""
    if left is None or right is None or left in right.mro or right in left.mro:
        return False
    heirs = min(descendants(left), descendants(right), key=len)
    return len(heirs) < _MAX_HEIRS and not any(left in heir.mro and right in heir.mro for heir in heirs)


def descendants(cls: ClassInfo) -> tuple[ClassInfo, ...]:
    """All classes derived from `cls`, nearest first; bounded."""
    if cls.descendants is None:
        cls.descendants = _descendants(cls)
    return cls.descendants


def _descendants(cls: ClassInfo) -> tuple[ClassInfo, ...]:
    found: dict[str, ClassInfo] = {}
    pending = list(cls.subclasses)
    while pending and len(found) < _MAX_HEIRS:
        current = pending.pop(0)
        if current.id not in found:
            found[current.id] = current
            pending.extend(current.subclasses)
    return tuple(found.values())
