"""The sides of a finding: each access with the chain that leads to it, as the page sets them next to each other."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from racelint.model.finding import Finding, Step
from racelint.report.html.source import CodeBlock, Mark, SourceBook

_PLACES = ("access", "conflict", "lock")


class ChainStep(msgspec.Struct, frozen=True):
    """How the thread came here: a start or a call, with its source line."""

    message: str
    path: str
    line: int
    source: str


class Side(msgspec.Struct, frozen=True):
    """One of the pieces of code that a finding is about: where its thread starts, the calls from there, the source.

    `lane` is its colour. `title` speaks of the thread where `start` is known.
    """

    title: str
    lane: int
    start: ChainStep | None
    chain: tuple[ChainStep, ...]
    blocks: tuple[CodeBlock, ...]


def sides_of(finding: Finding, book: SourceBook, context: int) -> list[Side]:
    """The sides of `finding`, its own first."""
    groups = split(finding.trace)
    own = Mark(finding.path, finding.line, finding.column, "", _end_of(finding))
    sides = []
    for lane, steps in enumerate(groups or [[]]):
        marks = _latest(
            [Mark(step.path, step.line, step.column, _label(step)) for step in steps if step.role in _PLACES]
        )
        if lane == 0:
            marks = _with_own(marks, own)
        chain = [
            ChainStep(step.message, step.path, step.line, book.text(step.path, step.line))
            for step in steps
            if step.role not in _PLACES
        ]
        start = chain.pop(0) if chain and steps[0].role == "root" else None
        title = start.message if start else _title(finding, lane)
        sides.append(Side(title, lane, start, tuple(chain), tuple(book.blocks(marks, context))))
    return sides


def split(trace: Sequence[Step]) -> list[list[Step]]:
    """The steps of a trace by side: a new one begins where another thread, or another order of locks, does."""
    sides: list[list[Step]] = []
    for position, step in enumerate(trace):
        if step.role == "access" and any(earlier.role == "conflict" for earlier in trace[:position]):
            sides[0].append(step)
        elif not sides or _begins_another(step, sides[-1], trace[position:]):
            sides.append([step])
        else:
            sides[-1].append(step)
    return sides


def _begins_another(step: Step, current: Sequence[Step], rest: Sequence[Step]) -> bool:
    arrived = [earlier.role for earlier in current if earlier.role in _PLACES]
    if not arrived or not any(later.role in _PLACES for later in rest):
        return False
    if step.role == "lock":
        return not step.lockset and arrived[-1] == "lock"
    return step.role in ("root", "conflict") or (step.role == "call" and arrived[-1] == "access")


def _with_own(marks: list[Mark], own: Mark) -> list[Mark]:
    """The marks with the finding's own place, which knows where it ends, instead of the step's on its line."""
    same = [mark for mark in marks if (mark.path, mark.line) == (own.path, own.line)]
    others = [mark for mark in marks if mark not in same]
    return [*others, *_latest(same), own]


def _latest(marks: list[Mark]) -> list[Mark]:
    """Of what is said of one place the last, which knows of the first: an update is a read, too."""
    return list({(mark.path, mark.line, mark.column): mark for mark in marks}.values())


def _end_of(finding: Finding) -> int:
    return finding.end_column if finding.end_line == finding.line else 1_000_000


def _label(step: Step) -> str:
    if step.role == "lock":
        return step.message
    held = f"holding {', '.join(f'`{lock}`' for lock in step.lockset)}" if step.lockset else "holding no lock"
    return f"{step.message}, {held}"


def _title(finding: Finding, lane: int) -> str:
    if lane:
        return "in conflict with"
    return f"`{finding.symbol}`" if finding.symbol not in ("", "<module>") else "at module level"
