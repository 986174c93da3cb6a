"""RL606: a thread of the parent is inside of a lock at a fork, and the child wants that lock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from racelint.confirm.held import locks_at
from racelint.confirm.operations import Entry, call_of
from racelint.confirm.outline import FunctionOutline
from racelint.confirm.scenes import Stage, subject_of
from racelint.model.scenario import Operation, Scenario

FORK = "become_child()"
"""The statement that has the agent fork."""


@dataclass(frozen=True)
class InheritedLock:
    """A lock as the child's `function` writes it that takes it."""

    function: FunctionOutline
    lock: str
    is_handled: bool
    """Whether a fork calls the function by itself, because it is registered for that."""


def inherited_lock(stage: Stage) -> InheritedLock | None:
    """The lock that a finding is about; None where it is about a thread that runs during a fork."""
    for site in reversed(stage.flagged):
        function = stage.module.enclosing(site.line) if Path(site.path) == stage.module.path else None
        taken = locks_at(function, site.line) if function is not None else []
        if function is not None and taken:
            own = stage.module.enclosing(stage.flagged[0].line)
            return InheritedLock(function, taken[0], is_handled=own is function)
    return None


def forked_scenario(stage: Stage, holder: Entry, child: Entry | None) -> Scenario:
    """What holds the lock on one thread, and on the other a fork and then what the child calls. Raises CannotBuild."""
    builder = stage.builder()
    held = call_of(builder, holder, subject_of(builder, holder)).operation
    label, source = "fork", FORK
    if child is not None:
        called = call_of(builder, child, subject_of(builder, child)).operation
        label, source = f"fork, then {called.label}", f"{FORK}\n{called.source}"
    return stage.scenario("threads", builder.setup, [held, Operation(label, source)])
