"""The access log of executions, and which sites conflict: the only places where a preemption can matter.

A location is an object and an attribute (or its contents), a global, a closure variable or a lock. Two accesses of a
location conflict if different threads make them, one writes, and no lock is held at both (as in Eraser, so that what
a lock guards is left to the switches at the lock itself, which is enough: Musuvathi and Qadeer, CHESS).
"""

from __future__ import annotations

import collections
import gc
import types
from typing import Any

from . import sites as kinds
from .control import Control
from .fake_thread import Lock, RLock, ThreadHandle
from .sites import Site, SiteTable

Location = tuple[Any, ...]

CONTAINERS = (list, dict, set, bytearray, collections.deque)
MUTATORS = frozenset(
    [
        "append",
        "appendleft",
        "extend",
        "extendleft",
        "insert",
        "pop",
        "popleft",
        "popitem",
        "remove",
        "clear",
        "add",
        "discard",
        "update",
        "setdefault",
        "sort",
        "reverse",
        "rotate",
        "difference_update",
        "intersection_update",
        "symmetric_difference_update",
        "move_to_end",
        "subtract",
        "__setitem__",
        "__delitem__",
    ]
)
SYNCHRONISERS = (
    *("threading", "queue", "concurrent.futures", "_threading_local", "multiprocessing", "racelint_agent"),
    *(f"asyncio.{name}" for name in ("locks", "queues", "futures", "tasks", "events", "base_events")),
)
_EMPTY: tuple[Any, ...] = ([], set(), bytearray(), collections.deque(), {}, {}.values(), {}.items())
ITERATORS = tuple({type(iter(part)) for part in _EMPTY})
"""Iterators of containers that refuse to go on, or go astray, where those are changed meanwhile."""
PLAIN = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, classmethod, staticmethod, property)


class Access:
    """One access of one location. `held` are the ids of the locks that its thread held."""

    __slots__ = ("held", "location", "site", "task", "write")

    def __init__(self, task: int, site: int, location: Location, write: bool, held: frozenset[int]) -> None:
        self.task = task
        self.site = site
        self.location = location
        self.write = write
        self.held = held


class AccessLog:
    """The accesses of one execution, in their order. Keeps the objects alive, so that ids stay unique."""

    def __init__(self, control: Control, table: SiteTable) -> None:
        self.control = control
        self.table = table
        self.accesses: list[Access] = []
        self.visited: set[int] = set()
        self._alive: list[Any] = []

    def note(self, number: int, obj: Any) -> None:
        task = self.control.current
        if task is self.control.main:
            return
        self.visited.add(number)
        held = frozenset(id(lock) for lock in task.held)
        for location, write in locations(self.table[number], obj):
            self._alive.append(obj)
            self.accesses.append(Access(task.index, number, location, write, held))

    def conflicts(self) -> dict[Location, list[Access]]:
        """The accesses of each location that two threads touch, at least one writing, with no lock in common."""
        return {where: found for where, found in self._by_location().items() if _conflict(found)}

    def shared_sites(self) -> set[int]:
        """The sites of every location that two threads touch, at least one writing, guarded or not."""
        return {access.site for found in self._by_location().values() if _shared(found) for access in found}

    def _by_location(self) -> dict[Location, list[Access]]:
        by_location: dict[Location, list[Access]] = {}
        for access in self.accesses:
            by_location.setdefault(access.location, []).append(access)
        return by_location


def _shared(accesses: list[Access]) -> bool:
    return len({access.task for access in accesses}) > 1 and any(access.write for access in accesses)


def _conflict(accesses: list[Access]) -> bool:
    if not _shared(accesses):
        return False
    if accesses[0].location[0] == "lock":
        return True
    common = frozenset.intersection(*(access.held for access in accesses))
    return not common


def locations(site: Site, obj: Any) -> list[tuple[Location, bool]]:
    """The locations that `site` touches on `obj`, each with whether it writes."""
    kind = site.kind
    if kind in (kinds.READ, kinds.WRITE):
        return _attribute(obj, site.what, kind == kinds.WRITE)
    if kind in kinds.OF_CONTENTS:
        return _contents(obj, kind in kinds.CHANGES_CONTENTS)
    if kind in (kinds.NAME_READ, kinds.NAME_WRITE):
        return [(("name", site.path, site.what), kind == kinds.NAME_WRITE)]
    if kind == kinds.ENTER:
        return [(("lock", lock_identity(obj)), True)] if _synchronises(obj) else []
    if kind == kinds.CALL:
        return _call(obj, site.what)
    return []


def _attribute(obj: Any, name: str, write: bool) -> list[tuple[Location, bool]]:
    if isinstance(obj, types.ModuleType):
        value = vars(obj).get(name)
        if isinstance(value, (*PLAIN, type, types.ModuleType)):
            return []
        return [(("name", getattr(obj, "__file__", obj.__name__), name), write)]
    if write:
        return [(("attribute", id(obj), name), True)]
    found: list[tuple[Location, bool]] = []
    own = getattr(obj, "__dict__", None)
    if own is None or name in own or isinstance(obj, type):
        found.append((("attribute", id(obj), name), False))
    if not (own is not None and name in own):
        for base in (obj if isinstance(obj, type) else type(obj)).__mro__:
            if name in base.__dict__:
                value = base.__dict__[name]
                if isinstance(value, PLAIN):
                    return []
                found.append((("attribute", id(base), name), False))
                break
        found.append((("attribute", id(obj), name), False))
    return found


def _contents(obj: Any, write: bool) -> list[tuple[Location, bool]]:
    obj = behind_view(obj)
    if isinstance(obj, ITERATORS):
        walked = walked_by(obj)
        behind = [(("contents", id(walked)), False)] if walked is not None else []
        return [(("contents", id(obj)), write), *behind]
    if isinstance(obj, CONTAINERS) or (write and not isinstance(obj, str | bytes | tuple | int | type(None))):
        return [(("contents", id(obj)), write)]
    if hasattr(type(obj), "__next__"):
        return [(("contents", id(obj)), write)]
    return []


_VIEWS = ("dict_items", "dict_keys", "dict_values", "odict_items", "odict_keys", "odict_values")


def behind_view(obj: Any) -> Any:
    """The dict that `obj` is a view of, else `obj` itself."""
    proxy = getattr(obj, "mapping", None) if type(obj).__name__ in _VIEWS else None
    if proxy is None:
        return obj
    # The view's mapping is a read-only proxy of the dict: what is behind it is found by gc alone.
    behind = [part for part in gc.get_referents(proxy) if isinstance(part, dict)]
    return behind[0] if behind else proxy


def walked_by(iterator: Any) -> Any:
    """The container that an iterator of ITERATORS walks through, None where it has come to its end."""
    return next((part for part in gc.get_referents(iterator) if isinstance(part, CONTAINERS)), None)


def _call(obj: Any, method: str) -> list[tuple[Location, bool]]:
    if isinstance(obj, super):
        if isinstance(getattr(obj, method, None), types.MethodType):
            return []  # what it does is marked in it
        obj = obj.__self__  # type: ignore[attr-defined]
    if _synchronises(obj):
        return [(("lock", lock_identity(obj)), True)]
    if isinstance(obj, CONTAINERS):
        return [(("contents", id(obj)), method in MUTATORS)]
    if hasattr(type(obj), "__next__") and method in ("send", "__next__", "throw", "close"):
        return [(("contents", id(obj)), True)]
    own = getattr(obj, "__dict__", None)
    if isinstance(own, dict) and method in own and not isinstance(obj, type | types.ModuleType):
        return [(("attribute", id(obj), method), False)]
    return []


def _synchronises(obj: Any) -> bool:
    return is_synchroniser(type(obj))


def is_synchroniser(kind: type) -> bool:
    """Whether objects of the type are locks, or are made of locks by the standard library."""
    if issubclass(kind, Lock | RLock | ThreadHandle):
        return True
    return any(base.__module__.startswith(SYNCHRONISERS) for base in kind.__mro__)


def lock_identity(obj: Any) -> int:
    """A Condition made on a lock is that lock."""
    inner = getattr(obj, "_lock", None)
    return id(inner) if isinstance(inner, Lock | RLock) else id(obj)
