"""Locks that are made where they are used: nobody else can hold them, so they keep nobody out."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.locks import ACQUIRES, LOCK_FACTORIES
from racelint.model.summary import Call, Path, Span
from racelint.program.flow.values import FunctionFacts
from racelint.program.linked.tenures import is_private
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, in_one_turn
from racelint.program.objects.things import Bound, Instance

_IN_MEMORY = ("threading.", "_thread.", "multiprocessing.", "asyncio.", "anyio.", "trio.", "gevent.", "eventlet.")
"""Locks that are one object; those on files are told apart by their path."""


def lock_made_by(program: Program, call: Call, function: FunctionInfo) -> str:
    """What kind of lock a call makes, as people call it; empty where it makes none."""
    for thing in program.types.of_value(call.func, function):
        if type(thing) is External and thing.dotted in LOCK_FACTORIES and thing.dotted.startswith(_IN_MEMORY):
            return thing.dotted.rpartition(".")[2]
    return ""


class Fresh(msgspec.Struct, frozen=True):
    """A lock of kind `name` is taken at `span`, which was made at `made` and is known to nobody else."""

    function: FunctionInfo
    span: Span
    name: str
    made: Span


class PerCallLocks:
    """All of the program."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[Fresh]:
        """In source order; one for each place where a lock is made."""
        acquiring = self.program.callees.by_function(words=ACQUIRES)
        for function in self.program.index.functions:
            if not self.program.stores.facts[function.id].withs and function not in acquiring:
                continue
            seen = set()
            for path, span in self._taken(function):
                found = self._fresh(path, span, function)
                if found is not None and found.made not in seen:
                    seen.add(found.made)
                    yield found
        for root in self.program.roots:
            yield from self._one_for_each(root)

    def _one_for_each(self, root: ThreadRoot) -> Iterator[Fresh]:
        """A lock that is made for each of several threads, which gets it as an argument and takes it."""
        starter, site = root.site_function, root.site
        if starter is None or site is None or not root.in_loop:
            return
        facts = self.program.stores.facts[starter.id]
        for name, value in root.bindings.items():
            call = facts.made_by(value[0]) if len(value) == 1 and len(value[0]) == 1 else None
            kind = lock_made_by(self.program, call, starter) if call is not None else ""
            if call is None or not kind or not in_one_turn(starter, call.id, site.id):
                continue
            taken = [span for path, span in self._taken(root.target) if path == (f"p:{name}",)]
            if taken and _is_mentioned_once(value[0], facts):
                yield Fresh(root.target, taken[0], kind, call.span)

    def _taken(self, function: FunctionInfo) -> Iterator[tuple[Path, Span]]:
        facts = self.program.stores.facts[function.id]
        for node in facts.withs:
            if len(node.item.value) == 1:
                yield node.item.value[0], node.item.span
        for call in facts.calls:
            if call.func and len(call.func[0]) > 1 and call.func[0][-1] in ACQUIRES:
                yield call.func[0][:-1], call.span

    def _fresh(self, path: Path, span: Span, function: FunctionInfo) -> Fresh | None:
        facts = self.program.stores.facts[function.id]
        call = facts.call(int(path[0][2:])) if path[0].startswith("c:") and len(path) == 1 else None
        if call is not None and lock_made_by(self.program, call, function):
            if is_private(path, facts) and not self._is_waited_on(path, function):
                return Fresh(function, span, lock_made_by(self.program, call, function), call.span)
            return None
        if call is not None:
            return self._default(call, span, function) or self._by_method(call, span, function)
        return self._by_property(path, span, function)

    def _default(self, call: Call, span: Span, function: FunctionInfo) -> Fresh | None:
        """`with locks.get(key, Lock()):`, `with getattr(self, "lock", Lock()):`."""
        name = call.func[0][-1] if call.func else ""
        position = {"get": 1, "g:getattr": 2}.get(name)
        if position is None or len(call.args) <= position:
            return None
        for path in call.args[position].value:
            made = self.program.stores.facts[function.id].made_by(path)
            if made is not None and lock_made_by(self.program, made, function):
                return Fresh(function, span, lock_made_by(self.program, made, function), made.span)
        return None

    def _by_method(self, call: Call, span: Span, function: FunctionInfo) -> Fresh | None:
        for thing in self.program.types.of_value(call.func, function):
            if isinstance(thing, Bound):
                return self._returned(thing.function, span, function)
        return None

    def _by_property(self, path: Path, span: Span, function: FunctionInfo) -> Fresh | None:
        for thing in self.program.types.of(path[:-1], function) if len(path) > 1 else ():
            method = thing.cls.method(path[-1]) if isinstance(thing, Instance) else None
            if method is not None and method.is_property:
                return self._returned(method, span, function)
        return None

    def _returned(self, method: FunctionInfo, span: Span, function: FunctionInfo) -> Fresh | None:
        """A method that makes a lock each time and keeps none."""
        if any("cache" in path[-1].lower() for decorator in method.ir.decorators for path in decorator.value):
            return None
        facts = self.program.stores.facts[method.id]
        found = None
        for path in (path for node in facts.returns for path in node.value):
            call = facts.call(int(path[0][2:])) if path[0].startswith("c:") and len(path) == 1 else None
            kind = lock_made_by(self.program, call, method) if call is not None else ""
            if call is None or not kind or any(path in access.value for access in facts.accesses):
                return None
            found = Fresh(function, span, kind, call.span)
        return found

    def _is_waited_on(self, path: Path, function: FunctionInfo) -> bool:
        """A condition that is only there to sleep on, or a lock that is asked something."""
        calls = self.program.stores.facts[function.id].calls
        return any(call.func and call.func[0] in ((*path, "wait"), (*path, "wait_for")) for call in calls)


def _is_mentioned_once(path: Path, facts: FunctionFacts) -> bool:
    """Given to one call, or put into one thing."""
    given = [call.id for call in facts.calls for argument in call.args if path in argument.value]
    put = [access.path for access in facts.accesses if access.kind == "write" and path in access.value]
    inside = all(into[0].startswith("v:") for into in put)
    return inside and len({*given, *(into[0] for into in put)}) == 1
