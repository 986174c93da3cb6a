"""Thread roots that a server or framework starts: request handlers, view functions, watchers."""

from __future__ import annotations

from fnmatch import fnmatchcase

from racelint.knowledge.threads import (
    HANDLER_BASES,
    MIDDLEWARE_PARAMETER,
    ROUTE_DECORATORS,
    ROUTERS,
    SAME_OBJECT,
    SELF_THREADED_HANDLERS,
    THREADED_SERVERS,
    VIEW_BASES,
    VIEW_METHODS,
)
from racelint.program.flow.values import Stores
from racelint.program.names.index import ClassInfo, External, Index
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.things import Object
from racelint.program.objects.types import Types

_SERVER_PACKAGES = frozenset(
    name.partition(".")[0]
    for name in (*SAME_OBJECT, *THREADED_SERVERS)
    if SAME_OBJECT.get(name, name) in THREADED_SERVERS
)
"""Where threaded servers come from."""


class RequestHandlers:
    """Collects the roots in `found`."""

    def __init__(self, index: Index, stores: Stores, types: Types) -> None:
        self.index = index
        self.stores = stores
        self.types = types
        self.found: list[ThreadRoot] = []

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
                            self.found.append(ThreadRoot("handler", function, many=True))

    def handlers(self) -> None:
        """Request handlers, where a threaded server is in the program."""
        for cls in self.index.classes:
            for base in cls.all_external_bases():
                if base in SELF_THREADED_HANDLERS:
                    for name, method in cls.own.items():
                        if any(fnmatchcase(name, pattern) for pattern in HANDLER_BASES[base]):
                            self.found.append(ThreadRoot("handler", method, one_worker=True))
        if not self._threaded_server():
            return
        passed = self._handlers_passed()
        for cls in self.index.classes:
            if passed.get(cls.id, {True}) == {False}:
                continue
            patterns = {p for name in cls.all_external_bases() for p in HANDLER_BASES.get(name, ())}
            for name, method in cls.own.items():
                if any(fnmatchcase(name, pattern) for pattern in patterns):
                    self.found.append(ThreadRoot("handler", method, many=True, own_self=True))

    def views(self) -> None:
        """Class-based views and middleware of web applications that serve on several threads."""
        for cls in self.index.classes:
            is_view = not VIEW_BASES.isdisjoint(cls.all_external_bases())
            for name, method in cls.own.items() if is_view else ():
                if name in VIEW_METHODS and not method.ir.is_async:
                    self.found.append(ThreadRoot("handler", method, many=True, own_self=True))
            made, called = cls.method("__init__"), cls.ir.methods.get("__call__")
            if called is not None and made is not None and any(p.name == MIDDLEWARE_PARAMETER for p in made.ir.params):
                method = cls.module.functions[called]
                if not method.ir.is_async:
                    self.found.append(ThreadRoot("handler", method, many=True))

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
        if not any(
            entry.module.partition(".")[0] in _SERVER_PACKAGES
            for module in self.index.all_modules
            for entry in module.summary.imports
        ):
            return False
        for function in self.index.functions:
            for call in self.stores.facts[function.id].calls:
                for thing in self.types.of_value(call.func, function):
                    if isinstance(thing, External) and thing.dotted in THREADED_SERVERS:
                        return True
        return False
