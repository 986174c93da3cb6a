"""The call graph: which functions a call may run, with what bound to their parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain

import msgspec

from racelint.model.summary import Access, Argument, Call, Path, Value, With
from racelint.program.flow.values import Stores
from racelint.program.names.index import ClassInfo, FunctionInfo, Index
from racelint.program.objects.exact_types import ExactTypes
from racelint.program.objects.families import descendants
from racelint.program.objects.kept_methods import KeptMethods
from racelint.program.objects.things import Bound, Instance
from racelint.program.objects.types import Types

_TOO_COMMON = frozenset(
    {"get", "set", "put", "pop", "add", "append", "update", "remove", "clear", "close", "open", "read", "write", "run"}
    | {"start", "stop", "join", "send", "recv", "wait", "copy", "items", "keys", "values", "format", "encode", "decode"}
    | {"acquire", "release", "submit", "result", "cancel", "connect", "flush", "reset", "next", "save", "load", "name"}
)
_MAX_OVERRIDES = 8
_MAX_BY_NAME = 2
_MAX_ROUNDS = 2


class CallSite(msgspec.Struct, frozen=True):
    """A call of `callee`; `receiver` is the path that becomes `self` (None where it is not known).

    `weak`: resolved by the method's name alone. `on` is the class of the receiver, None where that is the caller's own
    object, whose class only the context knows, or where it is not known.
    """

    caller: FunctionInfo
    event: int
    callee: FunctionInfo
    receiver: Path | None
    bindings: dict[str, Value]
    weak: bool
    awaited: bool = False
    on: ClassInfo | None = None


class CallGraph:
    """All resolved call sites, by caller and by callee."""

    def __init__(self, index: Index, stores: Stores, types: Types) -> None:
        self.index = index
        self.stores = stores
        self.types = types
        self.outgoing: dict[str, list[CallSite]] = {}
        self.incoming: dict[str, list[CallSite]] = {}
        self._kept = KeptMethods(stores, types)
        self.exact = ExactTypes(index, stores)
        self._rare = {
            name: methods
            for name, methods in index.methods_by_name.items()
            if len(methods) <= _MAX_BY_NAME and len(name) > 3 and name not in _TOO_COMMON and not name.startswith("__")
        }
        """Methods that a call names by their name alone."""
        self._settled: set[str] = set()
        """Functions by id whose call sites no argument changes."""
        self._resolved_last: Sequence[FunctionInfo] = ()
        self._recorded: set[tuple[str, int, str]] = set()
        """Call sites whose arguments are recorded."""
        self.resolve_all()

    def resolve_all(self) -> None:
        """In rounds: what one finds to be passed tells the types of parameters, callables among them, to the next."""
        self._resolve(self.types.forget_outdated())
        for _ in range(_MAX_ROUNDS):
            if not self._record_fresh():
                break
        self._by_event: dict[str, dict[int, list[CallSite]]] = {}
        self.incoming = {}
        for function in self.index.functions:
            for site in self.outgoing[function.id]:
                self.incoming.setdefault(site.callee.id, []).append(site)

    def _record_fresh(self) -> bool:
        """Record what new call sites pass, and resolve anew what hangs on that; whether there are any."""
        known = self._recorded
        fresh = [site for f in self._resolved_last for site in self.outgoing[f.id] if _key(site) not in known]
        by_callee: dict[str, list[CallSite]] = {}
        for site in fresh:
            known.add(_key(site))
            by_callee.setdefault(site.callee.id, []).append(site)
        handed = False
        for site in chain.from_iterable(by_callee.values()):
            self._record_arguments(site)
            handed |= self._kept.record(site.caller, site.callee, site.receiver, site.bindings)
        if fresh:
            outdated = self.types.forget_outdated()
            self._resolve(set(self.index.functions) if handed else outdated)
        return bool(fresh)

    def at(self, function: FunctionInfo, event: int) -> list[CallSite]:
        """What one event of a function calls."""
        by_event = self._by_event.get(function.id)
        if by_event is None:
            by_event = self._by_event[function.id] = {}
            for site in self.outgoing[function.id]:
                by_event.setdefault(site.event, []).append(site)
        return by_event.get(event, [])

    def is_on_own(self, site: CallSite) -> bool:
        """Whether it is a call on the caller's own object: `self.step()`, or of what that hands to its own method."""
        if site.receiver is not None:
            return is_own(site.receiver, site.caller)
        call = self.stores.facts[site.caller.id].call(site.event)
        return call is not None and any(
            len(path) == 1 and path[0].startswith("p:") and self._kept.is_handed(site.callee, site.caller, path[0][2:])
            for path in call.func
        )

    def _resolve(self, outdated: Collection[FunctionInfo]) -> None:
        """Resolve the calls of functions that are outdated, and of those that are new."""
        settled, outgoing = self._settled, self.outgoing
        self._resolved_last = [
            function
            for function in self.index.functions
            if function.id not in outgoing or (function in outdated and function.id not in settled)
        ]
        for function in self._resolved_last:
            outgoing[function.id] = self._resolved(function)

    def _record_arguments(self, site: CallSite) -> None:
        for name, value in site.bindings.items():
            if site.weak and not self._is_callback(value, site.caller):
                continue
            if value and len(self.types.arguments.get((site.callee.id, name), ())) < 12:
                self.types.learn(site.callee, name, value, site.caller)

    def _is_callback(self, value: Value, function: FunctionInfo) -> bool:
        """A function that is handed over: what it is tells where it may run, even if the receiver is a guess."""
        things = self.types.of_value(value, function)
        return bool(things) and all(isinstance(thing, Bound) for thing in things)

    def _resolved(self, function: FunctionInfo) -> list[CallSite]:
        self.types.open = False
        self.types.asker = function
        sites = self._sites_of(function)
        self.types.asker = None
        if not self.types.open:
            self._settled.add(function.id)
        return sites

    def _sites_of(self, function: FunctionInfo) -> list[CallSite]:
        facts, properties = self.stores.facts[function.id], self.index.properties
        found: list[CallSite] = []
        for call in facts.calls:
            found.extend(self.resolve(call, function))
        for access in facts.accesses:
            if access.path[-1] in properties and len(access.path) > 1 and not access.called:
                found.extend(self._property(access, function))
        for node in facts.withs:
            found.extend(self._managed(node, function))
        return found

    def _managed(self, node: With, function: FunctionInfo) -> Iterator[CallSite]:
        """`with self:` calls `__enter__` and `__exit__`."""
        names = ("__aenter__", "__aexit__") if node.is_async else ("__enter__", "__exit__")
        for path in node.item.value[:1]:
            for thing in self.types.of(path, function):
                if not isinstance(thing, Instance):
                    continue
                for method in map(thing.cls.method, names):
                    if method is not None:
                        on = None if is_own(path, function) else thing.cls
                        yield CallSite(function, node.id, method, path, {}, False, node.is_async, on)

    def _property(self, access: Access, function: FunctionInfo) -> list[CallSite]:
        suffix = ".setter" if access.kind == "write" else ".deleter" if access.kind == "delete" else ""
        found = []
        for thing in self.types.of(access.path[:-1], function):
            if type(thing) is Instance:
                method = thing.cls.method(access.path[-1] + suffix)
                if method is not None and method.is_property:
                    receiver = access.path[:-1]
                    on = None if is_own(receiver, function) else thing.cls
                    found.append(CallSite(function, access.id, method, receiver, {}, False, on=on))
        return found

    def resolve(self, call: Call, function: FunctionInfo) -> list[CallSite]:
        """The call sites of one call event: constructors, overriding methods and `__call__` included."""
        found: list[CallSite] = []
        for path in call.func:
            for thing in self.types.of(path, function):
                if type(thing) is Bound:
                    found.extend(self._of_bound(thing, path, call, function))
                elif type(thing) is ClassInfo:
                    found.extend(self._construction(thing, call, function))
                elif type(thing) is Instance:
                    method = thing.cls.method("__call__")
                    if method is not None:
                        found.append(self._site(function, call, method, path, True, 0, on=thing.cls))
        if not found:
            found = self._by_name(call, function)
        return found

    def _of_bound(self, thing: Bound, path: Path, call: Call, function: FunctionInfo) -> list[CallSite]:
        method = thing.function
        receiver = path[:-1] if thing.bound and len(path) > 1 and path[-1] == method.ir.name else None
        if receiver is None and thing.bound:
            receiver = self._kept.owner(path, function, method)
        through_super = self.is_super(path, function)
        if through_super and function.own:
            receiver = function.own
        own = receiver is not None and is_own(receiver, function)
        on = None if own or receiver is None else self._class_of(receiver, function, method)
        found = [self._site(function, call, method, receiver, thing.bound, thing.skipped, on=on)]
        exact = receiver is not None and not own and self.exact.is_exact(receiver, function)
        if thing.bound and method.cls is not None and not through_super and not exact:
            for cls in descendants(method.cls)[:_MAX_OVERRIDES]:
                qualname = cls.ir.methods.get(method.ir.name)
                if qualname is not None:
                    override = cls.module.functions[qualname]
                    on = None if own else cls
                    found.append(self._site(function, call, override, receiver, thing.bound, thing.skipped, on=on))
        return found

    def _class_of(self, receiver: Path, function: FunctionInfo, method: FunctionInfo) -> ClassInfo | None:
        """The one class of objects at `receiver` whose method it is; None where it is that of several."""
        classes = {
            thing.cls
            for thing in self.types.of(receiver, function)
            if type(thing) is Instance and thing.cls.method(method.ir.name) is method
        }
        return classes.pop() if len(classes) == 1 else None

    def is_super(self, path: Path, function: FunctionInfo) -> bool:
        """Whether the path starts at `super()`."""
        if not path[0].startswith("c:"):
            return False
        call = self.stores.facts[function.id].call(int(path[0][2:]))
        return call is not None and any(p[-1] == "g:super" for p in call.func)

    def _construction(self, cls: ClassInfo, call: Call, function: FunctionInfo) -> list[CallSite]:
        found = []
        maker = self._maker_of(cls)
        if maker is not None:
            found.append(self._site(function, call, maker, call.func[0], True, 0))
        for name in ("__new__", "__init__", "__post_init__"):
            method = cls.method(name)
            if method is not None:
                found.append(self._site(function, call, method, (f"c:{call.id}",), True, 0, on=cls))
        return found

    def _maker_of(self, cls: ClassInfo) -> FunctionInfo | None:
        """The `__call__` of its metaclass, which decides what `cls(…)` does."""
        for base in cls.mro:
            for path in base.ir.metaclass:
                entity = self.index.entity_of(base.module, path)
                if isinstance(entity, ClassInfo):
                    return entity.method("__call__")
        return None

    def _by_name(self, call: Call, function: FunctionInfo) -> list[CallSite]:
        """A method that few classes have, called on something of unknown type."""
        path = call.func[0] if call.func else ()
        methods = self._rare.get(path[-1]) if len(path) > 1 else None
        if methods is None or self.types.of(path[:-1], function):
            return []
        return [self._site(function, call, method, path[:-1], True, 0, weak=True) for method in methods]

    @staticmethod
    def _site(
        caller: FunctionInfo,
        call: Call,
        callee: FunctionInfo,
        receiver: Path | None,
        bound: bool,
        skipped: int,
        *,
        weak: bool = False,
        on: ClassInfo | None = None,
    ) -> CallSite:
        bindings = bind(callee, call.args, bound=bound, skipped=skipped)
        return CallSite(caller, call.id, callee, receiver if bound else None, bindings, weak, call.awaited, on)


def _key(site: CallSite) -> tuple[str, int, str]:
    return (site.caller.id, site.event, site.callee.id)


def is_own(receiver: Path, function: FunctionInfo) -> bool:
    """Whether a path is the function's own `self`."""
    return receiver == function.own != ()


def bind(callee: FunctionInfo, args: tuple[Argument, ...], *, bound: bool, skipped: int = 0) -> dict[str, Value]:
    """Arguments by the parameter that takes them; a `*` or `**` argument ends what can be said."""
    found: dict[str, Value] = {}
    if not args:
        return found
    skipped += bound and bool(callee.self_name)
    params = callee.positional[skipped:]
    position = 0
    for argument in args:
        name = argument.name
        if not name:
            if position < len(params):
                found[params[position]] = argument.value
                position += 1
        elif name.startswith("*"):
            break
        elif any(param.name == name for param in callee.ir.params):
            found[name] = argument.value
    return found
