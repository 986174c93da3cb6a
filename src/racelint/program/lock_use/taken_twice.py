"""A thread that waits for a lock which it holds itself."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from racelint.model.summary import ELEMENT, Call, With
from racelint.program.calling.calls import CallSite
from racelint.program.flow.values import event_span, nodes_of
from racelint.program.linked.takings import Held, Nesting
from racelint.program.linker import Program
from racelint.program.locking.substitution import substituted
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Instance


def taken_twice(program: Program) -> Iterator[Nesting]:
    """In source order, one for each function, lock and place where that is first taken."""
    signallers = _signallers(program)
    holding = any(function.ir.is_generator for function in program.takings.holders)
    for function in program.index.functions:
        seen = set()
        iterating = _while_iterating(program, function) if holding else ()
        for nesting in (*program.takings.nestings(function), *iterating):
            key = (nesting.held.lock.location, nesting.held.owner, nesting.held.function.id, nesting.held.span)
            again = _is_again(program, nesting) and key not in seen
            if again and not _is_signal(program, nesting, signallers):
                seen.add(key)
                yield nesting


def _while_iterating(program: Program, function: FunctionInfo) -> Iterator[Nesting]:
    """What the body of a loop takes while the generator that it goes through holds a lock."""
    takings = program.takings
    for loop in program.stores.facts[function.id].loops:
        made = {path[0] for path in loop.iterates if path[0].startswith("c:") and {*path[1:]} <= {ELEMENT}}
        made = {root for root in made if program.calls.at(function, int(root[2:]))}
        inside = {node.id for node in nodes_of(loop.body) if isinstance(node, (Call, With))} if made else ()
        for site in takings.running.outgoing(function) if inside else ():
            if not site.callee.ir.is_generator or f"c:{site.event}" not in made:
                continue
            held = [_seen_from(site, each, program) for each in _held_at_yields(program, site.callee)]
            for inner in takings.running.outgoing(function) if held else ():
                if inner.event in inside:
                    for then in takings.through(inner):
                        yield from (Nesting(function, event_span(function, inner.event), each, then) for each in held)


def _held_at_yields(program: Program, generator: FunctionInfo) -> list[Held]:
    """The locks that a generator has taken whenever it hands out a value."""
    numbers = range(len(program.stores.facts[generator.id].yields))
    held = [program.takings.held(generator, -1 - number) for number in numbers]
    always = [{each.lock.location for each in here} for here in held]
    return [each for each in held[0] if all(each.lock.location in here for here in always)] if held else []


def _seen_from(site: CallSite, held: Held, program: Program) -> Held:
    return replace(held, owner=substituted(held.owner, site, program.index))


def _signallers(program: Program) -> dict[Location, set[str]]:
    """By lock, the functions that give it back without having taken it."""
    found: dict[Location, set[str]] = {}
    for function in program.flows.releasers:
        for lock, _, before in program.flows.of(function).releases:
            if lock.location not in before.may:
                found.setdefault(lock.location, set()).add(function.id)
    return found


def _is_signal(program: Program, nesting: Nesting, signallers: dict[Location, set[str]]) -> bool:
    """`done.acquire()`, then `done.acquire()`, which waits until somebody else says `done.release()`."""
    others = signallers.get(nesting.held.lock.location, set()) - {nesting.function.id}
    by_hand = program.stores.facts[nesting.function.id].call(nesting.then.fact.event) is not None
    return bool(others) and by_hand and not nesting.then.chain and nesting.held.function is nesting.function


def _is_again(program: Program, nesting: Nesting) -> bool:
    """Whether both are certainly the same object's lock, of a kind that its holder waits for."""
    held, then = nesting.held, nesting.then
    lock = held.lock
    if lock.facts is None or lock.facts.own or lock.reentrant or lock.keyed:
        return False
    if held.owner is None or ELEMENT in held.owner:
        return False
    if held.owner != then.owner and not _is_handed_down(program, nesting):
        return False
    if held.span == then.fact.span and not then.chain:
        return False
    return then.fact.lock.location == lock.location


def _is_handed_down(program: Program, nesting: Nesting) -> bool:
    """`self.child = Child(self.lock)`: the lock of the child is that of the object which keeps it."""
    lock, owner = nesting.held.lock, nesting.then.owner
    if owner is None or len(owner) < 2 or owner[:-1] != nesting.held.owner or lock.location.kind != "attribute":
        return False
    for thing in program.types.of(owner[:-1], nesting.function):
        stored = program.stores.attributes.get((thing.cls.id, owner[-1]), []) if isinstance(thing, Instance) else []
        mine = [(entry, (f"p:{entry.function.self_name}", *lock.location.fields)) for entry in stored]
        made = [(program.stores.facts[entry.function.id].made_by(v), own) for entry, own in mine for v in entry.value]
        if made and all(call is not None and any(own in a.value for a in call.args) for call, own in made):
            return True
    return False
