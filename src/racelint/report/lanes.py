"""An interleaving as text: one column a thread, time running down, the source line and the values it met."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Effect, Witness
from racelint.report.columns import padded, wrapped
from racelint.report.interleaving import Beat, Interleaving, interleaving_of

NARROWEST = 26
"""Columns a lane needs to be read; where there are fewer, the threads are written one under the other."""

GAP = " │ "


def render_lanes(witness: Witness, width: int, effect: Effect | None = None) -> list[str]:
    """The lines of `witness`, none wider than `width` columns unless a single word is; empty without steps.

    `effect` is what came of it: the step at which it does is marked.
    """
    interleaving = interleaving_of(witness, effect)
    lanes = len(interleaving.threads)
    if not interleaving.beats or not lanes:
        return []
    lane_width = (width - len(GAP) * (lanes - 1)) // lanes
    if lane_width < NARROWEST:
        return list(_in_turns(interleaving, width))
    return list(_side_by_side(interleaving, lane_width))


def spoken(interleaving: Interleaving) -> Iterator[tuple[Beat, list[str]]]:
    """The lines of each step. The source stands once, before the first of a thread's steps in a row on one line."""
    last: tuple[int, str] | None = None
    for beat in interleaving.beats:
        here = (beat.thread, beat.place)
        lines = []
        if beat.source:
            lines += [f"{beat.place}  {beat.source}".strip(), f"    {beat.action}"]
        elif here != last and beat.place:
            lines.append(f"{beat.place}  … {beat.action}")
        else:
            lines.append(f"    {beat.action}")
        if beat.wrong:
            lines.append(f"    ✗ {beat.wrong}")
        last = here
        yield beat, lines


def _side_by_side(interleaving: Interleaving, lane_width: int) -> Iterator[str]:
    lanes = len(interleaving.threads)
    names = [wrapped(name, lane_width) for name in interleaving.threads]
    for row in range(max(map(len, names))):
        yield _row([name[row] if row < len(name) else "" for name in names], lane_width)
    yield "─┼─".join("─" * lane_width for _ in range(lanes))
    for beat, texts in spoken(interleaving):
        for text in texts:
            indent = " " * (len(text) - len(text.lstrip()) + 2)
            for line in wrapped(text, lane_width, indent):
                yield _row([line if lane == beat.thread else "" for lane in range(lanes)], lane_width)


def _in_turns(interleaving: Interleaving, width: int) -> Iterator[str]:
    """Each run of steps of one thread under its name."""
    speaking = -1
    for beat, texts in spoken(interleaving):
        if beat.thread != speaking:
            speaking = beat.thread
            yield f"{interleaving.threads[speaking]}:"
        for text in texts:
            yield from wrapped(f"  {text}", width, " " * 6)


def _row(cells: list[str], lane_width: int) -> str:
    return GAP.join(padded(cell, lane_width) for cell in cells).rstrip()
