"""A thread that waits for a lock which it holds itself."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.summary import ELEMENT
from racelint.program.linker import Program
from racelint.program.takings import Nesting


def taken_twice(program: Program) -> Iterator[Nesting]:
    """In source order, one for each function, lock and place where that is first taken."""
    for function in program.index.functions:
        seen = set()
        for nesting in program.takings.nestings(function):
            key = (nesting.held.lock.location, nesting.held.owner, nesting.held.function.id, nesting.held.span)
            if _is_again(nesting) and key not in seen:
                seen.add(key)
                yield nesting


def _is_again(nesting: Nesting) -> bool:
    """Whether both are certainly the same object's lock, of a kind that its holder waits for."""
    held, then = nesting.held, nesting.then
    lock = held.lock
    if lock.facts is None or lock.facts.own or lock.reentrant or lock.keyed:
        return False
    if held.owner is None or ELEMENT in held.owner or held.owner != then.owner:
        return False
    if held.span == then.fact.span and not then.chain:
        return False
    return then.fact.lock.location == lock.location
