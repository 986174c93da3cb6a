"""From what the agent answered to what racelint says. Never stronger than what was run: no verdict means "safe"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from racelint.confirm.errors import CannotBuild
from racelint.confirm.replay import Replay, digest_of, write_replay
from racelint.model.finding import Status, Verdict, Witness
from racelint.model.scenario import Answer, Scenario

OUT_OF_CONTROL_SHOWN = 4
TRIED_SHOWN = 6


@dataclass(frozen=True)
class Tried:
    """One scenario and what came of it."""

    scenario: Scenario
    answer: Answer

    @property
    def label(self) -> str:
        return " ‖ ".join(operation.label for operation in self.scenario.operations)

    @property
    def fixture_trouble(self) -> bool:
        """The scenario, not the code under test, is what failed: the made-up objects or arguments do not fit."""
        return self.answer.status == "unsupported"


def verdict_of(tried: Sequence[Tried], problems: Sequence[CannotBuild], target: str, root: Path) -> Verdict:
    """The verdict of all the scenarios of one finding or target, taken together.

    A confirmed one decides. Else the first that ran does, since scenarios are tried from the likeliest on, and the
    reason says what the others left open.
    """
    run = sum(one.answer.schedules_run for one in tried)
    for status in ("confirmed", "benign"):
        for one in tried:
            if one.answer.status == status:
                return _shown(one, target, root, run)
    ran = [one for one in tried if one.answer.status in ("not-reproduced", "inconclusive")]
    if ran:
        return _not_shown(ran, tried, problems, run)
    return Verdict("unsupported", reason=_unsupported(tried, problems), schedules_run=run)


def cannot(status: Status, reason: str) -> Verdict:
    """A verdict for what was not run at all."""
    return Verdict(status, reason=reason)


def _shown(one: Tried, target: str, root: Path, run: int) -> Verdict:
    answer = one.answer
    schedule = None
    if answer.schedule is not None:
        digest = digest_of(Path(one.scenario.path))
        schedule = write_replay(Replay(target, one.scenario, answer.schedule, digest), root)
    notes = [f"shown by {one.label}"]
    if answer.reason:
        notes.insert(0, answer.reason)
    shrunk = [note for note in answer.out_of_control if note.startswith("the loop")]
    return Verdict(
        status=answer.status,
        effect=answer.effect,
        schedule=schedule,
        schedules_run=run,
        interpreters=answer.interpreters,
        outcome=answer.outcome,
        expected=answer.expected,
        reason="; ".join([*notes, *shrunk[:OUT_OF_CONTROL_SHOWN]]),
        witness=_relative(answer.witness, root),
    )


def _not_shown(ran: list[Tried], tried: Sequence[Tried], problems: Sequence[CannotBuild], run: int) -> Verdict:
    first = ran[0].answer
    labels = list(dict.fromkeys(one.label for one in ran))
    named = ", ".join(labels[:TRIED_SHOWN]) + (", …" if len(labels) > TRIED_SHOWN else "")
    if first.status == "not-reproduced":
        notes = [f"not reproduced within {run} schedules of {named}: {first.reason}{_all_bounded(ran)}"]
    else:
        notes = [first.reason or "the search did not come to an end", f"tried: {named}"]
    notes.extend(_open_questions(ran, tried, problems))
    return Verdict(first.status, reason="; ".join(note for note in notes if note), schedules_run=run)


def _all_bounded(ran: list[Tried]) -> str:
    """What holds for every scenario together: the bound that each of them was searched to."""
    bound = min(one.answer.bound_exhausted for one in ran)
    return f" (all of them with at most {bound} preemptions)" if len(ran) > 1 and bound >= 0 else ""


def _open_questions(ran: list[Tried], tried: Sequence[Tried], problems: Sequence[CannotBuild]) -> list[str]:
    notes = []
    outside = list(dict.fromkeys(item for one in ran for item in one.answer.out_of_control))
    if outside:
        more = f" and {len(outside) - OUT_OF_CONTROL_SHOWN} more" if len(outside) > OUT_OF_CONTROL_SHOWN else ""
        notes.append("not under control: " + "; ".join(outside[:OUT_OF_CONTROL_SHOWN]) + more)
    unfinished = [one.label for one in ran[1:] if one.answer.status == "inconclusive"]
    if unfinished and ran[0].answer.status == "not-reproduced":
        notes.append("not searched to the end: " + ", ".join(dict.fromkeys(unfinished[:TRIED_SHOWN])))
    failed = [f"{one.label}: {one.answer.reason}" for one in tried if one.fixture_trouble]
    notes.extend(failed[:1])
    notes.extend(f"not tried: {problem.what}" for problem in problems[:1])
    return notes


def _unsupported(tried: Sequence[Tried], problems: Sequence[CannotBuild]) -> str:
    """Why nothing could be run, and what to supply."""
    for one in tried:
        if one.answer.reason:
            return f"{one.label} cannot be run: {one.answer.reason}"
    for problem in problems:
        if problem.stub:
            stub = "\n".join(f"    {line}".rstrip() for line in problem.stub.splitlines())
            return f"{problem.what}. Fill in this stub and pass its file with --fixtures:\n{stub}"
    if problems:
        return problems[0].what
    return "no operation that threads could run was found for it"


def _relative(witness: Witness | None, root: Path) -> Witness | None:
    if witness is None:
        return None
    steps = []
    for step in witness.steps:
        path = Path(step.path)
        inside = path.is_absolute() and path.is_relative_to(root)
        steps.append(msgspec.structs.replace(step, path=path.relative_to(root).as_posix()) if inside else step)
    return msgspec.structs.replace(witness, steps=tuple(steps))
