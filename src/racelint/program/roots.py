"""Thread roots: what starts them, what they run, where they are started and joined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple

from racelint.knowledge.threads import (
    HANDLER_BASES,
    METHOD_STARTERS,
    NAMED_STARTERS,
    ROUTE_DECORATORS,
    ROUTERS,
    SELF_THREADED_HANDLERS,
    STARTERS,
    THREAD_BASES,
    THREADED_SERVERS,
    RootKind,
    Starter,
)
from racelint.model.summary import ELEMENT, Access, AnyNode, Branch, Call, Loop, Path, Try, Value, With
from racelint.program.calls import CallGraph, bind
from racelint.program.index import ClassInfo, External, FunctionInfo, Index
from racelint.program.types import Bound, Instance, Member, Object, Types
from racelint.program.values import Stores, nodes_of


@dataclass(eq=False)
class ThreadRoot:
    """Code that runs on its own thread of execution.

    `site` is the call that makes or starts it (None for a handler or a subclass that nobody is seen to start).
    `many`: several may run at once. `own_self`: each has an instance of its own, so that `self` alone is not shared.
    `thread`: the paths in `site_function` that hold the thread object.
    """

    kind: RootKind
    target: FunctionInfo
    site_function: FunctionInfo | None = None
    site: Call | None = None
    many: bool = False
    own_self: bool = False
    receiver: Path | None = None
    bindings: dict[str, Value] = field(default_factory=dict)
    starts: list[tuple[FunctionInfo, int]] = field(default_factory=list)
    joins: list[tuple[FunctionInfo, int]] = field(default_factory=list)
    left: int = -1
    """The last event of the `with` of its executor: leaving that joins it."""
    one_worker: bool = False
    """Its executor runs one task after the other."""

    @property
    def id(self) -> str:
        where = f"{self.site_function.id}@{self.site.id}" if self.site_function and self.site else "?"
        return f"{self.kind}:{self.target.id}:{where}"

    @property
    def in_process(self) -> bool:
        return self.kind in ("thread", "timer", "pool", "handler")

    @property
    def constructs(self) -> bool:
        """The target is a class: what runs is its constructor, on an object that nobody else has."""
        return self.target.ir.name in ("__new__", "__init__")

    @property
    def title(self) -> str:
        """`thread Account.run`, as messages say it."""
        name = self.target.qualname
        return f"{self.kind} `{name}`" if self.kind != "pool" else f"pool task `{name}`"


def find_roots(index: Index, stores: Stores, types: Types, calls: CallGraph) -> list[ThreadRoot]:
    """All thread roots of the program, in source order."""
    finder = _Finder(index, stores, types, calls)
    for function in index.functions:
        finder.visit(function)
    finder.subclasses()
    finder.handlers()
    finder.routes()
    finder.joins_through_helpers()
    return sorted(finder.roots, key=lambda root: (root.target.order, root.kind, root.id))


class Initializer(NamedTuple):
    """What a pool's workers run first, and with what: `bindings` are values in `maker`."""

    target: FunctionInfo
    maker: FunctionInfo
    bindings: dict[str, Value]


class Spawn(NamedTuple):
    """A call that starts something, whatever that is: the values it may run, and where it is started."""

    starter: Starter
    target: Value
    starts: list[tuple[FunctionInfo, int]]


def spawn_at(
    call: Call, function: FunctionInfo, index: Index, stores: Stores, types: Types, calls: CallGraph
) -> Spawn | None:
    """What a call starts, also where that is no function of the program."""
    return _Finder(index, stores, types, calls).spawn(call, function)


def find_initializers(index: Index, stores: Stores, types: Types, calls: CallGraph) -> list[Initializer]:
    """The `initializer=` of pools and executors, in source order."""
    finder = _Finder(index, stores, types, calls)
    return [found for function in index.functions for found in finder.initializers(function)]


def loops_around(function: FunctionInfo) -> dict[int, list[Loop]]:
    """For each event, the loops it stands in, outermost first."""
    found: dict[int, list[Loop]] = {}

    def walk(nodes: tuple[AnyNode, ...], loops: list[Loop]) -> None:
        for node in nodes:
            if isinstance(node, (Access, Call)):
                if loops:
                    found[node.id] = loops
            elif isinstance(node, Branch):
                walk(node.then, loops)
                walk(node.orelse, loops)
            elif isinstance(node, Loop):
                walk(node.head, [*loops, node] if node.kind == "while" else loops)
                walk(node.body, [*loops, node])
                walk(node.orelse, loops)
            elif isinstance(node, Try):
                walk(node.body, loops)
                for handler in node.handlers:
                    walk(handler.body, loops)
                walk(node.orelse, loops)
                walk(node.final, loops)
            elif isinstance(node, With):
                walk(node.body, loops)

    walk(function.ir.body, [])
    return found


class _Finder:
    def __init__(self, index: Index, stores: Stores, types: Types, calls: CallGraph) -> None:
        self.index = index
        self.stores = stores
        self.types = types
        self.calls = calls
        self.roots: list[ThreadRoot] = []
        self._started_classes: set[str] = set()
        self._loops: dict[str, dict[int, list[Loop]]] = {}

    def _from_parameter(self, value: Value, function: FunctionInfo) -> bool:
        """The target is handed in: the function is a helper that starts threads for others."""
        return any(path[0].startswith("p:") and path[0][2:] != function.self_name for path in value)

    def _made_often(self, function: FunctionInfo) -> bool:
        """A constructor that starts a thread, of a class with several instances."""
        return function.ir.name == "__init__" and self._called_often(function)

    def _called_often(self, function: FunctionInfo) -> bool:
        sites = self.calls.incoming.get(function.id, [])
        return len(sites) > 1 or any(site.event in self._loops_of(site.caller) for site in sites)

    def visit(self, function: FunctionInfo) -> None:
        for call in self.stores.facts[function.id].calls:
            starter = self._starter(call, function)
            if starter is not None:
                self._spawn(starter, call, function)
            else:
                self._construct(call, function)

    def spawn(self, call: Call, function: FunctionInfo) -> Spawn | None:
        starter = self._starter(call, function)
        if starter is None:
            return None
        root = ThreadRoot(starter.kind, function, function, call)
        self._life(root, starter, call, function)
        return Spawn(starter, self._target(starter, call), root.starts)

    def initializers(self, function: FunctionInfo) -> Iterator[Initializer]:
        for call in self.stores.facts[function.id].calls:
            given = {argument.name: argument.value for argument in call.args}
            if "initializer" not in given:
                continue
            for thing, _ in self._callables(given["initializer"], function):
                bindings = self._unpacked(given.get("initargs", ()), thing, function)
                yield Initializer(thing.function, function, bindings)

    def _loops_of(self, function: FunctionInfo) -> dict[int, list[Loop]]:
        if function.id not in self._loops:
            self._loops[function.id] = loops_around(function)
        return self._loops[function.id]

    def _starter(self, call: Call, function: FunctionInfo) -> Starter | None:
        unknown = True
        for path in call.func:
            if self._initializes_thread(path, function):
                return STARTERS["threading.Thread"]
            for thing in self.types.of(path, function):
                unknown = False
                if isinstance(thing, External) and thing.dotted in STARTERS:
                    return STARTERS[thing.dotted]
                if isinstance(thing, Member) and (thing.dotted, thing.name) in METHOD_STARTERS:
                    return METHOD_STARTERS[thing.dotted, thing.name]
                if isinstance(thing, Member) and thing.name == "submit" and "xecutor" in thing.dotted:
                    return NAMED_STARTERS["submit"]
        if unknown and call.func and len(call.func[0]) > 1:
            name = call.func[0][-1]
            if name == "run_in_executor" or (name == "submit" and self._named_pool(call.func[0])):
                return NAMED_STARTERS[name]
        return None

    @staticmethod
    def _named_pool(path: Path) -> bool:
        words = path[-2].lower()
        return "executor" in words or "pool" in words

    def _initializes_thread(self, path: Path, function: FunctionInfo) -> bool:
        """`super().__init__(target=…)` in a subclass of Thread."""
        if function.cls is None or path[-1] != "__init__" or thread_kind(function.cls) is None:
            return False
        call = self.stores.facts[function.id].call(int(path[0][2:])) if path[0].startswith("c:") else None
        return call is not None and any(value == ("g:super",) for value in call.func)

    def _spawn(self, starter: Starter, call: Call, function: FunctionInfo) -> None:
        value = self._target(starter, call)
        if function.cls is not None and function.cls.id.replace(":", ".") in THREAD_BASES:
            return  # the thread class itself: its users' targets are the roots
        for thing, path in self._callables(value, function):
            bindings = self._bindings(starter, call, thing, function)
            receiver = path[:-1] if thing.bound and len(path) > 1 and path[-1] == thing.function.ir.name else None
            root = ThreadRoot(
                starter.kind,
                thing.function,
                function,
                call,
                many=starter.many
                or self._repeats(starter, call, function)
                or (self._from_parameter(value, function) and self._called_often(function))
                or self._made_often(function),
                own_self=receiver is not None and self._one_each(receiver, call, function),
                receiver=receiver,
                bindings=bindings,
            )
            self._life(root, starter, call, function)
            root.one_worker = self._one_worker(call, function)
            if root.many and (self._joined_in_turn(root) or root.one_worker):
                root.many = False
            self.roots.append(root)

    def _callables(self, value: Value, function: FunctionInfo) -> list[tuple[Bound, Path]]:
        found: list[tuple[Bound, Path]] = []
        for path in value:
            for thing in self.types.of(path, function):
                if isinstance(thing, Bound):
                    found.append((thing, path))
                elif isinstance(thing, Instance):
                    method = thing.cls.method("__call__")
                    if method is not None:
                        found.append((Bound(method, True), (*path, "__call__")))
                elif isinstance(thing, ClassInfo):
                    for name in ("__new__", "__init__"):
                        method = thing.method(name)
                        if method is not None:
                            found.append((Bound(method, True), path))
        return found

    @staticmethod
    def _target(starter: Starter, call: Call) -> Value:
        plain = [argument for argument in call.args if not argument.name]
        for argument in call.args:
            if argument.name == starter.keyword:
                return argument.value
        return plain[starter.target].value if len(plain) > starter.target else ()

    def _bindings(self, starter: Starter, call: Call, thing: Bound, function: FunctionInfo) -> dict[str, Value]:
        plain = [argument for argument in call.args if not argument.name]
        if starter.args == -1 and not starter.many:
            rest = tuple(plain[starter.target + 1 :])
            return bind(thing.function, rest, bound=thing.bound, skipped=thing.skipped)
        if starter.many:
            return {}
        packed: Value = ()
        named: dict[str, Value] = {}
        for argument in call.args:
            if argument.name == "args":
                packed = argument.value
            elif argument.name in ("kwargs", "kwds"):
                named = self._by_name(argument.value, thing, function)
        if not packed and starter.args >= 0 and len(plain) > starter.args:
            packed = plain[starter.args].value
        return {**self._unpacked(packed, thing, function), **named}

    def _by_name(self, packed: Value, thing: Bound, function: FunctionInfo) -> dict[str, Value]:
        """`kwargs={"a": a}`."""
        names = {param.name for param in thing.function.ir.params}
        return {
            access.key: access.value
            for access in self.stores.facts[function.id].accesses
            if access.kind == "write" and access.path[-1] == ELEMENT and access.path[:-1] in packed
            if access.key in names
        }

    def _unpacked(self, packed: Value, thing: Bound, function: FunctionInfo) -> dict[str, Value]:
        """`args=(a, b)`: the display's elements by their positions."""
        params = [param.name for param in thing.function.ir.params if param.kind in ("plain", "positional")]
        if thing.bound and thing.function.self_name:
            params = params[1:]
        params = params[thing.skipped :]
        return {
            params[int(access.key)]: access.value
            for access in self.stores.facts[function.id].accesses
            if access.kind == "write" and access.path[-1] == ELEMENT and access.path[:-1] in packed
            if access.key.isdigit() and int(access.key) < len(params)
        }

    def _repeats(self, starter: Starter, call: Call, function: FunctionInfo) -> bool:
        """Whether the site is reached several times before the first ends."""
        if call.id in self._loops_of(function):
            return True
        if starter.kind == "pool":
            name = function.ir.name
            return (
                function.ir.kind == "function"
                and name not in ("__init__", "main", "start", "run", "<module>")
                and (function.cls is not None or not self._called_once(function))
            )
        return False

    def _one_each(self, receiver: Path, call: Call, function: FunctionInfo) -> bool:
        """The target's object is made, or taken from a list, anew at every turn of the loop that starts the threads."""
        if receiver[-1] == ELEMENT:
            return True
        if not receiver[0].startswith("c:"):
            return False
        loops = self._loops_of(function)
        made = loops.get(int(receiver[0][2:]), [])
        return bool(made) and made == loops.get(call.id, [])

    def _joined_in_turn(self, root: ThreadRoot) -> bool:
        """Each thread is joined in the turn that starts it."""
        for function, start in root.starts:
            loops = self._loops_of(function).get(start, [])
            joins = [join for other, join in root.joins if other is function]
            ends = [self._loops_of(function).get(join, []) for join in joins]
            if not loops or loops not in ends:
                return False
        return bool(root.starts)

    def _one_worker(self, call: Call, function: FunctionInfo) -> bool:
        """The task goes to an executor of one worker."""
        for path in call.func[:1]:
            for value, maker in self._makers(path[:-1], function):
                made = self.stores.facts[maker.id].call(int(value[0][2:])) if value[0].startswith("c:") else None
                for argument in made.args if made is not None else ():
                    if argument.name in ("max_workers", "processes", "") and argument.value == (("k:int:1",),):
                        return True
        return False

    def _makers(self, path: Path, function: FunctionInfo) -> list[tuple[Path, FunctionInfo]]:
        """The values stored at a path, and where."""
        if len(path) == 1:
            return [(path, function)]
        if len(path) == 2 and function.cls is not None and path[0] == f"p:{function.self_name}":
            entries = [e for cls in function.cls.mro for e in self.stores.attributes.get((cls.id, path[1]), [])]
            return [(value, entry.function) for entry in entries for value in entry.value if len(value) == 1]
        return []

    def _called_once(self, function: FunctionInfo) -> bool:
        sites = self.calls.incoming.get(function.id, [])
        return len(sites) <= 1

    def _life(self, root: ThreadRoot, starter: Starter, call: Call, function: FunctionInfo) -> None:
        """Where the thread is started and joined, as far as it can be followed."""
        if not starter.deferred:
            root.starts.append((function, call.id))
        if starter.kind == "pool" and not starter.deferred:
            left = self._pool_left(call, function)
            if left is not None:
                root.left = left
        made: Path = (f"c:{call.id}",)
        for holder, other in self._functions_that_hold(function, made):
            for event in self.stores.facts[other.id].calls:
                if starter.kind == "pool" and self._waits_for(event, holder, other):
                    root.joins.append((other, event.id))
                for path in event.func[:1]:
                    waits = path[-1] in ("result", "get", "wait") and starter.kind == "pool"
                    if (
                        len(path) > 1
                        and (path[-1] in ("start", "join") or waits)
                        and self._holds(path[:-1], holder, other)
                    ):
                        (root.starts if path[-1] == "start" else root.joins).append((other, event.id))

    def joins_through_helpers(self) -> None:
        """A call of a method that joins the thread joins it."""
        for root in self.roots:
            for function, _ in list(root.joins):
                if function is root.site_function:
                    continue
                for site in self.calls.incoming.get(function.id, []):
                    if not site.weak and site.caller is root.site_function:
                        root.joins.append((site.caller, site.event))

    def _pool_left(self, call: Call, function: FunctionInfo) -> int | None:
        """The last event of the `with` of the pool that `call` is submitted to: leaving it waits for all tasks."""
        pools = {path[:-1] for path in call.func}
        for node in self.stores.facts[function.id].withs:
            if any(path in pools for path in node.item.value):
                inside = [inner.id for inner in nodes_of(node.body) if isinstance(inner, (Access, Call))]
                return max(inside, default=None)
        return None

    def _waits_for(self, event: Call, holders: set[Path], function: FunctionInfo) -> bool:
        """`wait(futures)`, `as_completed(futures)`."""
        for thing in self.types.of_value(event.func, function):
            if isinstance(thing, External) and thing.dotted in (
                "concurrent.futures.wait",
                "concurrent.futures.as_completed",
            ):
                for argument in event.args[:1]:
                    return any((*path, ELEMENT) in holders or path in holders for path in argument.value)
        return False

    def _functions_that_hold(self, function: FunctionInfo, made: Path) -> list[tuple[set[Path], FunctionInfo]]:
        """Paths that hold the thread object, in its own function and, for attributes, in the methods of the class."""
        holders: set[Path] = {made}
        attributes: set[str] = set()
        for access in self.stores.facts[function.id].accesses:
            if access.kind == "write" and (made in access.value or any(v in holders for v in access.value)):
                holders.add(access.path)
                if len(access.path) >= 2 and access.path[0] == f"p:{function.self_name}":
                    attributes.add("/".join(access.path[1:]))
        for call in self.stores.facts[function.id].calls:
            for path in call.func[:1]:
                if path[-1] in ("append", "add") and any(v in holders for a in call.args for v in a.value):
                    holders.add((*path[:-1], ELEMENT))
                    if len(path) >= 2 and path[0] == f"p:{function.self_name}":
                        attributes.add("/".join((*path[1:-1], ELEMENT)))
        found = [(holders, function)]
        if function.cls is not None and attributes:
            for _, method in function.cls.own_methods():
                if method is not function and method.self_name:
                    paths: set[Path] = {(f"p:{method.self_name}", *name.split("/")) for name in attributes}
                    found.append((paths, method))
        return found

    @staticmethod
    def _holds(path: Path, holders: set[Path], function: FunctionInfo) -> bool:
        return path in holders

    def _construct(self, call: Call, function: FunctionInfo) -> None:
        """An instance of a Thread subclass: its `run` is a root."""
        for thing in self.types.of_value(call.func, function):
            if not isinstance(thing, ClassInfo):
                continue
            kind = thread_kind(thing)
            run = thing.method("run") if kind else None
            if kind and run is not None:
                self._started_classes.add(thing.id)
                starter = Starter(kind, 1, "target", 3, deferred=True)
                root = ThreadRoot(
                    kind,
                    run,
                    function,
                    call,
                    many=call.id in self._loops_of(function),
                    own_self=True,
                    receiver=(f"c:{call.id}",),
                )
                self._life(root, starter, call, function)
                self.roots.append(root)

    def subclasses(self) -> None:
        """Thread subclasses that nobody here is seen to make: a library's users do."""
        for cls in self.index.classes:
            kind = thread_kind(cls)
            run = cls.ir.methods.get("run")
            if kind and run is not None and cls.id not in self._started_classes:
                self.roots.append(ThreadRoot(kind, cls.module.functions[run], own_self=True, many=False))

    def routes(self) -> None:
        """View functions of web applications that serve on several threads."""
        for function in self.index.functions:
            if function.ir.is_async or not function.ir.decorators:
                continue
            scope = function.module.functions["<module>"]
            for decorator in function.ir.decorators:
                for path in decorator.value:
                    for thing in self.types.of(path[:-1], scope) if len(path) > 1 else ():
                        if isinstance(thing, Object) and thing.dotted in ROUTERS and path[-1] in ROUTE_DECORATORS:
                            self.roots.append(ThreadRoot("handler", function, many=True))

    def handlers(self) -> None:
        """Request handlers, where a threaded server is in the program."""
        for cls in self.index.classes:
            for base in cls.all_external_bases():
                if base in SELF_THREADED_HANDLERS:
                    for name, method in cls.own_methods():
                        if any(fnmatchcase(name, pattern) for pattern in HANDLER_BASES[base]):
                            self.roots.append(ThreadRoot("handler", method, many=True))
        if not self._threaded_server():
            return
        passed = self._handlers_passed()
        for cls in self.index.classes:
            if passed.get(cls.id, {True}) == {False}:
                continue
            patterns = {p for name in cls.all_external_bases() for p in HANDLER_BASES.get(name, ())}
            for name, method in cls.own_methods():
                if any(fnmatchcase(name, pattern) for pattern in patterns):
                    self.roots.append(ThreadRoot("handler", method, many=True, own_self=True))

    def _handlers_passed(self) -> dict[str, set[bool]]:
        """Handler classes by whether the servers that they are passed to are threaded."""
        found: dict[str, set[bool]] = {}
        for function in self.index.functions:
            for call in self.stores.facts[function.id].calls:
                threaded = None
                for thing in self.types.of_value(call.func, function):
                    if isinstance(thing, External) and "erver" in thing.dotted:
                        threaded = thing.dotted in THREADED_SERVERS
                    elif isinstance(thing, ClassInfo) and any("erver" in name for name in thing.all_external_bases()):
                        threaded = any(name in THREADED_SERVERS for name in thing.all_external_bases())
                if threaded is None:
                    continue
                for argument in call.args:
                    for handler in self.types.of_value(argument.value, function):
                        if isinstance(handler, ClassInfo):
                            found.setdefault(handler.id, set()).add(threaded)
        return found

    def _threaded_server(self) -> bool:
        for cls in self.index.classes:
            if any(name in THREADED_SERVERS for name in cls.all_external_bases()):
                return True
        for function in self.index.functions:
            for call in self.stores.facts[function.id].calls:
                for thing in self.types.of_value(call.func, function):
                    if isinstance(thing, External) and thing.dotted in THREADED_SERVERS:
                        return True
        return False


def thread_kind(cls: ClassInfo) -> RootKind | None:
    """What an instance of the class is, when started."""
    for name in (*cls.all_external_bases(), *(base.id.replace(":", ".") for base in cls.mro[1:])):
        if name in THREAD_BASES:
            return THREAD_BASES[name]
    return None
