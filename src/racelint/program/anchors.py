"""Anchors: which object a path reaches, told by where it hangs from.

Locations do not tell the instances of a class apart. For code that only a thread root makes concurrent that is not
enough: the object that the thread works on and the one that somebody else has may be two. An anchor is the object that
a context starts from (the class of its `self`, a global, a captured variable) and the fields down to the object at
hand; equal anchors are taken to be one object.
"""

from __future__ import annotations

from collections.abc import Mapping

from racelint.model.summary import ELEMENT, Path
from racelint.program.elements import passed_on
from racelint.program.index import ClassInfo, FunctionInfo, Index, Variable
from racelint.program.thread_root import ThreadRoot
from racelint.program.types import Types
from racelint.program.values import Stores

Anchor = tuple[str, ...]
_MAX_FIELDS = 4


class Anchors:
    """Computes anchors; back-pointers that a constructor stores are followed to what they point to."""

    def __init__(self, index: Index, stores: Stores, types: Types, roots: list[ThreadRoot]) -> None:
        self.index = index
        self.stores = stores
        self.types = types
        self._handed: set[tuple[str, str]] = set()
        """Local objects that are given to a thread, by function and root of their path."""
        for root in roots:
            if root.site_function is not None and root.site is not None:
                paths = [path for argument in root.site.args for path in argument.value]
                paths += [path for value in root.bindings.values() for path in value]
                self._handed |= {(root.site_function.id, path[0]) for path in paths}
        self._classes = {f"class:{cls.id}": cls for cls in index.classes}
        self._pointers: dict[tuple[str, str], str | None] = {}

    @staticmethod
    def of_class(cls: ClassInfo) -> Anchor:
        return (f"class:{cls.id}",)

    def class_of(self, anchor: Anchor) -> ClassInfo | None:
        """The class whose object the anchor hangs from."""
        return self._classes.get(anchor[0])

    def at_home(self, anchor: Anchor, owner: str) -> Anchor:
        """The object of class `owner`, where what it keeps was handed on to the one at hand."""
        cls, home = self._classes.get(anchor[0]), self._classes.get(f"class:{owner}")
        related = cls is None or home is None or home in cls.mro or cls in home.mro
        return anchor if related or home is None else self.of_class(home)

    def same(self, left: Anchor | None, right: Anchor | None) -> bool:
        """Whether two anchors are one object: equal, or hanging from a class and one derived from it."""
        if left is None or right is None or left[1:] != right[1:]:
            return False
        if left[0] == right[0]:
            return True
        mine, theirs = self._classes.get(left[0]), self._classes.get(right[0])
        return mine is not None and theirs is not None and (mine in theirs.mro or theirs in mine.mro)

    def of(self, path: Path, function: FunctionInfo, known: Mapping[str, Anchor]) -> Anchor | None:
        """The anchor of the object at `path`, given those of the parameters; None where it hangs from nothing known."""
        root, *fields = self.stores.facts[function.id].original(path)
        base = self._root(root, function, known)
        if base is None and fields and root.startswith(("g:", "i:")):
            entity = self.index.entity_of(function.module, path[:2])
            if isinstance(entity, Variable):
                base, fields = (f"global:{entity.module.name}:{entity.name}",), fields[1:]
        if base is None:
            return None
        for field in fields:
            if field == ELEMENT == base[-1]:
                continue  # `d[i][k]`: some element, however deep
            base = self._pointed(base, field) or (*base, field)
        return base if len(base) <= _MAX_FIELDS + 1 else None

    def _root(self, root: str, function: FunctionInfo, known: Mapping[str, Anchor]) -> Anchor | None:
        kind, _, name = root.partition(":")
        if kind == "p":
            return known.get(name)
        if kind == "g":
            entity = self.index.name(function.module, name)
            return (f"global:{entity.module.name}:{entity.name}",) if isinstance(entity, Variable) else None
        if kind == "f":
            qualname, _, variable = name.partition(":")
            owner = function.module.functions.get(qualname)
            if owner is not None and owner.cls is not None and owner.self_name == variable:
                return self.of_class(owner.cls)
            return (f"captured:{function.module.name}:{name}",)
        call = self.stores.facts[function.id].call(int(name)) if kind == "c" else None
        if call is not None:
            for container in passed_on(call):
                return self.of(container, function, known)
        if call is not None and (function.id, root) in self._handed:
            for thing in self.types.of_value(call.func, function):
                if isinstance(thing, ClassInfo):
                    return self.of_class(thing)
        return None

    def _pointed(self, base: Anchor, field: str) -> Anchor | None:
        """`self.owner`, set from a constructor's parameter that is always the caller's own `self`."""
        if len(base) != 1 or not base[0].startswith("class:"):
            return None
        key = (base[0], field)
        if key not in self._pointers:
            self._pointers[key] = None
            self._pointers[key] = self._find_pointer(base[0][6:], field)
        target = self._pointers[key]
        return (target,) if target is not None else None

    def _find_pointer(self, owner: str, field: str) -> str | None:
        entries = [
            entry
            for cls in self.index.classes
            if cls.id == owner
            for entry in self.stores.attributes.get((cls.id, field), [])
        ]
        found: set[Anchor] = set()
        for entry in entries:
            for path in entry.value:
                if path[0] == "k:None":
                    continue
                if len(path) != 1 or not path[0].startswith("p:"):
                    return None
                for value, caller in self.types.arguments.get((entry.function.id, path[0][2:]), []):
                    if value != ((f"p:{caller.self_name}",),) or caller.cls is None:
                        return None
                    found.add(self.of_class(caller.cls))
        return found.pop()[0] if len(found) == 1 else None
