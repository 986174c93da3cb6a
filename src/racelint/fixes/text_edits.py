"""Edits of a text: found by comparing two, applied to one, told apart where they would clash."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from racelint.model.fix import Edit

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class StaleEdit(ValueError):
    """An edit that lies outside of the text it is to be applied to: it was made for another."""


def split_lines(text: str) -> list[str]:
    """The lines with their ends; only line feeds and carriage returns end one."""
    return _LINE.findall(text)


def edits_between(before: str, after: str) -> tuple[Edit, ...]:
    """Whole-line edits, in order, that make `after` of `before`."""
    old, new = split_lines(before), split_lines(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    inner_old, inner_new = old[head : len(old) - tail], new[head : len(new) - tail]
    matcher = SequenceMatcher(None, inner_old, inner_new, autojunk=False)
    return tuple(
        _edit(old, head + start, head + stop, "".join(inner_new[left:right]))
        for kind, start, stop, left, right in matcher.get_opcodes()
        if kind != "equal"
    )


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines two lists have in common from their start on."""
    length = 0
    for left, right in zip(old, new, strict=False):
        if left != right:
            break
        length += 1
    return length


def _edit(lines: list[str], start: int, stop: int, content: str) -> Edit:
    if stop < len(lines) or (lines and lines[-1].endswith(("\r", "\n"))) or not lines:
        return Edit(start + 1, 1, stop + 1, 1, content)
    return Edit(start + 1, 1, stop, len(lines[-1]) + 1, content)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """`text` with the edits made. Raises StaleEdit where one does not fit or two overlap."""
    starts = [0]
    for line in split_lines(text):
        starts.append(starts[-1] + len(line))
    result: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.column)):
        start = _offset(starts, text, edit.line, edit.column)
        end = _offset(starts, text, edit.end_line, edit.end_column)
        if start < position or end < start:
            raise StaleEdit(f"an edit of line {edit.line} overlaps another")
        result += [text[position:start], edit.content]
        position = end
    return "".join([*result, text[position:]])


def _offset(starts: list[int], text: str, line: int, column: int) -> int:
    if line == len(starts) and column == 1:
        return len(text)
    if not 0 < line <= len(starts) - 1 or starts[line - 1] + column - 1 > starts[line]:
        raise StaleEdit(f"the text has no line {line}, column {column}")
    return starts[line - 1] + column - 1


def clash(left: Iterable[Edit], right: Iterable[Edit]) -> bool:
    """Whether two sets of edits touch the same lines, or put something in at the same place."""
    return any(_meet(a, b) for a in left for b in right)


def _meet(a: Edit, b: Edit) -> bool:
    start_a, end_a, start_b, end_b = (*_ends(a), *_ends(b))
    return (start_a < end_b and start_b < end_a) or start_a == start_b


def _ends(edit: Edit) -> tuple[tuple[int, int], tuple[int, int]]:
    return (edit.line, edit.column), (edit.end_line, edit.end_column)


def moved_line(line: int, edits: Iterable[Edit]) -> int:
    """The number that an unchanged line of the text before has after the edits; a changed one that of its place."""
    shift = 0
    for edit in sorted(edits, key=lambda edit: edit.line):
        if edit.end_line <= line:
            shift += edit.content.count("\n") - (edit.end_line - edit.line)
    return line + shift


def lines_changed(edits: Iterable[Edit]) -> Iterator[int]:
    """The numbers of the lines that edits replace or put something before."""
    for edit in edits:
        yield from range(edit.line, max(edit.line + 1, edit.end_line))
