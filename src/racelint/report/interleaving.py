"""An interleaving made ready to be drawn: what each step did, to what, and where it goes wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from racelint.model.finding import Effect, Witness, WitnessStep
from racelint.report.snippet import visible

Deed = Literal["read", "write", "wait", "raise", "other"]

_DEEDS: dict[str, Deed] = {"read": "read", "wrote": "write", "waits in": "wait", "sleeps in": "wait", "raised": "raise"}
_ACTION = re.compile(rf"({'|'.join(_DEEDS)}) (.+?)(?: = (.*))?", re.DOTALL)
_BLOCKING: frozenset[Effect | None] = frozenset({"deadlock", "hang"})
_OVERWRITING: frozenset[Effect | None] = frozenset({"lost-update", "not-serializable", "invariant"})


class Beat(msgspec.Struct, frozen=True):
    """One step of an interleaving.

    `name` and `value` are those of a read or a write. `place` is empty where the source has none, `source` where the
    thread's step before this one stood on the same line. `wrong` says what goes wrong here, empty where nothing does.
    """

    thread: int
    place: str
    source: str
    action: str
    deed: Deed
    name: str
    value: str
    wrong: str = ""


class Interleaving(msgspec.Struct, frozen=True):
    """Lanes with their beats in the order of time.

    `threads` name the lanes, each unlike the others: those of the threads that have a step.
    """

    threads: tuple[str, ...]
    beats: tuple[Beat, ...]

    @property
    def goes_wrong(self) -> bool:
        """Whether the moment is known at which it does."""
        return any(beat.wrong for beat in self.beats)


def interleaving_of(witness: Witness, effect: Effect | None) -> Interleaving:
    """`witness` as beats, with the moment marked at which `effect` comes about."""
    deeds = [_deed(step) for step in witness.steps]
    wrong = _wrong(witness.steps, deeds, effect)
    beats = []
    last: dict[int, tuple[str, int]] = {}
    several = len({step.path for step in witness.steps if _is_file(step.path)}) > 1
    lanes = {thread: lane for lane, thread in enumerate(sorted({step.thread for step in witness.steps}))}
    for number, (step, (deed, name, value)) in enumerate(zip(witness.steps, deeds, strict=True)):
        here = (step.path, step.line)
        fresh = last.get(step.thread) != here
        last[step.thread] = here
        beats.append(
            Beat(
                thread=lanes[step.thread],
                place=visible(_place(step, several=several)),
                source=visible(step.source) if fresh else "",
                action=visible(step.action),
                deed=deed,
                name=visible(name),
                value=visible(value),
                wrong=visible(wrong.get(number, "")),
            )
        )
    names = _distinct([visible(name) for name in _names(witness)])
    return Interleaving(tuple(names[thread] for thread in lanes), tuple(beats))


def _names(witness: Witness) -> list[str]:
    """A name for every thread that has a step."""
    lanes = max((step.thread + 1 for step in witness.steps), default=0)
    return [*witness.threads, *(f"thread {number}" for number in range(len(witness.threads), lanes))]


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, with numbers where two threads share one."""
    return tuple(
        f"{name} #{names[: position + 1].count(name)}" if names.count(name) > 1 else name
        for position, name in enumerate(names)
    )


def _place(step: WitnessStep, *, several: bool) -> str:
    if not _is_file(step.path):
        return ""
    return f"{step.path}:{step.line}" if several else str(step.line)


def _is_file(path: str) -> bool:
    return not path.startswith("<")


def _deed(step: WitnessStep) -> tuple[Deed, str, str]:
    """What a step did, to what, and the value it met."""
    match = _ACTION.fullmatch(step.action)
    if match is None:
        return "other", "", ""
    deed = _DEEDS[match[1]]
    return (deed, match[2], match[3] or "") if deed in ("read", "write") else (deed, "", "")


def _wrong(
    steps: Sequence[WitnessStep], deeds: Sequence[tuple[Deed, str, str]], effect: Effect | None
) -> dict[int, str]:
    """The steps at which it goes wrong, by their number."""
    if effect == "exception":
        return {number: "this raises" for number, (deed, _, _) in enumerate(deeds) if deed == "raise"}
    if effect in _BLOCKING:
        final = {step.thread: number for number, step in enumerate(steps)}
        return {number: "waits for ever" for number in final.values() if deeds[number][0] == "wait"}
    return _first_stale_write(steps, deeds) or _first_return(steps) if effect in _OVERWRITING else {}


def _first_stale_write(steps: Sequence[WitnessStep], deeds: Sequence[tuple[Deed, str, str]]) -> dict[int, str]:
    """The first write by a thread that had read the name before another thread wrote it."""
    reads: dict[tuple[int, str], int] = {}
    writes: dict[str, int] = {}
    for number, (step, (deed, name, _)) in enumerate(zip(steps, deeds, strict=True)):
        if deed == "read":
            reads[step.thread, name] = number
        elif deed == "write":
            read, written = reads.get((step.thread, name)), writes.get(name)
            if read is not None and written is not None and read < written and steps[written].thread != step.thread:
                value = deeds[written][2]
                what = f"{name} = {value}" if value else name
                return {number: f"overwrites {what}, which it has not seen"}
            writes[name] = number
    return {}


def _first_return(steps: Sequence[WitnessStep]) -> dict[int, str]:
    """Where a thread first goes on after others came between: in a shortened witness every switch matters."""
    for number, (before, step) in enumerate(pairwise(steps), 1):
        if before.thread != step.thread and any(earlier.thread == step.thread for earlier in steps[:number]):
            return {number: "goes on as if nothing had come between"}
    return {}
