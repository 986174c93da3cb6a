"""Ownership: which local values no other thread can reach yet, and from which event on they can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from racelint.knowledge.threads import QUEUES
from racelint.model.summary import ELEMENT, Path, Value
from racelint.program.calling.calls import CallGraph
from racelint.program.flow.values import Stores
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.things import Bound, Constant, Member, Object
from racelint.program.objects.types import Types

CONSTRUCTORS = frozenset(
    {"__init__", "__new__", "__post_init__", "__init_subclass__", "__set_name__", "__setstate__", "__class_getitem__"}
)
CONSTRUCTOR_STEPS = ("setup", "set_up", "init")
"""How names of methods begin that belong to the constructor, where that is what calls them."""

_NEVER = 1 << 60

_TAKING = ("get", "get_nowait", "popleft", "pop", "recv")

_GIVING_ONCE = QUEUES - {"collections.deque"}
"""Queues that give what is put in to one who takes it, and show it to nobody else."""


def makes_self(function: FunctionInfo) -> bool:
    """A constructor of instances: its `self` is new."""
    return function.ir.name in CONSTRUCTORS and bool(function.self_name) and not function.is_classmethod


def is_made_with(root: ThreadRoot) -> bool:
    """A constructor starts the thread, once, on a method of its object or of what that keeps: `self.loop.run`."""
    starter, receiver = root.site_function, root.receiver
    if starter is None or receiver is None or root.in_loop or not makes_self(starter):
        return False
    return receiver[0] == f"p:{starter.self_name}"


class Ownership:
    """Fresh locals of each function and when they escape."""

    def __init__(self, stores: Stores, types: Types, calls: CallGraph, roots: list[ThreadRoot]) -> None:
        self.stores = stores
        self.types = types
        self.calls = calls
        self._spawned: dict[str, dict[str, int]] = {}
        for root in roots:
            self._note_spawn(root)
        self._fresh: dict[tuple[str, str], bool] = {}
        self._given_away: dict[str, dict[str, int]] = {}
        """By function: the first event that puts the object at each root where others may find it."""

    def _note_spawn(self, root: ThreadRoot) -> None:
        if root.site_function is None or root.site is None:
            return
        starts = [event for function, event in root.starts if function is root.site_function]
        since = min(starts, default=root.site.id)
        known = self._spawned.setdefault(root.site_function.id, {})
        handed = [path[0] for argument in root.site.args for path in argument.value]
        handed += [path[0] for path in (root.receiver,) if path]
        handed += [path[0] for value in root.bindings.values() for path in value]
        for name in handed:
            known[name] = min(since, known.get(name, _NEVER))

    def is_fresh(self, root: str, function: FunctionInfo) -> bool:
        """Whether a path's root is an object made in this function (or by a function that only makes it)."""
        key = (function.id, root)
        if key not in self._fresh:
            self._fresh[key] = False
            self._fresh[key] = root.startswith("v:") or self._made_here(root, function, 0)
        return self._fresh[key]

    def _made_here(self, root: str, function: FunctionInfo, depth: int) -> bool:
        if not root.startswith("c:") or depth > 3:
            return False
        call = self.stores.facts[function.id].call(int(root[2:]))
        if call is None:
            return False
        called = [thing for thing in self.types.of_value(call.func, function) if not isinstance(thing, Constant)]
        return bool(called) and all(self._makes(thing, depth) for thing in called)

    def _makes(self, thing: object, depth: int) -> bool:
        if type(thing) is ClassInfo:
            return "__new__" not in {name for cls in thing.mro for name in cls.ir.methods}
        if type(thing) is Member:
            return thing.dotted in QUEUES and thing.name in _TAKING
        if type(thing) is Bound:
            returns = self.stores.facts[thing.function.id].returns
            return bool(returns) and all(
                path[0].startswith("k:") or (len(path) == 1 and self._made_here(path[0], thing.function, depth + 1))
                for node in returns
                for path in node.value or (("l:?",),)
            )
        return False

    def escapes_at(self, root: str, function: FunctionInfo) -> int:
        """The first event after which another thread may hold the object at `root`; a very large number for never."""
        spawned = self._spawned.get(function.id, {}).get(root, _NEVER)
        return min(spawned, self._stored_at(root, function))

    def _stored_at(self, root: str, function: FunctionInfo) -> int:
        """The first event that puts the object where others may find it."""
        known = self._given_away.get(function.id)
        if known is None:
            known = self._given_away[function.id] = {}
            for event, place, values in self._puts(function):
                roots = [path[0] for value in values for path in value if len(path) == 1]
                if roots and self._is_shared_place(place, function):
                    for name in roots:
                        known[name] = min(event, known.get(name, _NEVER))
        return known.get(root, _NEVER)

    def _puts(self, function: FunctionInfo) -> Iterator[tuple[int, Path, Iterable[Value]]]:
        """Every event that stores values, with the place that it stores them in."""
        facts = self.stores.facts[function.id]
        for access in facts.accesses:
            if access.kind == "write":
                yield access.id, access.path, (access.value,)
        for call in facts.calls:
            if call.args and any(path[-1] in ("append", "add", "put", "setdefault") for path in call.func):
                yield call.id, call.func[0][:-1] or ("l:?",), [argument.value for argument in call.args]

    def stays_with(self, root: str, function: FunctionInfo) -> bool:
        """Whether the object is made by the function and goes nowhere but to the threads that it starts."""
        if not self.is_fresh(root, function):
            return False
        facts = self.stores.facts[function.id]
        left = [node.value for node in facts.returns] + [node.value for node in facts.yields]
        returned = any((root,) in value for value in left)
        return not returned and self._stored_at(root, function) == _NEVER

    def _is_shared_place(self, path: Path, function: FunctionInfo) -> bool:
        root = path[0]
        if root.startswith(("v:", "l:", "k:")):
            return False
        if root.startswith("c:"):
            return not self.is_fresh(root, function)
        return not (root.startswith("f:") and len(path) == 1)

    def _is_content(self, path: Path, function: FunctionInfo) -> bool:
        """An element of a container in an attribute, or of a container there that was displayed for it."""
        _, name, *fields = path
        if any(field != ELEMENT for field in fields):
            return False
        if len(fields) == 1 or function.cls is None or path[0] != f"p:{function.self_name}":
            return len(fields) == 1
        rows = [row for cls in function.cls.mro for row in self.stores.elements.get(("class", cls.id, name), ())]
        return bool(rows) and all(len(value) == 1 and value[0][:2] == "v:" for row in rows for value in row.value)

    def owned(self, path: Path, event: int, function: FunctionInfo, owned_params: frozenset[str]) -> bool:
        """Whether what `path` reaches from is still owned by the running thread at `event`."""
        root = path[0]
        if event <= self._handed_on_at(path, function):
            return True
        if root.startswith("p:"):
            if root[2:] not in owned_params or (len(path) > 2 and not self._is_content(path, function)):
                return False
            return event <= self._spawned.get(function.id, {}).get(root, _NEVER)
        if root.startswith(("v:", "c:")):
            return self.is_fresh(root, function) and event <= self.escapes_at(root, function)
        return False

    def _handed_on_at(self, path: Path, function: FunctionInfo) -> int:
        """The first event after which others may hold what the path's object is, taken from a queue; 0 for none."""
        if ELEMENT not in path[:-1]:
            return 0
        place = path[: path.index(ELEMENT)]
        things = self.types.of_value((place,), function)
        if not things or not all(isinstance(thing, Object) and thing.dotted in _GIVING_ONCE for thing in things):
            return 0
        calls = [call for call in self.stores.facts[function.id].calls if call.func and call.func[0][:-1] == place]
        taken = (f"c:{call.id}" for call in calls if call.func[0][-1] in _TAKING)
        return min((self._stored_at(root, function) for root in taken), default=_NEVER)
