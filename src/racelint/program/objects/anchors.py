"""Anchors: which object a path reaches, told by where it hangs from.

Locations do not tell the instances of a class apart. For code that only a thread root makes concurrent that is not
enough: the object that the thread works on and the one that somebody else has may be two. An anchor is the object that
a context starts from (the class of its `self`, a global, a captured variable) and the fields down to the object at
hand; equal anchors are taken to be one object.
"""

from __future__ import annotations

from collections.abc import Mapping

from racelint.model.summary import ELEMENT, Path
from racelint.program.flow.values import Stores
from racelint.program.names.index import ClassInfo, FunctionInfo, Index, Variable
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.elements import passed_on
from racelint.program.objects.things import Instance
from racelint.program.objects.types import Types

Anchor = tuple[str, ...]
_MAX_FIELDS = 4
_OF_NOTHING = frozenset({"k:", "v:", "l:"})
"""What hangs from nothing: constants, displays, other locals."""


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
        self._pointers: dict[tuple[str, Path], Anchor | None] = {}

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

    def is_global(self, anchor: Anchor | None, cls: ClassInfo) -> bool:
        """Whether the anchor is a variable of a module that holds an object of the class."""
        if anchor is None or len(anchor) > 1 or not anchor[0].startswith("global:"):
            return False
        _, module, name = anchor[0].split(":", 2)
        entries = self.stores.variables.get((module, name), [])
        return any(isinstance(thing, Instance) and cls in thing.cls.mro for thing in self.types.of_stored(entries))

    def of(self, path: Path, function: FunctionInfo, known: Mapping[str, Anchor]) -> Anchor | None:
        """The anchor of the object at `path`, given those of the parameters; None where it hangs from nothing known."""
        kind = path[0][:2]
        if kind == "p:" and len(path) == 1:
            return known.get(path[0][2:])
        if kind in _OF_NOTHING:
            return None
        root, *fields = self.stores.facts[function.id].original(path)
        base = self._root(root, function, known)
        if base is None and fields and root.startswith(("g:", "i:")):
            entity = self.index.entity_of(function.module, path[:2])
            if isinstance(entity, Variable):
                base, fields = (f"global:{entity.module.name}:{entity.name}",), fields[1:]
        if base is None:
            return None
        own = function.cls if function.self_name and root == f"p:{function.self_name}" else None
        for number, field in enumerate(fields):
            if field == ELEMENT == base[-1]:
                continue  # `d[i][k]`: some element, however deep
            pointed = self._pointed(own, field) if number == 0 and own and self._is_nearer(own, base) else None
            base = pointed or self._followed((*base, field))
        return base if len(base) <= _MAX_FIELDS + 1 else None

    def _is_nearer(self, cls: ClassInfo, anchor: Anchor) -> bool:
        """Whether a method's class says more of its object: that of a thread is known by the base with its `run`."""
        return len(anchor) > 1 or self._classes.get(anchor[0]) in cls.mro[1:]

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

    def _followed(self, anchor: Anchor) -> Anchor:
        """What an attribute, or an element of what it holds, points to; itself where that is not known."""
        cls = self._classes.get(anchor[0])
        return (self._pointed(cls, *anchor[1:]) if cls is not None else None) or anchor

    def _pointed(self, cls: ClassInfo, *fields: str) -> Anchor | None:
        """`self.owner`, set from a parameter by which callers always pass the same object: themselves or their own."""
        if len(fields) > 1 and fields[1:] != (ELEMENT,):
            return None
        key = (cls.id, fields)
        if key not in self._pointers:
            self._pointers[key] = None
            self._pointers[key] = self._find_pointer(cls, fields)
        return self._pointers[key]

    def _find_pointer(self, cls: ClassInfo, fields: Path) -> Anchor | None:
        found: set[Anchor | None] = set()
        for owner in cls.mro:
            if len(fields) == 1:
                entries = self.stores.attributes.get((owner.id, fields[0]), [])
            else:
                entries = self.stores.elements.get(("class", owner.id, fields[0]), [])
            for entry in entries:
                for path in entry.value:
                    if path[0] != "k:None":
                        found |= self._passed(path, entry.function)
        found.discard((*self.of_class(cls), *fields))  # handed on to another of its kind
        return found.pop() if len(found) == 1 else None

    def _passed(self, path: Path, function: FunctionInfo) -> set[Anchor | None]:
        """What callers pass as the parameter at the path; None for what hangs from nothing that is known."""
        passed = self.types.arguments.get((function.id, path[0][2:]), []) if path[0].startswith("p:") else []
        if len(path) != 1 or not passed:
            return {None}
        return {self._origin(each, caller) for value, caller in passed for each in value}

    def _origin(self, path: Path, caller: FunctionInfo) -> Anchor | None:
        """Where somebody else finds what a caller passes on: itself, its attributes, globals, what it returns."""
        if len(path) == 1 and path[0].startswith("c:"):
            return self._kept_or_returned(path, caller)
        if len(path) > 2 or (path[0] == f"p:{caller.self_name}" and caller.cls is None):
            return None
        own = {caller.self_name: self.of_class(caller.cls)} if caller.cls is not None else {}
        return self.of(path, caller, own)

    def _kept_or_returned(self, path: Path, caller: FunctionInfo) -> Anchor | None:
        facts = self.stores.facts[caller.id]
        for access in facts.accesses:
            stored = access.kind == "write" and access.value == (path,) and len(access.path) == 2
            if stored and caller.cls is not None and access.path[0] == f"p:{caller.self_name}":
                return (*self.of_class(caller.cls), access.path[1])
        if any(node.value == (path,) for node in facts.returns):
            for thing in self.types.of(path, caller):
                if isinstance(thing, Instance):
                    return self.of_class(thing.cls)
        return None
