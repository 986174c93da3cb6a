"""Values as canonical, comparable, identity-aware trees: no addresses, no hash order, bounded in depth and size.

A tree is a tuple whose first element says what it is: `("value", repr)`, `("list", n, items)`, `("set", n, items)`,
`("dict", n, pairs)`, `("object", n, type, pairs)`, `("same", n)` for an object met before, `("lock", state)`,
`("opaque", text)`. `n` numbers mutable objects in the order in which they are met, so that two names of one object
and two equal objects differ; equal immutable values do not.
"""

from __future__ import annotations

import _weakrefset
import collections
import enum
import io
import re
import sys
import types
from typing import Any

from .capture import Capture
from .fake_thread import Lock, RLock, ThreadHandle
from .stand_in import StandIn

Tree = tuple[Any, ...]

MAX_DEPTH = 8
MAX_NODES = 3000
MAX_ELEMENTS = 200
SCALARS = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis), range, slice)
CODE = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
    types.CodeType,
    classmethod,
    staticmethod,
    property,
)
_ADDRESS = re.compile(r"(?: at)? 0x[0-9a-fA-F]+")


class Snapshot:
    """One numbering of objects, for all the parts of one outcome."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []
        self.locked: list[Any] = []
        self._nodes = 0

    def tree(self, value: Any, depth: int = 0) -> Tree:
        if type(value) in _FAST:
            text = repr(value)
            return ("value", _plain(text) if " 0x" in text else text)
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            return ("opaque", "…")
        try:
            return self._whole(value, depth)
        except Exception:  # what the target makes of its own objects: `__class__`, `__repr__`, `__hash__`
            return ("opaque", type(value).__qualname__)

    def _whole(self, value: Any, depth: int) -> Tree:
        if isinstance(value, (enum.Enum, *SCALARS)):
            return ("value", _plain(repr(value)))
        if isinstance(value, tuple):
            return ("tuple", type(value).__name__, tuple(self.tree(item, depth + 1) for item in value))
        if isinstance(value, frozenset):
            return ("frozenset", self._unordered(value, depth))
        if isinstance(value, type):
            return ("opaque", f"class {value.__qualname__}")
        if isinstance(value, CODE):
            return ("opaque", getattr(value, "__qualname__", getattr(value, "__name__", type(value).__name__)))
        if type(value).__module__.partition(".")[0] in _CONSTANT or isinstance(value, Capture):
            return ("opaque", type(value).__qualname__)
        number = self._numbers.get(id(value))
        if number is not None:
            return ("same", number)
        number = len(self._numbers) + 1
        self._numbers[id(value)] = number
        self._alive.append(value)
        return self._mutable(value, number, depth)

    def _mutable(self, value: Any, number: int, depth: int) -> Tree:
        if isinstance(value, Lock | RLock):
            if value.is_locked:
                self.locked.append(value)
            return ("lock", "locked" if value.is_locked else "unlocked")
        if isinstance(value, list | collections.deque):
            items = tuple(self.tree(item, depth + 1) for item in list(value)[:MAX_ELEMENTS])
            return ("list", number, items, len(value))
        if isinstance(value, dict):
            return ("dict", number, self._pairs(dict.copy(value), depth))  # not its own `items`
        if isinstance(value, set):
            return ("set", number, self._unordered(value, depth))
        if isinstance(value, bytearray):
            return ("value", repr(value))
        if isinstance(value, BaseException):
            return ("object", number, type(value).__qualname__, (("args", self.tree(value.args, depth + 1)),))
        return self._instance(value, number, depth)

    def _instance(self, value: Any, number: int, depth: int) -> Tree:
        kind = type(value)
        if isinstance(value, ThreadHandle):
            return ("opaque", "thread")
        if any(base.__module__ == "threading" for base in kind.__mro__):
            return self._synchroniser(value, number, depth)
        if kind.__module__ == "queue":
            held = getattr(value, "queue", getattr(value, "_queue", ()))
            return ("object", number, kind.__name__, (("queue", self.tree(list(held), depth + 1)),))
        if kind.__module__.startswith("concurrent.futures"):
            if kind.__name__ == "Future":
                shown = (("state", ("value", value._state)), ("result", self.tree(value._result, depth + 1)))
                return ("object", number, "Future", shown)
            return ("opaque", kind.__name__)
        if kind.__module__.startswith("asyncio") or any(base.__module__ == "asyncio.events" for base in kind.__mro__):
            return self._of_asyncio(value, number, depth)
        if isinstance(value, StandIn):
            given = {name: held for name, held in vars(value).items() if not name.startswith("_rl_")}
            return ("object", number, "stand-in", self._pairs(given, depth))
        if isinstance(value, io.StringIO | io.BytesIO) and not value.closed:
            return ("object", number, kind.__name__, (("text", ("value", repr(value.getvalue()))),))
        if isinstance(value, _weakrefset.WeakSet):
            return ("set", number, self._unordered(value, depth))
        fields = _fields(value) if _has_state(kind) else None
        if fields is None:
            text = _plain(repr(value)) if kind.__module__ in _SPEAKING else kind.__qualname__
            return ("opaque", text)
        return ("object", number, kind.__qualname__, self._pairs(fields, depth))

    def _synchroniser(self, value: Any, number: int, depth: int) -> Tree:
        """What a primitive of `threading` is to its users, not how it is made."""
        names = {"Event": ("_flag",), "Semaphore": ("_value",), "BoundedSemaphore": ("_value",), "Barrier": ("_state",)}
        base = next(b for b in type(value).__mro__ if b.__module__ == "threading")
        if base.__name__ == "Condition":
            return ("object", number, "Condition", (("lock", self.tree(value._lock, depth + 1)),))
        shown = {name: getattr(value, name) for name in names.get(base.__name__, ()) if hasattr(value, name)}
        if base.__name__ in ("Thread", "Timer"):
            hidden = set(vars(type(value)).get("__slots__", ()))
            own = {k: v for k, v in vars(value).items() if not k.startswith("_") and k not in hidden}
            shown = {k: v for k, v in own.items() if k not in ("interval", "function", "args", "kwargs", "finished")}
        return ("object", number, type(value).__name__, self._pairs(shown, depth))

    def _of_asyncio(self, value: Any, number: int, depth: int) -> Tree:
        """What an object of `asyncio` is to its users."""
        names = ("_locked", "_value", "_queue", "_state", "_result")
        shown = {name[1:]: getattr(value, name) for name in names if name in getattr(value, "__dict__", ())}
        return ("object", number, type(value).__name__, self._pairs(shown, depth))

    def _apart(self, value: Any, depth: int) -> Tree:
        """A tree with numbers of its own, for what has no order; it counts towards the size of the whole."""
        inner = Snapshot()
        inner._nodes = self._nodes
        tree = inner.tree(value, depth)
        self._nodes = inner._nodes
        return tree

    def _pairs(self, mapping: dict[Any, Any], depth: int) -> tuple[Any, ...]:
        items = list(mapping.items())[:MAX_ELEMENTS]
        if all(type(key) is str for key, _ in items):
            keyed = sorted(items, key=_first)
            return tuple((key, self.tree(value, depth + 1)) for key, value in keyed)
        named = [(self._apart(key, depth + 1), value) for key, value in items]
        named.sort(key=lambda pair: repr(pair[0]))
        return tuple((key, self.tree(value, depth + 1)) for key, value in named)

    def _unordered(self, values: Any, depth: int) -> tuple[Tree, ...]:
        return tuple(sorted((self._apart(item, depth + 1) for item in list(values)[:MAX_ELEMENTS]), key=repr))


_FAST = frozenset({int, float, bool, str, bytes, type(None)})
_CONSTANT = frozenset({"__future__", "typing", "logging", "functools", "abc", "struct", "operator"})
"""Modules whose objects are no part of the target's state, and not worth a number."""
_STATEFUL = frozenset({"builtins", "collections", "contextlib", "types", "argparse", "string", "http", "email"})
"""Modules of the standard library whose instances users keep their own state in."""
_SPEAKING = ("datetime", "decimal", "fractions", "uuid", "pathlib", "ipaddress", "re", "builtins", "itertools", "array")


def _has_state(kind: type) -> bool:
    """Whether the fields of such an object are a part of the target's state: loggers, types and caches are not."""
    top = kind.__module__.partition(".")[0]
    return top not in sys.stdlib_module_names or top in _STATEFUL


def _first(pair: tuple[Any, Any]) -> Any:
    return pair[0]


def _plain(text: str) -> str:
    return _ADDRESS.sub("", text)


def _fields(value: Any) -> dict[str, Any] | None:
    """The instance's own fields, slots included; None for an object of C code that shows none."""
    own = getattr(value, "__dict__", None)
    fields = dict(own) if isinstance(own, dict) else None
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__"):
                fields = {} if fields is None else fields
                mangled = f"_{base.__name__.lstrip('_')}{name}" if name.startswith("__") else name
                if hasattr(value, mangled):
                    fields[mangled] = getattr(value, mangled)
    return fields


def text_of(tree: Tree, limit: int = 120) -> str:
    """The tree as short text for people."""
    spoken = _spoken(tree)
    return spoken if len(spoken) <= limit else spoken[: limit - 1] + "…"


def _spoken(tree: Tree) -> str:
    kind = tree[0]
    if kind in ("value", "lock", "opaque"):
        return str(tree[1])
    if kind == "same":
        return f"(object {tree[1]} again)"
    if kind == "tuple":
        return f"({', '.join(map(_spoken, tree[2]))})"
    if kind in ("list", "set", "frozenset"):
        items = ", ".join(map(_spoken, tree[1] if kind == "frozenset" else tree[2]))
        return f"[{items}]" if kind == "list" else f"{{{items}}}"
    if kind == "dict":
        return "{" + ", ".join(f"{_key(k)}: {_spoken(v)}" for k, v in tree[2]) + "}"
    return f"{tree[2]}({', '.join(f'{k}={_spoken(v)}' for k, v in tree[3] if isinstance(k, str))})"


def _key(key: Any) -> str:
    return repr(key) if isinstance(key, str) else _spoken(key)


def without_order(tree: Tree) -> Tree:
    """The tree with every sequence sorted: what is left is equal if only the order of elements differs."""
    kind = tree[0]
    if kind == "list":
        return ("list", tuple(sorted((without_order(item) for item in tree[2]), key=repr)))
    if kind == "tuple":
        return ("tuple", tuple(sorted((without_order(item) for item in tree[2]), key=repr)))
    if kind in ("set", "frozenset"):
        return tree
    if kind == "dict":
        return ("dict", tuple((key, without_order(value)) for key, value in tree[2]))
    if kind == "object":
        return ("object", tree[2], tuple((key, without_order(value)) for key, value in tree[3]))
    return tree


def pooled(tree: Tree, pool: list[str]) -> Tree:
    """The tree with the elements of its lists taken out into `pool`: consumers of a queue share what they got."""
    kind = tree[0]
    if kind == "list":
        nested = tuple(pooled(item, pool) for item in tree[2] if item[0] == "list")
        pool.extend(repr(without_order(item)) for item in tree[2] if item[0] != "list")
        return ("list", nested)
    if kind == "dict":
        return ("dict", tuple((key, pooled(value, pool)) for key, value in tree[2]))
    if kind == "object":
        return ("object", tree[2], tuple((key, pooled(value, pool)) for key, value in tree[3]))
    return without_order(tree)
