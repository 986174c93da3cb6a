"""Contracts: what the user declares of a class, a function or a module, in the configuration or with a directive."""

from __future__ import annotations

from racelint.config.settings import Settings
from racelint.model.summary import DISCLAIMED
from racelint.program.names.declared import means
from racelint.program.names.index import ClassInfo, FunctionInfo, Index, directives_at
from racelint.program.objects.families import descendants
from racelint.program.objects.locations import Location
from racelint.program.sharing.shared import SharedAccess


class Contracts:
    """Answers what was promised (`thread-safe`: any threads at once) or ruled out (`thread-confined`)."""

    def __init__(self, index: Index, settings: Settings) -> None:
        self._names = settings.contracts.thread_safe
        self._confined = settings.contracts.thread_confined
        self._classes = index.classes_by_id
        self._functions = {function.id: function for function in index.functions}

    def covers_class(self, cls: ClassInfo) -> bool:
        """Whether the class itself, or the module it stands in, is declared thread-safe."""
        named = bool(self._names) and (self._named(cls.id.replace(":", ".")) or self._named(cls.module.name))
        return named or directive_on(cls, "thread-safe")

    def covers_function(self, function: FunctionInfo) -> bool:
        """Whether any threads may call the function at once: it, what it stands in or its module is declared so."""
        module = function.module
        if not self._names and not any(directive.verb == "thread-safe" for directive in module.summary.directives):
            return False
        if self._named(module.name):
            return True
        parts = function.qualname.split(".")
        outer = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
        return any(self._named(f"{module.name}.{name}") for name in outer) or any(
            directive_on(module.functions[name], "thread-safe") for name in outer if name in module.functions
        )

    def promise(self, function: FunctionInfo) -> bool:
        """Whether the function is declared thread-safe, or its class or a relative of that."""
        cls = function.cls
        return self.covers_function(function) or (
            cls is not None and any(self.covers_class(c) for c in (*cls.mro, *descendants(cls)))
        )

    def covers(self, location: Location) -> bool:
        """Whether the variable belongs to something that is declared thread-safe."""
        if location.kind == "attribute":
            cls = self._classes.get(location.owner)
            return cls is not None and any(self.covers_class(c) for c in (*cls.mro, *descendants(cls)))
        if location.kind == "captured":
            function = self._functions.get(location.owner)
            return function is not None and self.covers_function(function)
        return self._named(location.owner)

    def confined(self, location: Location, accesses: list[SharedAccess]) -> bool:
        """Declared `thread-confined`, on a line that writes it or on its class; or part of a lock's own workings."""
        cls = self._classes.get(location.owner) if location.kind == "attribute" else None
        if cls is not None and (self._confines(cls) or _is_lock_itself(cls)):
            return True
        return any(
            directive.verb == "thread-confined"
            for access in accesses
            if access.changes and access.function.module.summary.directives
            for directive in directives_at(access.function.module, access.span[0])
        )

    def _confines(self, cls: ClassInfo) -> bool:
        return means(self._confined, cls.id.replace(":", ".")) or directive_on(cls, "thread-confined")

    def _named(self, dotted: str) -> bool:
        return means(self._names, dotted)


def directive_on(definition: ClassInfo | FunctionInfo, verb: str) -> bool:
    """Whether a directive stands on the line of a class or function, or alone above it."""
    first = definition.ir.span[0]
    return any(
        directive.verb == verb
        and (directive.line == definition.ir.name_span[0] or (directive.own_line and directive.line == first - 1))
        for directive in definition.module.summary.directives
    )


def is_disclaimed(function: FunctionInfo) -> bool:
    """Whether its documentation, or that of its class, says that it is not thread-safe."""
    return directive_on(function, DISCLAIMED) or (function.cls is not None and directive_on(function.cls, DISCLAIMED))


def _is_lock_itself(cls: ClassInfo) -> bool:
    """What a lock's own methods do, they do with it held, by contract."""
    return cls.method("acquire") is not None and cls.method("release") is not None
