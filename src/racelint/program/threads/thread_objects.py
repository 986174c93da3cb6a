"""Objects that a thread or a call makes for itself, and that nothing keeps which lives longer than that."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from racelint.model.summary import Access, Value
from racelint.program.flow.values import FunctionFacts, Stored, Stores
from racelint.program.names.index import ClassInfo, External, FunctionInfo, Index
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.callees import Callees
from racelint.program.objects.families import descendants
from racelint.program.objects.things import Instance, Member
from racelint.program.objects.types import Types
from racelint.program.threads.reach import Reach

_ANYONE = ""
"""Keeps what a module holds, what another thread is given, and what is stored in something unknown."""
_LOOKS_ONLY = frozenset(
    {"bool", "getattr", "hasattr", "id", "isinstance", "len", "print", "repr", "str", "super", "type"}
)


class ThreadObjects:
    """Answers for the classes of a program; told by where the objects are made and what they are stored in."""

    def __init__(
        self, index: Index, stores: Stores, types: Types, callees: Callees, reach: Reach, roots: list[ThreadRoot]
    ) -> None:
        self.index = index
        self.stores = stores
        self.types = types
        self.reach = reach
        self.callees = callees
        self._roots = roots
        self._classes = index.classes_by_id
        self._known: dict[tuple[str, str], bool] = {}
        self._brief: dict[str, bool] = {}

    @cached_property
    def _handed_out(self) -> frozenset[str]:
        """Classes of which a function leaves an object to its callers, or gives one to others."""
        found: set[str] = set()
        for function in self.index.functions:
            for value in (*left_to_callers(self.stores.facts[function.id]), *self._given_to_others(function)):
                found.update(cls.id for cls in self._classes_of(value, function))
        return frozenset(found)

    @cached_property
    def _keepers(self) -> dict[str, set[str]]:
        """By class: the classes of the objects that keep one of it, or anyone."""
        found: dict[str, set[str]] = {}
        handed = [*_handed_over(self._roots), *_seen_from_around(self.stores, self._roots)]
        for holder, value, function in [*self._stored(), *handed]:
            for cls in self._classes_of(value, function):
                found.setdefault(cls.id, set()).add(holder)
        return found

    def within(self, cls: ClassInfo, root: ThreadRoot) -> bool:
        """Whether each object of `cls` that a thread of `root` meets is one that this very thread has made."""
        key = (cls.id, root.id)
        if key not in self._known:
            self._known[key] = True
            self._known[key] = self._is_within(cls, root)
        return self._known[key]

    def _is_within(self, cls: ClassInfo, root: ThreadRoot) -> bool:
        makers = self._makers(cls)
        if not makers or not all(any(c.root is root for c in self.reach.in_threads(maker)) for maker in makers):
            return False
        keepers = {keeper for kept in (*cls.mro, *descendants(cls)) for keeper in self._keepers.get(kept.id, ())}
        return all(keeper != _ANYONE and self.within(self._classes[keeper], root) for keeper in sorted(keepers))

    def is_brief(self, cls: ClassInfo) -> bool:
        """Whether every object of `cls`, a private class, is over with the call of the function that makes it."""
        if cls.id not in self._brief:
            self._brief[cls.id] = True
            self._brief[cls.id] = self._stays_in_calls(cls)
        return self._brief[cls.id]

    def _stays_in_calls(self, cls: ClassInfo) -> bool:
        family = (*cls.mro, *descendants(cls))
        makers = self._makers(cls)
        if not makers or any(maker.ir.kind in ("module", "class") for maker in makers):
            return False
        public = not all(kept.name.startswith("_") for kept in family)
        if public or any(kept.id in self._handed_out for kept in family):
            return False
        keepers = {keeper for kept in family for keeper in self._keepers.get(kept.id, ())}
        return all(keeper != _ANYONE and self.is_brief(self._classes[keeper]) for keeper in sorted(keepers))

    def _makers(self, cls: ClassInfo) -> list[FunctionInfo]:
        """The functions that make an object of the class, or of one derived from it."""
        return [maker for made in (cls, *descendants(cls)) for maker, _ in self.callees.makings.get(made.id, [])]

    def _given_to_others(self, function: FunctionInfo) -> Iterator[Value]:
        """Arguments of what is not of the program, and may keep them."""
        for call in self.stores.facts[function.id].calls:
            things = self.types.of_value(call.func, function)
            if any(isinstance(thing, (External, Member)) for thing in things) and not only_looks(call.func):
                yield from (argument.value for argument in call.args)

    def _stored(self) -> Iterator[tuple[str, Value, FunctionInfo]]:
        """What is stored, where, and the function that does it; the holder is the class of an object, or anyone."""
        for (owner, _), entries in self.stores.attributes.items():
            for entry in entries:
                yield (_ANYONE if _is_static(entry) else owner), entry.value, entry.function
        for key, entries in self.stores.elements.items():
            if key[0] != "function":
                yield from ((key[1] if key[0] == "class" else _ANYONE, e.value, e.function) for e in entries)
        for entries in self.stores.variables.values():
            yield from ((_ANYONE, entry.value, entry.function) for entry in entries)
        for facts in self.stores.facts.values():
            for access in facts.changes:
                if access.kind == "write" and len(access.path) > 2:
                    yield from self._stored_deep(access, facts.function)

    def _stored_deep(self, access: Access, function: FunctionInfo) -> Iterator[tuple[str, Value, FunctionInfo]]:
        """`self.owner.part = made`: kept by whatever `self.owner` is."""
        holders = [t.cls.id for t in self.types.of(access.path[:-1], function) if isinstance(t, Instance)]
        yield from ((holder, access.value, function) for holder in holders or [_ANYONE])

    def _classes_of(self, value: Value, function: FunctionInfo) -> list[ClassInfo]:
        return [thing.cls for thing in self.types.of_value(value, function) if type(thing) is Instance]


def left_to_callers(facts: FunctionFacts) -> Iterator[Value]:
    """What a function returns and yields, but for the `self` of fluent methods."""
    own = ((f"p:{facts.function.self_name}",),)
    left = [node.value for node in facts.returns] + [node.value for node in facts.yields]
    yield from (value for value in left if value != own)


def only_looks(func: Value) -> bool:
    """A builtin that keeps nothing of what it is given."""
    return len(func) == 1 and len(func[0]) == 1 and func[0][0][2:] in _LOOKS_ONLY


def _is_static(entry: Stored) -> bool:
    """Stored on a class, which lives longer than any thread."""
    if entry.access is None or entry.function.is_classmethod or entry.function.ir.name == "__new__":
        return True
    return not entry.access.path[0].startswith(("p:", "f:"))


def _handed_over(roots: list[ThreadRoot]) -> Iterator[tuple[str, Value, FunctionInfo]]:
    """What threads are given by those who start them."""
    for root in roots:
        if root.site_function is not None:
            yield from ((_ANYONE, value, root.site_function) for value in root.bindings.values())
            if root.receiver is not None:
                yield _ANYONE, (root.receiver,), root.site_function


def _seen_from_around(stores: Stores, roots: list[ThreadRoot]) -> Iterator[tuple[str, Value, FunctionInfo]]:
    """Variables of the functions around a thread's target that the target uses."""
    for root in roots:
        for event in stores.facts[root.target.id].events.values() if root.target.ir.parent else ():
            for path in (event.path,) if isinstance(event, Access) else event.func:
                if path[0].startswith("f:"):
                    yield _ANYONE, (path[:1],), root.target
