"""The call graph: which functions a call may run, with what bound to their parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterator

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
        self._settled: set[str] = set()
        """Functions by id whose call sites no argument changes."""
        self._resolved_last: set[FunctionInfo] = set()
        self._recorded: set[tuple[str, int, str]] = set()
        """Call sites whose arguments are recorded."""
        self.resolve_all()

    def resolve_all(self) -> None:
        """In rounds: what one finds to be passed tells the types of parameters, callables among them, to the next."""
        self._build(self.types.forget_outdated())
        for _ in range(_MAX_ROUNDS):
            if not self._record_fresh():
                break

    def _record_fresh(self) -> bool:
        """Record what new call sites pass, and resolve anew what hangs on that; whether there are any."""
        resolved, known = self._resolved_last, self._recorded
        sites = (site for sites in self.incoming.values() for site in sites if site.caller in resolved)
        fresh = [site for site in sites if _key(site) not in known]
        handed = False
        for site in fresh:
            known.add(_key(site))
            self._record_arguments(site)
            handed |= self._kept.record(site.caller, site.callee, site.receiver, site.bindings)
        if fresh:
            outdated = self.types.forget_outdated()
            self._build(set(self.index.functions) if handed else outdated)
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

    def _build(self, outdated: Collection[FunctionInfo]) -> None:
        """Resolve the calls of functions that are outdated, and of those that are new."""
        self._by_event: dict[str, dict[int, list[CallSite]]] = {}
        self.incoming = {}
        self._resolved_last = set()
        for function in self.index.functions:
            sites = self.outgoing.get(function.id)
            if sites is None or (function.id not in self._settled and function in outdated):
                sites = self.outgoing[function.id] = self._resolved(function)
                self._resolved_last.add(function)
            for site in sites:
                self.incoming.setdefault(site.callee.id, []).append(site)

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
        self.types.askers.current = function
        sites = self._sites_of(function)
        self.types.askers.current = None
        if not self.types.open:
            self._settled.add(function.id)
        return sites

    def _sites_of(self, function: FunctionInfo) -> list[CallSite]:
        facts = self.stores.facts[function.id]
        found: list[CallSite] = []
        for call in facts.calls:
            found.extend(self.resolve(call, function))
        for access in facts.accesses:
            if access.path[-1] in self.index.properties and len(access.path) > 1 and not access.called:
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
        if through_super and function.self_name:
            receiver = (f"p:{function.self_name}",)
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
        for path in call.func[:1]:
            name = path[-1]
            methods = self.index.methods_by_name.get(name, ())
            if len(path) < 2 or not 0 < len(methods) <= _MAX_BY_NAME:
                continue
            if name in _TOO_COMMON or name.startswith("__") or len(name) < 4:
                continue
            if not self.types.of(path[:-1], function):
                return [self._site(function, call, method, path[:-1], True, 0, weak=True) for method in methods]
        return []

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
    return bool(function.self_name) and receiver == (f"p:{function.self_name}",)


def bind(callee: FunctionInfo, args: tuple[Argument, ...], *, bound: bool, skipped: int = 0) -> dict[str, Value]:
    """Arguments by the parameter that takes them; a `*` or `**` argument ends what can be said."""
    found: dict[str, Value] = {}
    if not args:
        return found
    params = callee.positional[1:] if bound and callee.self_name else callee.positional
    params = params[skipped:]
    position = 0
    for argument in args:
        if argument.name.startswith("*"):
            break
        if argument.name:
            if any(param.name == argument.name for param in callee.ir.params):
                found[argument.name] = argument.value
        elif position < len(params):
            found[params[position]] = argument.value
            position += 1
    return found
