"""RL210: an object whose finalizer takes a lock is dropped by the thread that holds it."""

from __future__ import annotations

from racelint.confirm.outline import ClassOutline
from racelint.confirm.scenes import Stage
from racelint.model.scenario import Operation, Scenario


def finalizer_scenario(stage: Stage, owner: ClassOutline, dying: ClassOutline, lock: str) -> Scenario:
    """`lock` is a field of `owner`, as the finalizer's callee writes it. Raises CannotBuild."""
    builder = stage.builder()
    subject = builder.subject(stage.module, owner)
    kept = [builder.fresh(stage.module, dying)]
    builder.statements.append(f"kept = [{kept[0]}]")
    held = f"{subject}.{lock.removeprefix('self.')}"
    source = f"with {held}:\n    kept.clear()"
    return stage.scenario("program", builder.setup, [Operation(f"the last {dying.name} goes under {held}", source)])
