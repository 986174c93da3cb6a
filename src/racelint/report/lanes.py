"""An interleaving as text: one column a thread, time running down, the source line and the values it met."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from racelint.model.finding import Witness, WitnessStep

NARROWEST = 26
"""Columns a lane needs to be read; where there are fewer, the threads are written one under the other."""

GAP = " │ "


def render_lanes(witness: Witness, width: int) -> list[str]:
    """The lines of `witness`, none wider than `width` columns unless a single word is; empty without steps."""
    lanes = len(witness.threads)
    if not witness.steps or not lanes:
        return []
    lane_width = (width - len(GAP) * (lanes - 1)) // lanes
    if lane_width < NARROWEST:
        return list(_in_turns(witness, width))
    return list(_side_by_side(witness, lane_width))


def _side_by_side(witness: Witness, lane_width: int) -> Iterator[str]:
    lanes = len(witness.threads)
    names = [textwrap.wrap(name, lane_width) or [""] for name in witness.threads]
    for row in range(max(map(len, names))):
        yield _row([name[row] if row < len(name) else "" for name in names], lane_width)
    yield "─┼─".join("─" * lane_width for _ in range(lanes))
    for step, texts in _spoken(witness):
        for text in texts:
            indent = " " * (len(text) - len(text.lstrip()) + 2)
            for line in textwrap.wrap(text, lane_width, subsequent_indent=indent, drop_whitespace=True) or [""]:
                yield _row([line if lane == step.thread else "" for lane in range(lanes)], lane_width)


def _in_turns(witness: Witness, width: int) -> Iterator[str]:
    """Each run of steps of one thread under its name."""
    speaking = -1
    for step, texts in _spoken(witness):
        if step.thread != speaking:
            speaking = step.thread
            yield f"{_name(witness, step.thread)}:"
        for text in texts:
            yield from textwrap.wrap(f"  {text}", width, subsequent_indent=" " * 6) or [""]


def _spoken(witness: Witness) -> Iterator[tuple[WitnessStep, list[str]]]:
    """The lines of each step. The source stands once, before the first of a thread's steps in a row on one line."""
    several = len({step.path for step in witness.steps if not step.path.startswith("<")}) > 1
    last: tuple[int, str, int] | None = None
    sources: dict[int, tuple[str, int]] = {}
    for step in witness.steps:
        place = "" if step.path.startswith("<") else f"{step.path}:{step.line}" if several else f"{step.line}"
        here = (step.thread, step.path, step.line)
        texts = []
        if here != last and step.source and sources.get(step.thread) != (step.path, step.line):
            texts.append(f"{place}  {step.source}".strip())
            texts.append(f"    {step.action}")
        elif here != last and place:
            texts.append(f"{place}  … {step.action}")
        else:
            texts.append(f"    {step.action}")
        sources[step.thread] = (step.path, step.line)
        last = here
        yield step, texts


def _row(cells: list[str], lane_width: int) -> str:
    return GAP.join(f"{cell:<{lane_width}}" for cell in cells).rstrip()


def _name(witness: Witness, thread: int) -> str:
    return witness.threads[thread] if 0 <= thread < len(witness.threads) else f"thread {thread}"
