"""A fix as the lines that it takes away and puts in, with some around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

import msgspec

from racelint.model.fix import Edit

LineKind = Literal["gap", "same", "gone", "new"]


class PatchLine(msgspec.Struct, frozen=True):
    """One line; `number` is that in the file as it is, 0 for what is not in it. A `gap` stands for lines left out."""

    kind: LineKind
    text: str = ""
    number: int = 0


def patch_of(lines: Sequence[str], edits: Sequence[Edit], context: int = 3) -> list[PatchLine]:
    """What `edits` (in order, none overlapping) do to a file of these lines; empty where they do not fit it."""
    if not edits or edits[-1].end_line > len(lines) + 1:
        return []
    changed = "".join(_pieces(lines, edits)).split("\n")
    found: list[PatchLine] = []
    for group in SequenceMatcher(None, lines, changed, autojunk=False).get_grouped_opcodes(context):
        if found:
            found.append(PatchLine("gap"))
        for tag, first, last, start, end in group:
            kind: LineKind = "same" if tag == "equal" else "gone"
            found += [PatchLine(kind, lines[place], place + 1) for place in range(first, last)]
            if tag != "equal":
                found += [PatchLine("new", changed[place]) for place in range(start, end)]
    return found


def _pieces(lines: Sequence[str], edits: Sequence[Edit]) -> Iterator[str]:
    """The text after the edits, cut where they begin and end."""
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    text = "\n".join(lines)
    done = 0
    for edit in edits:
        yield text[done : starts[edit.line - 1] + edit.column - 1]
        yield edit.content.replace("\r\n", "\n").replace("\r", "\n")
        done = starts[edit.end_line - 1] + edit.end_column - 1
    yield text[done:]
