"""RL205: let what is waited for under a lock never come, then see whether another thread gets the lock."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import msgspec

from racelint.confirm.errors import CannotBuild
from racelint.confirm.injection import LOCK_METHODS, NEXT, outside
from racelint.confirm.operations import Entry, call_of
from racelint.confirm.outline import FunctionOutline, own_nodes
from racelint.confirm.scenes import Stage, subject_of
from racelint.knowledge.blocking import BLOCKING_FUNCTIONS, BLOCKING_METHODS
from racelint.model.scenario import Answer, Operation, Scenario


@dataclass(frozen=True)
class StalledCall:
    """A call as it is written, and the function that it stands in."""

    function: FunctionOutline
    callee: str
    has_end: bool = False
    """It is told how long to wait, or not to wait at all."""


def stalled_call(stage: Stage) -> StalledCall | None:
    """The call that a finding is about: what waits itself, where that is in the module, else what leads there."""
    for site in reversed(stage.flagged):
        function = stage.module.enclosing(site.line) if Path(site.path) == stage.module.path else None
        if function is None:
            continue
        calls = [node for node in own_nodes(function.node) if isinstance(node, ast.Call) and node.lineno == site.line]
        if calls:
            call = min(calls, key=lambda call: (call.col_offset != site.column - 1, call.col_offset))
            return StalledCall(function, ast.unparse(call.func), _has_end(call))
    return None


def _has_end(call: ast.Call) -> bool:
    """Whether a timeout is given, or `block=False`: what it waits for may never come, and it goes on."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if any(_is(given[name], False) for name in ("block", "blocking") if name in given):
        return True
    callee = ast.unparse(call.func)
    name = callee.rpartition(".")[2]
    known = BLOCKING_FUNCTIONS.get(callee)
    places = [known.timeout] if known else [b.timeout for (_, method), b in BLOCKING_METHODS.items() if method == name]
    place = max(places, default=-1)
    timeout = given.get("timeout", call.args[place] if 0 <= place < len(call.args) else None)
    refuses_to_wait = place == 1 and bool(call.args) and _is(call.args[0], False)
    return refuses_to_wait or (timeout is not None and not _is(timeout, None))


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def stalled_scenario(stage: Stage, entry: Entry, call: StalledCall, lock: str, first: Entry | None) -> Scenario:
    """The operation, after `first` on the same thread, and another thread that wants the lock. Raises CannotBuild."""
    if call.has_end:
        raise CannotBuild(f"`{call.callee}` goes on when its time is up: that others wait for so long is no hang", "")
    builder = stage.builder()
    subject = subject_of(builder, entry)
    entries = [entry] if first is None else [first, entry]
    source = "\n".join(call_of(builder, each, subject).operation.source for each in entries)
    wanted = outside(builder, lock, entry.cls, subject)
    waiting = Operation(f"{NEXT} {lock}", f"{wanted}.acquire()\n{wanted}.release()")
    scenario = stage.scenario("threads", builder.setup, [Operation(entry.label, source), waiting])
    return msgspec.structs.replace(scenario, stalls=f"{call.function.qualname}:{call.callee}")


def is_lock_name(callee: str) -> bool:
    """Whether the call is one of a lock or condition itself: that it waits is its purpose."""
    return callee.rpartition(".")[2] in LOCK_METHODS


def judged_stall(scenario: Scenario, answer: Answer) -> Answer:
    """What a confirmed answer says: another thread waits for a lock that the stalled operation holds, or for none."""
    holder, waiting = (operation.label for operation in scenario.operations)
    parts = [part.strip() for part in (answer.outcome or "").split(";")]
    call = scenario.stalls.rpartition(":")[2]
    if any(part.startswith(waiting) and part.endswith(f", held by {holder}") for part in parts):
        reason = f"as long as `{call}` does not return, which it is made not to do, nobody else gets the lock"
        return msgspec.structs.replace(answer, effect="hang", reason=reason)
    reason = f"the lock is free while `{call}` does not return"
    return msgspec.structs.replace(answer, status="not-reproduced", effect=None, schedule=None, reason=reason)
