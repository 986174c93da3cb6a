"""From what the agent answered to what racelint says. Never stronger than what was run: no verdict means "safe"."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from racelint.confirm.exploration import Exploration, Tried
from racelint.confirm.replay import Replay, digest_of, write_replay
from racelint.model.finding import Status, Verdict, Witness

OUT_OF_CONTROL_SHOWN = 4
TRIED_SHOWN = 6


def verdict_of(exploration: Exploration, guessed: Sequence[str], target: str, root: Path) -> Verdict:
    """The verdict of all the scenarios of one finding or target, taken together.

    A confirmed one decides. Else the first that ran does, since scenarios are tried from the likeliest on, and the
    reason says what the others left open. `guessed` names the parameters whose values rest on nothing but their name.
    """
    tried = exploration.tried
    run = sum(one.answer.schedules_run for one in tried)
    for status in ("confirmed", "benign"):
        for one in tried:
            if one.answer.status == status:
                return _shown(one, target, root, run)
    if exploration.is_misfit:
        return Verdict("unsupported", reason=_misfit(exploration, guessed), schedules_run=run)
    if any(one.ran for one in tried):
        return _not_shown(exploration, run, root)
    return Verdict("unsupported", reason=_local(_unsupported(exploration, guessed), root), schedules_run=run)


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
        reason=_local("; ".join([*notes, *shrunk[:OUT_OF_CONTROL_SHOWN]]), root),
        witness=_relative(answer.witness, root),
    )


def _not_shown(exploration: Exploration, run: int, root: Path) -> Verdict:
    ran = [one for one in exploration.tried if one.ran]
    first = ran[0].answer
    labels = list(dict.fromkeys(one.label for one in ran))
    named = ", ".join(labels[:TRIED_SHOWN]) + (", …" if len(labels) > TRIED_SHOWN else "")
    if first.status == "not-reproduced":
        notes = [f"not reproduced within {run} schedules of {named}: {first.reason}{_all_bounded(ran)}"]
    else:
        notes = [first.reason or "the search did not come to an end", f"tried: {named}"]
    notes.extend(f"run alone, {label} raises {error}" for label, error in exploration.raised.items())
    notes.extend(_open_questions(ran, exploration))
    return Verdict(first.status, reason=_local("; ".join(note for note in notes if note), root), schedules_run=run)


def _misfit(exploration: Exploration, guessed: Sequence[str]) -> str:
    """Nothing was explored; which values to supply."""
    said = "; ".join(f"{label} raises {error}" for label, error in exploration.raised.items())
    return f"with the values made up for it, {said}{_asked_for(guessed)}"


def _asked_for(guessed: Sequence[str]) -> str:
    """The fixtures that would help, as a file to fill in; empty where no value was a guess."""
    stubs = [f"def make_{name}():\n    return ...\n" for name in guessed]
    return _to_fill_in("\n\n".join(stubs)) if stubs else ""


def _to_fill_in(stub: str) -> str:
    indented = "\n".join(f"    {line}".rstrip() for line in stub.splitlines())
    return f". Fill in this stub and pass its file with --fixtures:\n{indented}"


def _all_bounded(ran: list[Tried]) -> str:
    """What holds for every scenario together: the bound that each of them was searched to."""
    bound = min(one.answer.bound_exhausted for one in ran)
    return f" (all of them with at most {bound} preemptions)" if len(ran) > 1 and bound >= 0 else ""


def _open_questions(ran: list[Tried], exploration: Exploration) -> list[str]:
    notes = []
    outside = list(dict.fromkeys(item for one in ran for item in one.answer.out_of_control))
    if outside:
        more = f" and {len(outside) - OUT_OF_CONTROL_SHOWN} more" if len(outside) > OUT_OF_CONTROL_SHOWN else ""
        notes.append("not under control: " + "; ".join(outside[:OUT_OF_CONTROL_SHOWN]) + more)
    unfinished = [one.label for one in ran[1:] if one.answer.status == "inconclusive"]
    if unfinished and ran[0].answer.status == "not-reproduced":
        notes.append("not searched to the end: " + ", ".join(dict.fromkeys(unfinished[:TRIED_SHOWN])))
    failed = [
        f"{one.label}: {one.answer.reason}" for one in exploration.tried if not one.ran and " after " not in one.label
    ]
    notes.extend(failed[:1])
    notes.extend(f"not tried: {problem.what}" for problem in exploration.problems[:1])
    return notes


def _unsupported(exploration: Exploration, guessed: Sequence[str]) -> str:
    """Why nothing could be run, and what to supply."""
    for one in exploration.tried:
        if one.answer.reason:
            return f"{one.label} cannot be run: {one.answer.reason}{_asked_for(guessed)}"
    for problem in exploration.problems:
        if problem.stub:
            return problem.what + _to_fill_in(problem.stub)
    if exploration.problems:
        return exploration.problems[0].what
    return "no operation that threads could run was found for it"


def _local(reason: str, root: Path) -> str:
    """The reason with paths below `root` made relative to it."""
    return reason.replace(f"{root}{os.sep}", "")


def _relative(witness: Witness | None, root: Path) -> Witness | None:
    if witness is None:
        return None
    steps = []
    for step in witness.steps:
        path = Path(step.path)
        inside = path.is_absolute() and path.is_relative_to(root)
        steps.append(msgspec.structs.replace(step, path=path.relative_to(root).as_posix()) if inside else step)
    return msgspec.structs.replace(witness, steps=tuple(steps))
