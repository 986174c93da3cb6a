"""Source lines with carets under the part that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from racelint.report.columns import blank
from racelint.report.style import Style

WIDEST = 150
"""Longer source lines are cut around the caret."""

_WORD = re.compile(r"[\w.]+")


class Mark(msgspec.Struct, frozen=True):
    """A place to underline; `end_column` 0 means to the end of the name there. `main` is the finding's own place."""

    path: str
    line: int
    column: int
    label: str
    end_column: int = 0
    main: bool = False


def render_snippets(marks: Iterable[Mark], lines: Mapping[str, Sequence[str]], home: str, style: Style) -> list[str]:
    """The marked lines in the order given; a mark in another file than `home` is headed by its place."""
    shown = list(marks)
    width = len(str(max((mark.line for mark in shown), default=1)))
    margin = style(" " * width + " |", "blue")
    output = [margin]
    for position, mark in enumerate(shown):
        if mark.path != home:
            output.append(style(" " * width + "-->", "blue") + f" {mark.path}:{mark.line}:{mark.column}")
        elif position and abs(mark.line - shown[position - 1].line) > 1:
            output.append(style(" " * width + " :", "blue"))
        source = lines.get(mark.path, ())
        text = source[mark.line - 1] if 0 < mark.line <= len(source) else ""
        number = style(f"{mark.line:>{width}} |", "blue")
        clipped, column, end = _clip(text, mark)
        output.append(f"{number} {visible(clipped)}".rstrip())
        output.append(f"{margin} {_underline(clipped, column, end, mark, style)}")
    return output


def _clip(text: str, mark: Mark) -> tuple[str, int, int]:
    """The part of a long line around the mark, and the 0-based start and end of the mark in it."""
    start = min(max(mark.column - 1, 0), len(text))
    end = mark.end_column - 1 if mark.end_column else _name_end(text, start)
    end = min(max(end, start + 1), max(len(text), start + 1))
    if len(text) <= WIDEST:
        return text, start, end
    offset = max(0, min(start - WIDEST // 3, len(text) - WIDEST))
    return text[offset : offset + WIDEST], start - offset, min(end - offset, WIDEST)


def _name_end(text: str, start: int) -> int:
    match = _WORD.match(text, start)
    return match.end() if match else start + 1


def _underline(text: str, start: int, end: int, mark: Mark, style: Style) -> str:
    before = "".join(blank(character) for character in text[:start])
    width = max(1, sum(len(blank(character)) for character in text[start:end]))
    carets = ("^" if mark.main else "-") * width
    return (before + style(f"{carets} {mark.label}".rstrip(), "red" if mark.main else "cyan")).rstrip()


def visible(text: str) -> str:
    """`text` with nothing in it that a terminal would obey."""
    return "".join(character if character.isprintable() or character == "\t" else "\ufffd" for character in text)
