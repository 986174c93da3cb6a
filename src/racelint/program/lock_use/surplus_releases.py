"""Releases that a path comes to when the function has already given back what it took, or was refused it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.locks import ACQUIRES
from racelint.model.summary import Call, Span, Try, With
from racelint.program.flow.values import event_span, nodes_of
from racelint.program.linker import Program
from racelint.program.lock_use.balance import FRESH, Balances, LockBalance, balances
from racelint.program.locking.locks import Lock
from racelint.program.names.index import External, FunctionInfo

_CATCHING = frozenset({"g:RuntimeError", "g:ValueError", "g:Exception", "g:BaseException", "g:AssertionError"})


class SurplusRelease(msgspec.Struct, frozen=True):
    """At `span` (a release, or the `with` whose end releases) `function` may give `lock` back once too often.

    `earlier` is where it gave it back before, or, where `refused`, asked for it in vain, or, where `passed_by`, takes
    it on other paths than this one.
    """

    function: FunctionInfo
    lock: Lock
    call: Call
    span: Span
    earlier: Span
    refused: bool
    passed_by: bool = False


def surplus_releases(program: Program) -> Iterator[SurplusRelease]:
    """In source order, one for each release."""
    for balance in balances(program):
        for _, (call, states) in sorted(balance.releases.items()):
            gone = sorted(state.by for state in states if state.depth == 0)
            if gone and not _is_caught(program, balance.function, call):
                yield _surplus(program, balance, call, call.span, gone[0])
            elif not gone and _is_passed_by(balance, states) and not _is_caught(program, balance.function, call):
                yield _surplus(program, balance, call, call.span, balance.taken.id if balance.taken else 0, True)
        if balance.emptied and not _is_left_held(program, balance.lock):
            yield from _emptied(program, balance)


def _emptied(program: Program, balance: LockBalance) -> Iterator[SurplusRelease]:
    """The ends of `with` blocks whose lock was given back inside."""
    for _, (node, by) in sorted(balance.emptied.items()):
        inner = program.stores.facts[balance.function.id].call(by)
        if inner is not None and not _is_caught(program, balance.function, node):
            yield _surplus(program, balance, inner, node.item.span, by)


def _is_left_held(program: Program, lock: Lock) -> bool:
    """A reentrant lock that some function takes for its caller, who gives it back in another."""
    if not lock.reentrant:
        return False
    effects = (program.flows.effect(function) for function in program.flows.acting)
    return any(
        lock.location in effect.perhaps or any(hold.lock.location == lock.location for hold in effect.held)
        for effect in effects
    )


def _is_passed_by(balance: LockBalance, states: Balances) -> bool:
    """Whether the release is come to after the acquire and, by an early return, without it."""
    facts = balance.lock.facts
    if balance.taken is None or facts is None or facts.reentrant or facts.family == "semaphore":
        return False
    return any(s.depth == FRESH for s in states) and any(s.depth > 0 and s.by == balance.taken.id for s in states)


def _surplus(
    program: Program, balance: LockBalance, call: Call, span: Span, by: int, passed_by: bool = False
) -> SurplusRelease:
    function = balance.function
    earlier = program.stores.facts[function.id].call(by)
    refused = not passed_by and earlier is not None and bool(earlier.func) and earlier.func[0][-1] in ACQUIRES
    return SurplusRelease(function, balance.lock, call, span, event_span(function, by), refused, passed_by)


def _is_caught(program: Program, function: FunctionInfo, release: Call | With) -> bool:
    """Whether what the release raises is caught on the spot."""
    for node in nodes_of(function.ir.body):
        if not isinstance(node, (Try, With)) or not any(inner is release for inner in nodes_of(node.body)):
            continue
        if isinstance(node, With):
            if _suppresses(program, function, node):
                return True
        elif any(not h.types or {path[-1] for path in h.types} & _CATCHING for h in node.handlers):
            return True
    return False


def _suppresses(program: Program, function: FunctionInfo, node: With) -> bool:
    path = node.item.value[0] if node.item.value else ()
    call = program.stores.facts[function.id].call(int(path[0][2:])) if path and path[0].startswith("c:") else None
    things = program.types.of_value(call.func, function) if call is not None else ()
    return any(isinstance(thing, External) and thing.dotted == "contextlib.suppress" for thing in things)
