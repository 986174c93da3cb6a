"""Puts the project's modules back to what they were after their import, so that no execution imports them again.

The graph of mutable objects that the modules hold is recorded once, and its contents are written back in place. What
cannot be written back (a generator, a file, an object of C code) is left alone and named in `leaks`: what is shown with
such a record must be shown again with modules that are executed afresh, which is slower and always right.
"""

from __future__ import annotations

import _weakrefset
import collections
import copy
import enum
import functools
import itertools
import re
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from . import fake_thread
from .capture import Capture
from .chance import draw_apart
from .fake_local import local
from .fake_thread import Lock, RLock, ThreadHandle
from .stand_in import StandIn

MAX_OBJECTS = 20_000
ATOMS = (
    int,
    float,
    complex,
    str,
    bytes,
    range,
    slice,
    type(None),
    type(Ellipsis),
    type(NotImplemented),
    re.Pattern,
    types.BuiltinFunctionType,
    types.GenericAlias,
    types.UnionType,
    types.ModuleType,
    types.CodeType,
    types.MappingProxyType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.MethodWrapperType,
    type(collections.namedtuple("Pair", "first").first),  # type: ignore[attr-defined]
    enum.Enum,
)
RECORDED = ("threading", "queue", "concurrent.futures", "collections", "weakref", "types", "contextlib")
"""Modules of the standard library whose instances are plain Python objects with nothing hidden."""
CONSTANT = frozenset(
    {
        "__future__",
        "abc",
        "ast",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "inspect",
        "ipaddress",
        "logging",
        "operator",
        "os",
        "pathlib",
        "string",
        "struct",
        "typing",
        "uuid",
        "zoneinfo",
    }
)
"""Modules of the standard library whose instances do not change, or are no part of the target's state."""


WEAK = (_weakrefset.WeakSet, weakref.WeakKeyDictionary, weakref.WeakValueDictionary)


class CannotRestore(Exception):
    """A record is of no use: modules must be executed afresh. The text names why."""


class TooMuch(CannotRestore):
    """The modules hold more objects than are worth recording."""


Restorer = Callable[[], None]


class ModuleState:
    """The record of one set of modules. Raises CannotRestore when made."""

    def __init__(self, modules: Iterable[types.ModuleType]) -> None:
        self._seen: dict[int, Any] = {}
        self._pending: list[Any] = []
        self._restorers: list[Restorer] = []
        self._growing: list[tuple[Any, int, Restorer]] = []
        """Members of classes that can only have become more, and how many there were."""
        self._modules = list(modules)
        self._names = {module.__name__ for module in self._modules}
        self.leaks: set[str] = set()
        """Types of objects that are left as an execution left them."""
        for module in self._modules:
            self._record_namespace(vars(module))
        while self._pending:
            self._record(self._pending.pop())

    def restore(self) -> None:
        """Write everything back; an object that refuses is left alone from then on."""
        restorers, refused = self._restorers, []
        for members, count, restorer in self._growing:
            if len(members) != count:
                restorers = [*restorers, restorer]
        for restorer in restorers:
            try:
                restorer()
            except Exception:
                refused.append(restorer)
        if refused:
            self._restorers = [restorer for restorer in self._restorers if restorer not in refused]
            self._growing = [grown for grown in self._growing if grown[2] not in refused]
            self.leaks.add("objects that cannot be set back")

    def _visit(self, values: Iterable[Any]) -> None:
        for value in values:
            if isinstance(value, ATOMS) or id(value) in self._seen:
                continue
            self._seen[id(value)] = value
            if len(self._seen) > MAX_OBJECTS:
                raise TooMuch(f"more than {MAX_OBJECTS} objects")
            self._pending.append(value)

    def _record_namespace(self, members: dict[str, Any]) -> None:
        # The marks of instrumented code change with what an execution is for, not with what the target did.
        ours = {name for name in members if name == "__builtins__" or name.startswith("_rl_")}
        saved = {name: value for name, value in members.items() if name not in ours}
        counters = _counters(saved)
        count = len(members)

        def restore() -> None:
            if len(members) != count:
                for name in members.keys() - saved.keys() - ours:
                    del members[name]
            members.update(saved)
            if counters:
                members.update(_copies(counters))

        self._restorers.append(restore)
        self._visit(value for name, value in saved.items() if not name.startswith("__"))

    def _record(self, value: Any) -> None:
        kind = type(value)
        if isinstance(value, type):
            self._record_class(value)
        elif isinstance(value, types.FunctionType):
            self._record_function(value)
        elif isinstance(value, types.MethodType):
            self._visit([value.__func__, value.__self__])
        elif isinstance(value, (classmethod, staticmethod)):
            self._visit([value.__func__])
        elif isinstance(value, property):
            self._visit(part for part in (value.fget, value.fset, value.fdel) if part is not None)
        elif isinstance(value, (tuple, frozenset)):
            self._visit(value)
        elif isinstance(value, functools.partial):
            self._visit([value.func, value.args, value.keywords])
        elif isinstance(value, functools._lru_cache_wrapper):
            self._restorers.append(value.cache_clear)
            self._visit([value.__wrapped__])
        elif isinstance(value, Lock | RLock):
            self._restorers.append(value._at_fork_reinit if not value.is_locked else _held_lock(value))
        elif not self._record_container(value):
            self._record_instance(value, kind)

    def _record_container(self, value: Any) -> bool:
        if isinstance(value, list | bytearray | collections.deque):
            saved = list(value)
            self._restorers.append(lambda: _refill(value, saved))
            self._visit(() if isinstance(value, bytearray) else saved)
        elif isinstance(value, dict):
            pairs = dict.copy(value) if type(value) is dict else dict(dict.items(value))
            self._restorers.append(lambda: _refill_dict(value, pairs))
            self._visit(pairs.keys())
            self._visit(pairs.values())
        elif isinstance(value, set):
            members = set(value)
            self._restorers.append(lambda: _refill_set(value, members))
            self._visit(members)
        elif isinstance(value, WEAK):
            self._record_weak(value)
            return True
        elif isinstance(value, itertools.count):
            return True
        elif type(value).__module__ == "itertools" or hasattr(type(value), "__next__"):
            self.leaks.add(type(value).__name__)
            return True
        else:
            return False
        self._record_fields(value)
        return True

    def _record_weak(self, value: Any) -> None:
        saved = list(value) if isinstance(value, _weakrefset.WeakSet) else dict(value)
        self._restorers.append(lambda: (value.clear(), value.update(saved))[0])
        self._visit(saved)
        if isinstance(saved, dict):
            self._visit(saved.values())

    def _record_instance(self, value: Any, kind: type) -> None:
        if isinstance(value, ThreadHandle):
            raise CannotRestore(kind.__name__)
        if isinstance(value, local):
            self._record_local(value)
        elif isinstance(value, StandIn | Capture) or kind is object or kind.__module__.partition(".")[0] in CONSTANT:
            return
        elif kind.__module__ == draw_apart.__module__:
            return  # its streams begin anew with each execution
        elif kind.__module__ in self._names or kind.__module__.startswith(RECORDED):
            self._record_fields(value)
        else:
            self.leaks.add(f"{kind.__module__}.{kind.__qualname__}")

    def _record_local(self, value: local) -> None:
        """What the importing thread keeps under a `threading.local`: each execution has a new main thread."""
        saved = dict(vars(value))

        def restore() -> None:
            fields = dict(saved)
            fake_thread.running().storage[id(value)] = (value, fields)

        self._restorers.append(restore)
        self._visit(saved.values())

    def _record_fields(self, value: Any) -> None:
        fields = getattr(value, "__dict__", None)
        if isinstance(fields, dict):
            saved = dict(fields)
            counters = _counters(saved)
            self._restorers.append(lambda: _refill_dict(fields, {**saved, **_copies(counters)}))
            self._visit(saved.values())
        slots = [name for base in type(value).__mro__ for name in _slots(base)]
        if slots:
            held = {name: getattr(value, name) for name in slots if hasattr(value, name)}
            self._restorers.append(lambda: _reset_slots(value, slots, held))
            self._visit(held.values())

    def _record_function(self, function: types.FunctionType) -> None:
        if function.__module__ not in self._names:
            return
        self._visit(function.__defaults__ or ())
        self._visit((function.__kwdefaults__ or {}).values())
        if function.__dict__:
            self._visit([function.__dict__])
        for cell in function.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:
                continue
            self._restorers.append(functools.partial(setattr, cell, "cell_contents", content))
            self._visit([content])

    def _record_class(self, owner: type) -> None:
        if owner.__module__ not in self._names:
            return
        saved = {name: value for name, value in vars(owner).items() if name not in _CLASS_OWN}
        plain = {name: value for name, value in saved.items() if not isinstance(value, types.FunctionType)}
        counters = _counters(plain)
        members = vars(owner)
        count = len(members)

        def restore() -> None:
            if len(members) != count:
                for name in members.keys() - saved.keys() - _CLASS_OWN:
                    delattr(owner, name)
            if plain:
                for name, value in plain.items():
                    if members.get(name) is not value:
                        setattr(owner, name, value)
            if counters:
                for name, value in _copies(counters).items():
                    setattr(owner, name, value)

        if plain or counters:
            self._restorers.append(restore)
        else:
            self._growing.append((members, count, restore))
        self._visit(saved.values())


_CLASS_OWN = frozenset({"__dict__", "__weakref__", "__doc__", "__module__", "__abstractmethods__", "_abc_impl"})


def _counters(saved: dict[str, Any]) -> dict[str, Any]:
    """Copies of the counters among the values: they cannot be set back, but a copy counts from the same number."""
    return {name: copy.copy(value) for name, value in saved.items() if isinstance(value, itertools.count)}


def _copies(counters: dict[str, Any]) -> dict[str, Any]:
    return {name: copy.copy(value) for name, value in counters.items()}


def _held_lock(lock: Any) -> Restorer:
    """A lock that was taken while the module was imported, and is held from then on."""

    def hold() -> None:
        lock.is_locked = True

    return hold


def _refill(value: Any, saved: list[Any]) -> None:
    value.clear()
    value.extend(saved)


def _refill_dict(value: dict[Any, Any], saved: dict[Any, Any]) -> None:
    dict.clear(value)
    dict.update(value, saved)


def _refill_set(value: set[Any], saved: set[Any]) -> None:
    set.clear(value)
    set.update(value, saved)


def _slots(base: type) -> list[str]:
    slots = base.__dict__.get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    mangled = (f"_{base.__name__.lstrip('_')}{name}" if name.startswith("__") else name for name in names)
    return [name for name in mangled if name not in ("__dict__", "__weakref__")]


def _reset_slots(value: Any, slots: list[str], held: dict[str, Any]) -> None:
    for name in slots:
        if name in held:
            object.__setattr__(value, name, held[name])
        elif hasattr(value, name):
            object.__delattr__(value, name)
