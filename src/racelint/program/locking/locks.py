"""Lock identity: which lock a path denotes, from how it was made and never from its name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec
from msgspec.structs import replace

from racelint.knowledge.locks import LOCK_FACTORIES, LockFacts
from racelint.knowledge.threads import QUEUES
from racelint.model.summary import ELEMENT, Call, Path, Value
from racelint.program.calling.calls import bind
from racelint.program.flow.values import Stored, Stores, element_key
from racelint.program.names.declared import means
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.objects.conditions_by_use import conditions_by_use
from racelint.program.objects.locations import Location, Locations
from racelint.program.objects.lock_classes import LockClasses
from racelint.program.objects.lock_families import LockFamilies
from racelint.program.objects.lock_proxies import LockProxies
from racelint.program.objects.things import Bound, Instance, Object, Thing
from racelint.program.objects.types import Types

_NOT_LOCKS = ("builtins.", "contextlib.", "tempfile.", "io.", "warnings.", "socket.", "concurrent.futures.", "queue.")
_STANDARD = frozenset(
    {"asyncio", "collections", "decimal", "logging", "os", "pathlib", "sqlite3", "ssl", "subprocess", "tarfile", "time"}
    | {"unittest", "urllib", "zipfile", "gzip", "bz2", "lzma", "cProfile", "mmap", "selectors", "http", "smtplib", "re"}
    | {
        "ftplib",
        "imaplib",
        "telnetlib",
        "fileinput",
        "json",
        "pickle",
        "threading",
        "pytest",
        "open",
        "codecs",
        "shelve",
    }
    | {
        "multiprocessing",
        "functools",
        "itertools",
        "typing",
        "types",
        "datetime",
        "importlib",
        "memoryview",
        "xml",
        "dbm",
    }
)


_MAX_DEPTH = 3

LockIdentity = tuple[Location, Path]


_DECLARED = LockFacts("lock", True, declared=True)
"""A lock by the user's word: who takes it twice may well do so."""


class Lock(msgspec.Struct, frozen=True, cache_hash=True):
    """A lock as the whole program sees it.

    `location` tells locks apart across threads; `base` is the path of its owner in the function at hand, which tells
    two instances apart within one thread. `facts` is None for something that is used as a context manager and may be
    a lock (`opaque`). `shared`: one for the whole process rather than one per instance.
    """

    location: Location
    facts: LockFacts | None
    shared: bool
    base: Path = ()

    @property
    def identity(self) -> LockIdentity:
        """Of which object, as far as one function can tell."""
        return (self.location, self.base)

    @property
    def opaque(self) -> bool:
        return self.facts is None

    @property
    def reentrant(self) -> bool:
        return self.facts is None or self.facts.reentrant

    @property
    def keyed(self) -> bool:
        """One of a family of locks, chosen by a key: two holders may hold different ones."""
        return ELEMENT in self.location.fields

    @property
    def nameless(self) -> bool:
        """Made or fetched by a call where it is used: nothing says that two of them are one."""
        return self.location.kind == "captured" and self.location.fields[0].startswith(("c:", "v:", "l:"))

    @property
    def name(self) -> str:
        return str(self.location)

    @property
    def short(self) -> str:
        """As a person would write it: `Account.lock`, `LOCK`."""
        if self.nameless:
            return "the lock"
        return self.location.short


class Locks:
    """Answers which lock a path denotes."""

    def __init__(self, stores: Stores, types: Types, locations: Locations, declared: Sequence[str] = ()) -> None:
        self.stores = stores
        self.types = types
        self.locations = locations
        self.declared = declared
        """Classes and factories whose objects the user says are locks."""
        self._known: dict[tuple[str, Path], Lock | None] = {}
        self.classes = LockClasses()
        self._of_sides: dict[str, bool] = {}
        self._families = LockFamilies(stores)
        self._proxies = LockProxies(stores, types)

    def of(self, path: Path, function: FunctionInfo) -> Lock | None:
        """The lock at `path`, opaque where it may be one; None where it certainly is none."""
        key = (function.id, path)
        try:
            return self._known[key]
        except KeyError:
            self._known[key] = None  # where it hangs on itself
            lock = self._known[key] = self._resolve(path, function)
            return lock

    def _resolve(self, path: Path, function: FunctionInfo) -> Lock | None:
        things = self.types.of(path, function)
        facts = self.facts_of(things) or (_DECLARED if self._is_from_declared(path, function) else None)
        if facts is None and any(map(LockProxies.may_be, things)):
            facts = self._proxies.facts_of(self._stores_of(path, function))
        if not things and len(path) > 1:
            place = self.locations.of(path, function)
            facts = facts or (self._conditions_by_use.get(place) if place is not None else None)
        if facts is None and not self._may_be_lock(things):
            return None
        if facts is not None and facts.family == "condition":
            inner = self._condition_lock(path, function)
            if inner is not None and not inner.nameless:
                return inner
            if inner is not None and inner.facts is not None:
                facts = replace(facts, reentrant=inner.reentrant)
        alias = self._by_property(path, function) or self._alias(path, function) or self._handed_out(path, function)
        if alias is not None:
            return alias
        location, base = self._place(path, function)
        return Lock(location, facts, self.is_shared(location), base)

    @cached_property
    def _conditions_by_use(self) -> dict[Location, LockFacts]:
        return conditions_by_use(self.stores, self.types, self.locations)

    def _is_from_declared(self, path: Path, function: FunctionInfo) -> bool:
        """Whether a function of the program that the user calls a factory of locks made it."""
        for stored in self._stores_of(path, function) if self.declared else ():
            for value in stored.value:
                call = self.stores.facts[stored.function.id].made_by(value) if len(value) == 1 else None
                for thing in self.types.of_value(call.func, stored.function) if call is not None else ():
                    if isinstance(thing, Bound) and means(self.declared, thing.function.id.replace(":", ".")):
                        return True
        return False

    def _alias(self, path: Path, function: FunctionInfo) -> Lock | None:
        """`self.mutex = self._lock`: another name of one lock, where nothing else is ever stored there."""
        entries = self._stores_of(path, function)
        if len(path) < 2 or len(entries) != 1 or len(entries[0].value) != 1:
            return None
        value = entries[0].value[0]
        if len(value) >= 2 or value[0].startswith(("g:", "f:")):
            if value[0].startswith(("c:", "v:", "k:")) or ELEMENT in value:
                return None
            other = self.of(value, entries[0].function)
            if other is not None and not other.opaque:
                return _hung(other, entries[0].function, path[:-1])
        return None

    def _by_property(self, path: Path, function: FunctionInfo) -> Lock | None:
        """`self.lock` where `lock` is a property that returns one lock."""
        if len(path) < 2:
            return None
        for thing in self.types.of(path[:-1], function):
            if isinstance(thing, Instance):
                method = thing.cls.method(path[-1])
                if method is not None and method.is_property:
                    return _hung(self._returned_by(method), method, path[:-1])
        return None

    def _returned_by(self, method: FunctionInfo) -> Lock | None:
        values = {p for node in self.stores.facts[method.id].returns for p in node.value}
        if len(values) == 1:
            value = values.pop()
            if len(value) >= 2 or value[0].startswith("g:"):
                return self.of(value, method)
        return None

    def _handed_out(self, path: Path, function: FunctionInfo) -> Lock | None:
        """A method that returns one lock: `with self.locked():`."""
        if len(path) != 1 or not path[0].startswith("c:"):
            return None
        call = self.stores.facts[function.id].call(int(path[0][2:]))
        for thing in self.types.of_value(call.func, function) if call is not None else ():
            if isinstance(thing, Bound) and not thing.function.is_contextmanager:
                lock = self._returned_by(thing.function)
                if lock is not None:
                    return _hung(lock, thing.function, _receiver(call, thing))
        return None

    def facts_of(self, things: tuple[Thing, ...]) -> LockFacts | None:
        """What the objects say of being a lock: the first that is one."""
        for thing in things:
            if type(thing) is Object and thing.dotted in LOCK_FACTORIES:
                return LOCK_FACTORIES[thing.dotted]
            if type(thing) is Object and means(self.declared, thing.dotted):
                return _DECLARED
            if type(thing) is Instance and means(self.declared, thing.cls.id.replace(":", ".")):
                return _DECLARED
            if type(thing) is Instance:
                if self.classes.is_lock(thing.cls):
                    return LockFacts("lock", self.classes.is_reentrant(thing.cls), own=True)
                family = self._families.facts_of(thing.cls)
                if family is not None:
                    return family
                if self._is_reader_writer(thing.cls):
                    return LockFacts("reader-writer", False, own=True)
                for name in thing.cls.all_external_bases():
                    if name in LOCK_FACTORIES:
                        changed = thing.cls.method("acquire") is not None
                        return replace(LOCK_FACTORIES[name], own=True) if changed else LOCK_FACTORIES[name]
        return None

    def _is_reader_writer(self, cls: ClassInfo) -> bool:
        """A class of the program that is a read-write lock: it has methods for both, and primitives of its own."""
        if cls.id not in self._of_sides:
            self._of_sides[cls.id] = False
            both = self.classes.has_both_sides(cls)
            self._of_sides[cls.id] = both and any(
                self.facts_of(tuple(self.types.of_stored(entries))) is not None
                for (owner, _), entries in self.stores.attributes.items()
                if owner == cls.id
            )
        return self._of_sides[cls.id]

    @staticmethod
    def _may_be_lock(things: tuple[Thing, ...]) -> bool:
        """Unknown objects, and those of third parties, may be locks; the rest of the standard library is not."""
        if not things:
            return True
        for thing in things:
            if isinstance(thing, (Object, External)):
                dotted = thing.dotted
                if dotted.startswith(_NOT_LOCKS) or dotted in QUEUES or dotted.split(".")[0] in _STANDARD:
                    continue
                return True
            if LockProxies.may_be(thing):
                return True
        return False

    def _place(self, path: Path, function: FunctionInfo) -> tuple[Location, Path]:
        location = self.locations.of(path, function)
        if location is not None:
            return location, path[:-1]
        passed = self._passed_in(path, function)
        if passed is not None:
            return passed, ()
        owner = f"{function.module.name}:{function.qualname}"
        return Location("captured", owner, tuple(_readable(part) for part in path)), ()

    def _passed_in(self, path: Path, function: FunctionInfo) -> Location | None:
        """A parameter that every call site binds to one lock is that lock."""
        root, *fields = path
        if not root.startswith("p:"):
            return None
        found = set()
        for value, caller in self.types.arguments.get((function.id, root[2:]), []):
            for argument in value:
                found.add(self.locations.of((*argument, *fields), caller))
        if len(found) == 1:
            return found.pop()
        return None

    def _condition_lock(self, path: Path, function: FunctionInfo) -> Lock | None:
        """The lock that a condition was made on, where it was given one; what `d[k]` gives is what was put into `d`."""
        path = self.stores.facts[function.id].looked_up(path)
        owner = path[:-2] if path[-1] == ELEMENT else path[:-1]
        for stored in self._stores_of(path, function):
            for value in stored.value:
                for inner in self._given_lock(value, stored.function):
                    lock = self._kept(inner, stored.function) or self.of(inner, stored.function)
                    if lock is not None:
                        return Lock(lock.location, lock.facts, lock.shared, owner)
        return None

    def _kept(self, made: Path, function: FunctionInfo) -> Lock | None:
        """A lock that a function makes, by where it puts it: under a name, or in the first of its conditions."""
        if len(made) != 1 or not made[0].startswith("c:"):
            return None
        lock = self.of(made, function)
        if lock is None or lock.opaque:
            return None
        writes = [access for access in self.stores.facts[function.id].accesses if access.kind == "write"]
        named = (access.path for access in writes if access.value == (made,))
        inside = (a.path for a in writes if any(made in self._given_lock(value, function) for value in a.value))
        for path in (*named, *inside):
            location = self.locations.of(path, function)
            if location is not None and not location.content:
                return Lock(location, lock.facts, self.is_shared(location), path[:-1])
        return None

    def _given_lock(self, value: Path, function: FunctionInfo, depth: int = 0) -> Value:
        """What the call at `value` makes a condition on: itself, or through a function of the program."""
        call = self.stores.facts[function.id].made_by(value) if len(value) == 1 and depth < _MAX_DEPTH else None
        if call is None:
            return ()
        for thing in self.types.of_value(call.func, function):
            if isinstance(thing, External) and thing.dotted in LOCK_FACTORIES:
                is_condition = LOCK_FACTORIES[thing.dotted].family == "condition"
                return call.args[0].value if call.args and is_condition else ()
            if isinstance(thing, Bound):
                passed = bind(thing.function, call.args, bound=thing.bound)
                for node in self.stores.facts[thing.function.id].returns:
                    for made in node.value:
                        for path in self._given_lock(made, thing.function, depth + 1):
                            if len(path) == 1 and path[0].startswith("p:"):
                                return passed.get(path[0][2:], ())
        return ()

    def _stores_of(self, path: Path, function: FunctionInfo) -> list[Stored]:
        if len(path) > 1 and path[-1] == ELEMENT:
            key = element_key(self.types.index, function, path[:-1])
            return self.stores.elements.get(key, []) if key is not None else []
        location = self.locations.of(path, function)
        if location is None:
            return [Stored((path,), function, None)]
        name = location.fields[0]
        if location.kind == "attribute":
            return self.stores.attributes.get((location.owner, name), [])
        if location.kind == "global":
            return self.stores.variables.get((location.owner, name), [])
        module, _, qualname = location.owner.partition(":")
        return self.stores.captured.get((module, qualname, name), [])

    def is_passed_in(self, lock: Lock) -> bool:
        """A parameter, of this function or one around it: two of them may be one lock under two names."""
        module, _, qualname = lock.location.owner.partition(":")
        info = self.types.index.modules.get(module) if lock.location.kind == "captured" else None
        owner = info.functions.get(qualname) if info is not None else None
        return owner is not None and any(param.name == lock.location.fields[0] for param in owner.ir.params)

    def is_shared(self, location: Location) -> bool:
        """No attribute, or one of a class that no instance replaces."""
        if location.kind != "attribute":
            return True
        entries = self.stores.attributes.get((location.owner, location.fields[0]), [])
        if not entries:
            return False
        return all(
            (entry.access is not None and entry.access.path[0].startswith(("cls:", "g:"))) or _through_class(entry)
            for entry in entries
        )


def is_primitive(things: Sequence[Thing]) -> bool:
    """Whether it is a lock of a library, at least where no stand-in is: `Lock() if threaded else NoLock()`."""
    return any(isinstance(thing, Object) and thing.dotted in LOCK_FACTORIES for thing in things)


def _through_class(entry: Stored) -> bool:
    function = entry.function
    return function.is_classmethod and entry.access is not None and entry.access.path[0] == f"p:{function.self_name}"


def _hung(lock: Lock | None, method: FunctionInfo, owner: Path) -> Lock | None:
    """The lock of a method's own `self`, as seen from where `owner` is that object."""
    if lock is None or lock.location.kind != "attribute":
        return lock
    return replace(lock, base=owner if lock.base == (f"p:{method.self_name}",) else ())


def _receiver(call: Call | None, method: Bound) -> Path:
    path = call.func[0] if call is not None and call.func else ()
    return path[:-1] if method.bound and len(path) > 1 and path[-1] == method.function.ir.name else ()


def _readable(part: str) -> str:
    kind, _, rest = part.partition(":")
    return rest if kind in ("p", "l", "g") and rest else part
