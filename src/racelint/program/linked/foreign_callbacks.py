"""Functions that were handed in from outside, called while a lock is held."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import ELEMENT, Call, Path
from racelint.program.flow.values import Stored, element_key
from racelint.program.linked.takings import Held
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Constant
from racelint.program.threads.users import is_public


class ForeignCall(msgspec.Struct, frozen=True):
    """`call` runs what `giver` took as its parameter `name`, with `held` held."""

    function: FunctionInfo
    call: Call
    held: Held
    giver: FunctionInfo
    name: str


def foreign_calls(program: Program) -> Iterator[ForeignCall]:
    """In source order, for each call the lock taken last."""
    takings = program.takings
    run_by_holders = {site.callee.id for holder in takings.holders for site in program.calls.outgoing[holder.id]}
    for function in program.index.functions:
        by_callers = _held_by_callers(program, function) if function.id in run_by_holders else []
        if not (by_callers or takings.holds(function)):
            continue
        for call in program.stores.facts[function.id].calls:
            held = [h for h in takings.held(function, call.id) if _keeps_out(h)]
            dropped = program.flows.of(function).at(call.id).dropped
            held = held or [h for h in by_callers if h.lock.location not in dropped]
            given = handed_in(program, call, function) if held else None
            if given is not None:
                yield ForeignCall(function, call, max(held, key=lambda h: h.span), *given)


def handed_in(program: Program, call: Call, function: FunctionInfo) -> tuple[FunctionInfo, str] | None:
    """Who took what is called as a parameter, and its name; None where the program says itself what is called."""
    if len(call.func) != 1 or _is_known(program, call, function):
        return None
    return given_by(program, call.func[0], function)


def _held_by_callers(program: Program, function: FunctionInfo) -> list[Held]:
    """What is held whenever a private function runs: by the first of its callers that takes it itself."""
    if is_public(function):
        return []
    always: list[Held] | None = None
    for site in program.calls.incoming.get(function.id, ()):
        if not site.weak:
            here = [h for h in program.takings.held(site.caller, site.event) if _keeps_out(h)]
            locations = {h.lock.location for h in here}
            always = here if always is None else [h for h in always if h.lock.location in locations]
            if not always:
                return []
    return always or []


def _keeps_out(held: Held) -> bool:
    return held.lock.facts is not None and held.lock.facts.family != "semaphore"


def _is_known(program: Program, call: Call, function: FunctionInfo) -> bool:
    """Whether the program itself says what is called: then other rules look into it."""
    sites = program.calls.outgoing[function.id]
    things = [t for t in program.types.of_value(call.func, function) if not isinstance(t, Constant)]
    return bool(things) or any(site.event == call.id and not site.weak for site in sites)


def given_by(program: Program, path: Path, function: FunctionInfo) -> tuple[FunctionInfo, str] | None:
    """Whose parameter holds the called function: this function's, or that of one who kept it."""
    if len(path) == 1 and path[0].startswith("p:") and path[0][2:] != function.self_name:
        return function, path[0][2:]
    for stored in _stored(program, path, function):
        for value in stored.value:
            if len(value) == 1 and value[0].startswith("p:") and value[0][2:] != stored.function.self_name:
                return stored.function, value[0][2:]
    return None


def _stored(program: Program, path: Path, function: FunctionInfo) -> list[Stored]:
    """What is kept in a variable or attribute, or among the elements of one."""
    if path[-1] == ELEMENT:
        path = (*program.stores.facts[function.id].looked_up(path[:-1]), ELEMENT)
        key = element_key(program.index, function, path[:-1])
        return program.stores.elements.get(key, []) if key is not None else []
    location = program.locations.of(path, function)
    if location is None or len(location.fields) != 1:
        return []
    if location.kind == "attribute":
        return program.stores.attributes.get((location.owner, location.fields[0]), [])
    return program.stores.variables.get((location.owner, location.fields[0]), []) if location.kind == "global" else []
