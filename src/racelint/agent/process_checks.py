"""What single rules ask of real processes, each in a run or two."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .answer import Answer, answer_of
from .measuring import everywhere
from .process_control import RUN_LIMIT, Controller, Run

PATIENCE = 3.0
"""Seconds after which a join counts as one that never returns, at least."""

TIMES = 10
"""How many times as long as the run in which joins return."""

ALL_TURNS = 10**9
UNPICKLABLE = ("cannot pickle '_thread", "cannot pickle '_queue", "cannot pickle 'queue", "cannot pickle 'threading")


def _refused(run: Run) -> Answer | None:
    if run.error:
        return answer_of(status="unsupported", reason=run.error, schedules_run=1)
    if len(run.labels) < 2:
        return answer_of(status="unsupported", reason="it starts no process with multiprocessing", schedules_run=1)
    return None


def check_primitives(job: dict[str, Any], folder: str) -> Answer:
    """RL604: can a spawned process be given it, and does one process see what another does with it?"""
    controller = Controller(job, [], folder)
    spawned = controller.run(spawn=True)
    if any(text in spawned.error for text in UNPICKLABLE):
        return _confirmed(
            spawned,
            effect="exception",
            outcome=spawned.error.removeprefix("the operation failed: "),
            expected=["the process starts"],
            reason="with the start method spawn, the default of macOS and Windows",
        )
    forked = controller.run()
    unseen = _unseen(forked)
    if unseen is not None:
        label, one, other = unseen
        return _confirmed(forked, effect="lost-in-process", outcome=f"{label}: {one}, {other}", expected=["both agree"])
    return _refused(forked) or answer_of(
        status="not-reproduced", reason="it was handed over, and both processes have it alike", schedules_run=2
    )


def _unseen(run: Run) -> tuple[str, str, str] | None:
    """A primitive that is in one state here and in another there."""
    for label in sorted({label for report in run.reports.values() for label in report}):
        states = {n: report[label]["value"] for n, report in run.reports.items() if label in report}
        if len(set(states.values())) > 1 and all(report[label]["signal"] for report in _with(run, label)):
            (one, here), *_, (other, there) = states.items()
            return label, f"{run.labels[one]} has {here}", f"{run.labels[other]} has {there}"
    return None


def _with(run: Run, label: str) -> list[dict[str, Any]]:
    return [report for report in run.reports.values() if label in report]


def check_joins(job: dict[str, Any], folder: str) -> Answer:
    """RL607: does a join never return, and does all come to its end where joins return at once?"""
    controller = Controller(job, [], folder)
    ways: dict[str, Any] = {"turns": ALL_TURNS, "small_pipes": True}
    started = time.monotonic()
    free = controller.run(joins_return=True, **ways)
    seconds = time.monotonic() - started
    refused = _refused(free)
    if refused is not None:
        return refused
    if free.hung:
        reason = "the processes do not end, whether joins return or not"
        return answer_of(status="inconclusive", reason=reason, schedules_run=1)
    limit = min(RUN_LIMIT, max(PATIENCE, TIMES * seconds))
    run = controller.run(limit=limit, **ways)
    if not run.hung or not run.joining or len(run.reports) == len(run.labels):
        return answer_of(status="not-reproduced", reason="every join returned", schedules_run=2)
    if not run.idle:
        return answer_of(status="inconclusive", reason=f"still at work after {limit:.0f} s", schedules_run=2)
    waiting = ", ".join(run.labels[number] for number in sorted(run.joining))
    left = set(run.labels) - set(run.reports) - run.joining
    others = ", ".join(run.labels[number] for number in sorted(left))
    return _confirmed(
        run,
        effect="deadlock",
        outcome=f"{waiting} waits in join for {others}, which waits until what it put is read",
        expected=["all processes end"],
        reason=f"pipes of 4 KiB; not over after {limit:.0f} s, {seconds:.1f} s where joins return at once",
    )


def check_copies(job: dict[str, Any], folder: str) -> Answer:
    """RL608: is a copy that a manager gave out changed, and never stored again?"""
    run = Controller(job, [], folder).run(copies=True)
    if run.copies:
        number, label, kept, changed = run.copies[0]
        return _confirmed(
            run,
            effect="lost-in-process",
            outcome=f"{label}: {run.labels[number]} has {changed}, the manager still has {kept}",
            expected=[f"{label}: the manager has {changed}"],
        )
    return _refused(run) or answer_of(
        status="not-reproduced", reason="all that was changed was stored again", schedules_run=1
    )


def _confirmed(run: Run, **fields: Any) -> Answer:
    return answer_of(status="confirmed", schedules_run=1, interpreters=everywhere(), witness=run.witness(2), **fields)


CHECKS: dict[str, Callable[[dict[str, Any], str], Answer]] = {
    "RL604": check_primitives,
    "RL607": check_joins,
    "RL608": check_copies,
}
"""By rule."""
