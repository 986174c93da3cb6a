"""RL205: let what is waited for under a lock never come, then see whether another thread gets the lock."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import msgspec

from racelint.confirm.injection import LOCK_METHODS, NEXT, outside
from racelint.confirm.operations import Entry, call_of
from racelint.confirm.outline import FunctionOutline, own_nodes
from racelint.confirm.scenes import Stage, subject_of
from racelint.model.scenario import Answer, Operation, Scenario


@dataclass(frozen=True)
class StalledCall:
    """A call as it is written, and the function that it stands in."""

    function: FunctionOutline
    callee: str


def stalled_call(stage: Stage) -> StalledCall | None:
    """The call that a finding is about: what waits itself, where that is in the module, else what leads there."""
    for site in reversed(stage.flagged):
        function = stage.module.enclosing(site.line) if Path(site.path) == stage.module.path else None
        if function is None:
            continue
        calls = [node for node in own_nodes(function.node) if isinstance(node, ast.Call) and node.lineno == site.line]
        if calls:
            call = min(calls, key=lambda call: (call.col_offset != site.column - 1, call.col_offset))
            return StalledCall(function, ast.unparse(call.func))
    return None


def stalled_scenario(stage: Stage, entry: Entry, call: StalledCall, lock: str, first: Entry | None) -> Scenario:
    """The operation, after `first` on the same thread, and another thread that wants the lock. Raises CannotBuild."""
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
