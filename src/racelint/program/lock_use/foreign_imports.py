"""Modules that a caller names, imported under a lock that what they run can come back to.

An import runs foreign code in the importing thread. What it imports may use the public object whose lock is held.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import msgspec

from racelint.model.summary import Path, Span
from racelint.program.linked.makers import calls_of
from racelint.program.linked.reached import Reached, reached
from racelint.program.linked.takings import Held
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Instance
from racelint.program.threads.users import is_public

_IMPORTS = ("importlib.import_module", "builtins.__import__")


class Importing(msgspec.Struct, frozen=True):
    """The call at `span` imports the module that `name` is the name of."""

    function: FunctionInfo
    event: int
    span: Span
    name: Path

    @property
    def key(self) -> Hashable:
        return (self.function.id, self.event)


class ForeignImport(msgspec.Struct, frozen=True):
    """At `span` the function comes to the import with `held` held."""

    function: FunctionInfo
    span: Span
    held: Held
    then: Reached[Importing]


def foreign_imports(program: Program) -> Iterator[ForeignImport]:
    """In source order, the first of each public function and lock."""
    own: dict[str, list[Reached[Importing]]] = {}
    for dotted in _IMPORTS:
        for made in calls_of(program, dotted):
            function, call = made.function, made.call
            for path in call.args[0].value[:1] if call.args else ():
                fact = Importing(function, call.id, call.span, path)
                own.setdefault(function.id, []).append(Reached(fact, None))
    if not own:
        return
    holders = program.takings.holders
    ways = reached(program.takings.running, holders, lambda function: own.get(function.id, ()))
    for function in holders:
        seen = set()
        for then in ways[function.id] if is_public(function) else ():
            event, span = _place(program, then)
            for held in program.takings.held(function, event):
                if held.lock.location not in seen and _is_named_by_caller(then, function) and _is_met(program, held):
                    seen.add(held.lock.location)
                    yield ForeignImport(function, span, held, then)


def _place(program: Program, then: Reached[Importing]) -> tuple[int, Span]:
    if not then.chain:
        return then.fact.event, then.fact.span
    site = then.chain[0]
    call = program.stores.facts[site.caller.id].call(site.event)
    return site.event, call.span if call is not None else then.fact.span


def _is_named_by_caller(then: Reached[Importing], function: FunctionInfo) -> bool:
    """The name of the module is a parameter's, or among its elements."""
    path = then.fact.name
    for site in reversed(then.chain):
        value = site.bindings.get(path[0][2:], ()) if path[0].startswith("p:") else ()
        if len(value) != 1:
            return False
        path = value[0]
    return path[0].startswith("p:") and path[0][2:] != function.self_name


def _is_met(program: Program, held: Held) -> bool:
    """A lock that its holder waits for, of a module or of an object that a module keeps for all to use."""
    lock = held.lock
    if lock.facts is None or lock.facts.own or lock.reentrant or lock.keyed or lock.facts.world != "thread":
        return False
    if lock.location.kind != "attribute":
        return lock.location.kind == "global"
    stores = program.stores.variables.values()
    things = (thing for entries in stores for thing in program.types.of_stored(entries))
    return any(isinstance(t, Instance) and lock.location.owner in {base.id for base in t.cls.mro} for t in things)
