"""An interleaving for a terminal: as the plain lanes, each thread in its colour, values and the wrong step stressed."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.box import Box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from racelint.model.finding import Effect, Witness
from racelint.report.interleaving import Beat, Interleaving, interleaving_of
from racelint.report.lanes import GAP, NARROWEST, render_lanes, spoken

_COLOURS = ("blue", "yellow", "cyan", "magenta")
_LINES = Box("    \n  │ \n ─┼ \n  │ \n  │ \n ─┼ \n  │ \n    \n")


def render_coloured_lanes(witness: Witness, width: int, effect: Effect | None) -> list[str]:
    """The lines of `witness` with terminal codes, none wider than `width` columns; plain where that is too narrow."""
    interleaving = interleaving_of(witness, effect)
    lanes = len(interleaving.threads)
    if not interleaving.beats or (width - len(GAP) * (lanes - 1)) // lanes < NARROWEST:
        return render_lanes(witness, width, effect)
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        legacy_windows=False,
        highlight=False,
    )
    console.print(_table(interleaving))
    return [line.rstrip() for line in file.getvalue().splitlines() if line.strip()]


def _table(interleaving: Interleaving) -> Table:
    lanes = range(len(interleaving.threads))
    table = Table(box=_LINES, expand=True, show_edge=False, pad_edge=False, padding=(0, 1), border_style="dim")
    for lane in lanes:
        colour = _COLOURS[lane % len(_COLOURS)]
        table.add_column(Text(interleaving.threads[lane], style=f"bold {colour}"), ratio=1, overflow="fold")
    for beat, lines in spoken(interleaving):
        for line in _styled(beat, lines):
            table.add_row(*(line if lane == beat.thread else Text() for lane in lanes))
    return table


def _styled(beat: Beat, lines: list[str]) -> Iterator[Padding]:
    """The lines of one step, what is wrapped hanging under what it goes on from."""
    colour = _COLOURS[beat.thread % len(_COLOURS)]
    for line in lines:
        indent = len(line) - len(line.lstrip())
        text = Text(line.lstrip())
        if beat.wrong:
            text.stylize("bold red")
        elif beat.source and not indent:
            text.stylize(colour)
        elif beat.value:
            text.highlight_words([beat.value], style="bold")
        yield Padding(text, (0, 0, 0, indent))
