"""Thread roots: what starts them, what they run, where they are started and joined."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from racelint.knowledge.threads import (
    METHOD_STARTERS,
    NAMED_STARTERS,
    STARTERS,
    THREAD_BASES,
    Starter,
)
from racelint.model.summary import ELEMENT, Call, Path, Value
from racelint.program.calling.calls import CallGraph, bind
from racelint.program.flow.values import Stores, element_key
from racelint.program.names.index import ClassInfo, External, FunctionInfo, Index
from racelint.program.names.thread_root import ThreadRoot, is_foreign_thread, loops_around, thread_kind
from racelint.program.objects.callees import Callees
from racelint.program.objects.decorators import wrappers
from racelint.program.objects.families import descendants
from racelint.program.objects.partials import partial_at
from racelint.program.objects.things import Bound, Instance, Member, Thing
from racelint.program.objects.types import Types
from racelint.program.threads.lifetimes import Lifetimes
from racelint.program.threads.request_handlers import RequestHandlers
from racelint.program.threads.users import is_public


def find_roots(index: Index, stores: Stores, types: Types, calls: CallGraph) -> list[ThreadRoot]:
    """All thread roots of the program, in source order."""
    finder = _Finder(index, stores, types, calls)
    for function in index.functions:
        finder.visit(function)
    finder.subclasses()
    handlers = RequestHandlers(index, stores, types)
    handlers.handlers()
    handlers.routes()
    handlers.views()
    finder.roots.extend(handlers.found)
    finder.lifetimes.join_through_helpers(finder.roots)
    return sorted(finder.roots, key=lambda root: (root.target.order, root.kind, root.id))


class Initializer(msgspec.Struct, frozen=True):
    """What a pool's workers run first, and with what: `bindings` are values in `maker`."""

    target: FunctionInfo
    maker: FunctionInfo
    bindings: dict[str, Value]


class Spawn(msgspec.Struct, frozen=True):
    """A call that starts something, whatever that is: the values it may run, and where it is started."""

    starter: Starter
    target: Value
    starts: list[tuple[FunctionInfo, int]]
    joins: list[tuple[FunctionInfo, int]]


_OF_LOOPS = frozenset({"asyncio.Future", "asyncio.Task"})
_METHODS = frozenset(name for _, name in METHOD_STARTERS)


def spawn_at(
    call: Call, function: FunctionInfo, index: Index, stores: Stores, types: Types, calls: CallGraph
) -> Spawn | None:
    """What a call starts, also where that is no function of the program."""
    return _Finder(index, stores, types, calls).spawn(call, function)


def _may_be_of_loop(things: tuple[Thing, ...]) -> bool:
    """What is done with futures of threads and of event loops alike: callbacks of the latter run on their loop."""
    return any(isinstance(thing, Member) and thing.dotted in _OF_LOOPS for thing in things)


class StartCall(msgspec.Struct, frozen=True):
    """A call that is given something to run, whether or not that is a function of the program."""

    function: FunctionInfo
    call: Call
    starter: Starter
    target: Value


def start_calls(index: Index, stores: Stores, types: Types, calls: CallGraph, callees: Callees) -> Iterator[StartCall]:
    """All of them, in source order."""
    finder = _Finder(index, stores, types, calls)
    candidates = callees.calls(
        words=_METHODS | {"__init__", *NAMED_STARTERS},
        names=[dotted for dotted in callees.names if dotted in STARTERS or is_foreign_thread(dotted)],
        members=[member for member in callees.members if member in METHOD_STARTERS or member[1] == "submit"],
    )
    for function, call in candidates:
        starter = None if function.starts_nothing else finder._starter(call, function)
        if starter is not None:
            yield StartCall(function, call, starter, finder._target(starter, call))


def find_initializers(index: Index, stores: Stores, types: Types, calls: CallGraph) -> list[Initializer]:
    """The `initializer=` of pools and executors, in source order."""
    finder = _Finder(index, stores, types, calls)
    return [found for function in index.functions for found in finder.initializers(function)]


class _Finder:
    def __init__(self, index: Index, stores: Stores, types: Types, calls: CallGraph) -> None:
        self.index = index
        self.stores = stores
        self.types = types
        self.calls = calls
        self.lifetimes = Lifetimes(stores, types, calls)
        self.roots: list[ThreadRoot] = []
        self._started_classes: set[str] = set()

    def _from_parameter(self, value: Value, function: FunctionInfo) -> bool:
        """The target is handed in: the function is a helper that starts threads for others."""
        return any(path[0].startswith("p:") and path[0][2:] != function.self_name for path in value)

    def _made_often(self, function: FunctionInfo) -> bool:
        """A constructor that starts a thread, of a class with several instances."""
        return function.ir.name == "__init__" and self._called_often(function)

    def _called_often(self, function: FunctionInfo) -> bool:
        sites = self.calls.incoming.get(function.id, [])
        return len(sites) > 1 or any(site.event in loops_around(site.caller) for site in sites)

    def visit(self, function: FunctionInfo) -> None:
        if function.starts_nothing:
            return
        self.types.open = False
        nothing = True
        for call in self.stores.facts[function.id].calls:
            starter = self._starter(call, function)
            if starter is not None:
                nothing = False
                self._spawn(starter, call, function)
            elif self._construct(call, function):
                nothing = False
        function.starts_nothing = nothing and not self.types.open

    def spawn(self, call: Call, function: FunctionInfo) -> Spawn | None:
        starter = self._starter(call, function)
        if starter is None:
            return None
        root = ThreadRoot(starter.kind, function, function, call)
        self.lifetimes.follow(root, starter, call, function)
        return Spawn(starter, self._target(starter, call), root.starts, root.joins)

    def initializers(self, function: FunctionInfo) -> Iterator[Initializer]:
        for call in self.stores.facts[function.id].calls:
            for argument in call.args:
                if argument.name == "initializer":
                    given = next((other.value for other in call.args if other.name == "initargs"), ())
                    for thing, _ in self._callables(argument.value, function):
                        yield Initializer(thing.function, function, self._unpacked(given, thing, function))

    def _starter(self, call: Call, function: FunctionInfo) -> Starter | None:
        unknown = True
        for path in call.func:
            if path[-1] == "__init__" and self._initializes_thread(path, function):
                return STARTERS["threading.Thread"]
            things = self.types.of(path, function)
            for thing in things:
                unknown = False
                if type(thing) is External:
                    if thing.dotted in STARTERS:
                        return STARTERS[thing.dotted]
                    if is_foreign_thread(thing.dotted) and any(argument.name == "target" for argument in call.args):
                        return STARTERS["threading.Thread"]
                elif type(thing) is Member:
                    if (thing.dotted, thing.name) in METHOD_STARTERS and not _may_be_of_loop(things):
                        return METHOD_STARTERS[thing.dotted, thing.name]
                    if thing.name == "submit" and "xecutor" in thing.dotted:
                        return NAMED_STARTERS["submit"]
        if unknown and call.func and len(call.func[0]) > 1:
            name = call.func[0][-1]
            if (inherited := self._inherited(call.func[0], function)) is not None:
                return inherited
            if name == "run_in_executor" or (name == "submit" and self._named_pool(call.func[0])):
                return NAMED_STARTERS[name]
        return None

    def _inherited(self, path: Path, function: FunctionInfo) -> Starter | None:
        """A method that a class of the program has from a pool or future that it derives from."""
        if path[-1] not in _METHODS:
            return None
        for thing in self.types.of(path[:-1], function):
            for base in thing.cls.all_external_bases() if isinstance(thing, Instance) else ():
                if (base, path[-1]) in METHOD_STARTERS:
                    return METHOD_STARTERS[base, path[-1]]
        return None

    @staticmethod
    def _named_pool(path: Path) -> bool:
        words = path[-2].lower()
        return "executor" in words or "pool" in words

    def _initializes_thread(self, path: Path, function: FunctionInfo) -> bool:
        """`super().__init__(target=…)` in a subclass of Thread."""
        if function.cls is None or thread_kind(function.cls) is None:
            return False
        call = self.stores.facts[function.id].made_by(path)
        return call is not None and any(value == ("g:super",) for value in call.func)

    def _spawn(self, starter: Starter, call: Call, function: FunctionInfo) -> None:
        value = self._target(starter, call)
        if function.cls is not None and function.cls.id.replace(":", ".") in THREAD_BASES:
            return  # the thread class itself: its users' targets are the roots
        for thing, path in self._callables(value, function):
            before = self._given_before(value, thing, function)
            bindings = {**before, **self._bindings(starter, call, thing, function)}
            again = call.id in loops_around(function) and (starter.many or not call.awaited)
            repeated = again and not self._has_one_turn(path, thing, call, function)
            receiver = path[:-1] if thing.bound and len(path) > 1 and path[-1] == thing.function.ir.name else None
            root = ThreadRoot(
                starter.kind,
                thing.function,
                function,
                call,
                many=starter.many
                or repeated
                or self._repeats(starter, call, function)
                or (self._from_parameter(value, function) and self._called_often(function))
                or self._made_often(function),
                own_self=receiver is not None and self._one_each(receiver, call, function),
                receiver=receiver,
                bindings=bindings,
                in_loop=starter.many or repeated,
            )
            self.lifetimes.follow(root, starter, call, function)
            root.one_worker = self.lifetimes.one_worker(call, function)
            if root.many and (self.lifetimes.joined_in_turn(root) or root.one_worker):
                root.many = False
            self.roots.append(root)

    def _callables(self, value: Value, function: FunctionInfo) -> list[tuple[Bound, Path]]:
        found: list[tuple[Bound, Path]] = []
        for path in value:
            for thing in self.types.of(path, function):
                if isinstance(thing, Bound):
                    found.append((thing, path))
                    others = [*_overriding(thing, path, function), *wrappers(thing.function, self.types)]
                    found += [(replace(thing, function=other), path) for other in others]
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

    def _given_before(self, value: Value, thing: Bound, function: FunctionInfo) -> dict[str, Value]:
        """What `functools.partial` gives to the target."""
        partials = [partial_at(path, function, self.stores, self.types) for path in value]
        given = [call.args[1:] for call in partials if call is not None]
        return bind(thing.function, given[0], bound=thing.bound) if len(given) == len(value) == 1 else {}

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

    def _has_one_turn(self, target: Path, thing: Bound, call: Call, function: FunctionInfo) -> bool:
        """`for f in (step, poll): Thread(target=f)`: one turn of the loop starts it, another one something else."""
        loops = loops_around(function)[call.id]
        display = target[:1]
        if len(loops) > 1 or not display[0].startswith("v:") or (*display, ELEMENT) not in loops[0].iterates:
            return False
        shown = [(display, function)]
        for _ in target[1:]:
            keys = [element_key(self.index, owner, path) for path, owner in shown]
            entries = [entry for key in keys if key is not None for entry in self.stores.elements.get(key, [])]
            shown = [(path, entry.function) for entry in entries for path in entry.value]
        return sum(thing in self.types.of(path, owner) for path, owner in shown) == 1

    def _repeats(self, starter: Starter, call: Call, function: FunctionInfo) -> bool:
        """Whether the function that submits a task is called again before that ends.

        Where its users call it and nobody else, that shows in the pool: a module's own is there for many calls.
        """
        if starter.kind != "pool" or function.ir.kind != "function":
            return False
        if function.ir.name in ("__init__", "main", "start", "run", "<module>"):
            return False
        if function.cls is not None or not self._called_once(function):
            return True
        kept = any(path[0].startswith("g:") and len(path) == 2 for path in call.func)
        return kept and is_public(function) and not self.calls.incoming.get(function.id)

    def _one_each(self, receiver: Path, call: Call, function: FunctionInfo) -> bool:
        """The target's object is made, or taken from a list, anew at every turn of the loop that starts the threads."""
        if receiver[-1] == ELEMENT:
            return True
        if not receiver[0].startswith("c:"):
            return False
        loops = loops_around(function)
        made = loops.get(int(receiver[0][2:]), [])
        return bool(made) and made == loops.get(call.id, [])

    def _called_once(self, function: FunctionInfo) -> bool:
        sites = self.calls.incoming.get(function.id, [])
        return len(sites) <= 1

    def _construct(self, call: Call, function: FunctionInfo) -> bool:
        """An instance of a Thread subclass: its `run` is a root. Whether that is what the call makes."""
        found = False
        for thing in self.types.of_value(call.func, function):
            if type(thing) is not ClassInfo:
                continue
            kind = thread_kind(thing)
            run = thing.method("run") if kind else None
            if kind and run is not None:
                found = True
                self._started_classes.add(thing.id)
                starter = Starter(kind, 1, "target", 3, deferred=True)
                root = ThreadRoot(
                    kind,
                    run,
                    function,
                    call,
                    many=call.id in loops_around(function),
                    own_self=True,
                    receiver=(f"c:{call.id}",),
                    in_loop=call.id in loops_around(function),
                    cls=thing,
                    exact=self.calls.exact.is_exact((f"c:{call.id}",), function),
                )
                self.lifetimes.follow(root, starter, call, function)
                self.roots.append(root)
        return found

    def subclasses(self) -> None:
        """Thread subclasses that nobody here is seen to make: a library's users do."""
        for cls in self.index.classes:
            kind = thread_kind(cls)
            run = cls.ir.methods.get("run")
            if kind and run is not None and cls.id not in self._started_classes:
                self.roots.append(ThreadRoot(kind, cls.module.functions[run], own_self=True, many=False, cls=cls))


def _overriding(thing: Bound, path: Path, function: FunctionInfo) -> list[FunctionInfo]:
    """What `self.step` is where the object is of a derived class."""
    own = len(path) == 2 and path[0] == f"p:{function.self_name}"
    if not own or thing.function.cls is None or function.cls is None:
        return []
    methods = (cls.method(thing.function.ir.name) for cls in descendants(function.cls))
    return list(dict.fromkeys(method for method in methods if method is not None and method is not thing.function))
