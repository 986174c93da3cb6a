"""Waits with a time limit after which nobody asks whether what was waited for has happened."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Branch, Call, Loop, Path, Raise, Return
from racelint.program.flow.walk import enclosing, following, place_of
from racelint.program.linked.condition_uses import is_condition
from racelint.program.linked.primitives import is_event, timeout_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo


class UnheardWait(msgspec.Struct, frozen=True):
    function: FunctionInfo
    call: Call
    path: Path


def unheard_waits(program: Program) -> Iterator[UnheardWait]:
    """In source order. Waits in loops are left out (they come back to their test), and those that end a function."""
    for function, call in program.callees.written("wait", "wait_for"):
        path = call.func[0]
        if len(path) < 2 or call.used or path[-1] not in ("wait", "wait_for"):
            continue
        if timeout_of(call, 1 if path[-1] == "wait_for" else 0) is None or not _waits(program, path, function):
            continue
        places = place_of(function, call.id)
        looped = any(isinstance(node, Loop) for node in enclosing(places))
        if not looped and _is_relied_on(program, function, call):
            yield UnheardWait(function, call, path[:-1])


def _waits(program: Program, path: Path, function: FunctionInfo) -> bool:
    """An event, or a condition with its predicate: a bare `Condition.wait` is another rule's."""
    if path[-1] == "wait_for":
        return is_condition(program, path[:-1], function)
    return is_event(program, path[:-1], function)


def _is_relied_on(program: Program, function: FunctionInfo, call: Call) -> bool:
    """Whether something is done after the wait before anything is asked."""
    path = call.func[0][:-1]
    for node in following(place_of(function, call.id)):
        if isinstance(node, (Branch, Loop)):
            return not node.deps
        if isinstance(node, Call):
            return not (node.func and node.func[0][:-1] == path) and not _gives_back(program, node, function)
        if isinstance(node, Return):
            return bool(node.value or node.deps)
        if isinstance(node, Raise):
            return False
    return False


def _gives_back(program: Program, node: Call, function: FunctionInfo) -> bool:
    path = node.func[0] if node.func else ()
    return len(path) > 1 and path[-1] == "release" and program.locks.of(path[:-1], function) is not None
