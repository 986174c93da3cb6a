"""Source code for the page: lines cut into coloured pieces, with what is marked and which locks are held."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise

import msgspec
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Literal, Name, Number, String, _TokenType

from racelint.model.overview import LockedLines

_COLOURS: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "c"),
    (String, "s"),
    (Number, "n"),
    (Literal, "n"),
    (Keyword, "k"),
    (Name.Decorator, "d"),
    (Name.Function, "f"),
    (Name.Class, "f"),
)
_LONGEST = 240
"""Characters of a line that are shown; no one reads the rest of a minified file here."""


class Piece(msgspec.Struct, frozen=True):
    """A stretch of one line. `colour` is a class of the style sheet or empty, `marked` part of the access itself."""

    text: str
    colour: str = ""
    marked: bool = False


class CodeLine(msgspec.Struct, frozen=True):
    """A line of a block; `label` says what happens on it, `held` which of the block's locks are held here, by index.

    `gap` says that lines were left out before it.
    """

    number: int
    pieces: tuple[Piece, ...]
    label: str = ""
    held: tuple[int, ...] = ()
    gap: bool = False

    @property
    def marked(self) -> bool:
        """Whether the line is pointed out."""
        return bool(self.label) or any(piece.marked for piece in self.pieces)


class CodeBlock(msgspec.Struct, frozen=True):
    """Some lines of a file, and the locks that are held on any of them with the lines where they are, as text."""

    path: str
    lines: tuple[CodeLine, ...]
    locks: tuple[tuple[str, str], ...] = ()


class Mark(msgspec.Struct, frozen=True):
    """A place to point out: 1-based, the end column exclusive, 1 for that of the name that begins there."""

    path: str
    line: int
    column: int
    label: str
    end_column: int = 1


class SourceBook:
    """The sources that a page quotes from, coloured when first asked for."""

    def __init__(self, lines: Mapping[str, Sequence[str]], locked: Iterable[LockedLines]) -> None:
        self._lines = lines
        self._pieces: dict[str, list[list[Piece]]] = {}
        self._locked: dict[str, list[LockedLines]] = {}
        for stretch in locked:
            self._locked.setdefault(stretch.path, []).append(stretch)

    def blocks(self, marks: Iterable[Mark], context: int) -> list[CodeBlock]:
        """A block for each file, with `context` lines around its marks and the line that opens their function."""
        by_file: dict[str, list[Mark]] = {}
        for mark in marks:
            if 0 < mark.line <= len(self.lines(mark.path)):
                by_file.setdefault(mark.path, []).append(mark)
        return [self._block(path, found, context) for path, found in by_file.items()]

    def lines(self, path: str) -> Sequence[str]:
        """The lines of a file; none where the page does not have it."""
        return self._lines.get(path, ())

    def text(self, path: str, number: int) -> str:
        """One line without its indentation; empty where the page does not have it."""
        lines = self.lines(path)
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    def _block(self, path: str, marks: Sequence[Mark], context: int) -> CodeBlock:
        numbers = _wanted(self._lines[path], marks, context)
        held: dict[str, list[int]] = {}
        for stretch in self._locked.get(path, ()):
            here = [number for number in numbers if stretch.first <= number <= stretch.last]
            if here:
                held.setdefault(stretch.lock, []).extend(here)
        return CodeBlock(
            path,
            tuple(self._shown(path, numbers, marks, [set(lines) for lines in held.values()])),
            tuple((lock, _ranges(sorted(set(lines)), numbers)) for lock, lines in held.items()),
        )

    def _shown(
        self, path: str, numbers: Sequence[int], marks: Sequence[Mark], held: Sequence[set[int]]
    ) -> Iterator[CodeLine]:
        coloured = self._coloured(path)
        indent = min(
            (_indent(self._lines[path][number - 1]) for number in numbers if self.text(path, number)), default=0
        )
        before = numbers[0] - 1
        for number in numbers:
            here = [mark for mark in marks if mark.line == number]
            yield CodeLine(
                number=number,
                pieces=tuple(_joined(_without(indent, _cut(coloured[number - 1], here)))),
                label="; ".join(dict.fromkeys(mark.label for mark in here if mark.label)),
                held=tuple(lock for lock, lines in enumerate(held) if number in lines),
                gap=number > before + 1,
            )
            before = number

    def _coloured(self, path: str) -> list[list[Piece]]:
        if path not in self._pieces:
            self._pieces[path] = _colour(self._lines[path])
        return self._pieces[path]


def _colour(lines: Sequence[str]) -> list[list[Piece]]:
    """The pieces of every line. Lines are told apart by their ends here, whatever else the lexer takes for one."""
    result: list[list[Piece]] = [[]]
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    for _, token, text in lexer.get_tokens_unprocessed("\n".join(lines)):
        colour = next((name for kind, name in _COLOURS if kind in token.split()), "")
        first, *others = text.split("\n")
        if first:
            result[-1].append(Piece(first, colour))
        for other in others:
            result.append([Piece(other, colour)] if other else [])
    return result


def _cut(pieces: Sequence[Piece], marks: Sequence[Mark]) -> Iterator[Piece]:
    """The pieces of a line, cut where a mark begins or ends, with characters made visible that are none."""
    text = "".join(piece.text for piece in pieces)
    spans = [(mark.column - 1, mark.end_column - 1 or _name_end(text, mark.column)) for mark in marks]
    edges = sorted({edge for span in spans for edge in span})
    start = 0
    for piece in pieces:
        end = min(start + len(piece.text), _LONGEST)
        cuts = [start, *(edge for edge in edges if start < edge < end), end]
        for first, last in pairwise(cuts):
            marked = any(span[0] <= first < span[1] for span in spans)
            yield from _visible(text[first:last], piece.colour, marked=marked)
        start += len(piece.text)
        if start > _LONGEST:
            yield Piece("…")
            return


def _without(indent: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces without the first `indent` characters, which all lines of a block share."""
    for piece in pieces:
        text = piece.text[indent:]
        indent -= len(piece.text) - len(text)
        if text:
            yield msgspec.structs.replace(piece, text=text)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces with those in a row made one that look alike."""
    for (colour, marked), alike in groupby(pieces, key=lambda piece: (piece.colour, piece.marked)):
        yield Piece("".join(piece.text for piece in alike), colour, marked)


def _name_end(text: str, column: int) -> int:
    """The 0-based end of the dotted name that begins at a 1-based column."""
    end = column - 1
    while end < len(text) and (text[end].isalnum() or text[end] in "._"):
        end += 1
    return max(end, column)


def _visible(text: str, colour: str, *, marked: bool) -> Iterator[Piece]:
    """`text` with each character that would not show, or would reorder its neighbours, spelled out."""
    plain = ""
    for character in text:
        if character == "\t" or unicodedata.category(character)[0] != "C":
            plain += character
            continue
        if plain:
            yield Piece(plain, colour, marked)
        yield Piece(f"U+{ord(character):04X}", "x", marked)
        plain = ""
    if plain:
        yield Piece(plain, colour, marked)


def _wanted(lines: Sequence[str], marks: Sequence[Mark], context: int) -> list[int]:
    """The numbers of the lines to show, in order; blank ones neither begin nor end a run."""
    marked = {mark.line for mark in marks}
    wanted: set[int] = set()
    for number in marked:
        first, last = _around(lines, number)
        wanted.add(first)
        wanted.update(range(max(first, number - context), min(last, number + context) + 1))
    for step in (1, -1):
        for number in sorted(wanted, reverse=step < 0):
            if number - step not in wanted and number not in marked and not lines[number - 1].strip():
                wanted.discard(number)
    return sorted(wanted)


def _around(lines: Sequence[str], number: int) -> tuple[int, int]:
    """The first and last line of the innermost function or class around `number`, told by indentation alone.

    The whole file where there is none; a line that opens one belongs to it.
    """
    depth = _indent(lines[number - 1]) + _opens(lines[number - 1])
    for above in range(number, 0, -1):
        line = lines[above - 1]
        if line.strip() and _indent(line) < depth:
            depth = _indent(line)
            if _opens(line):
                return above, _end(lines, above, depth)
    return max(1, number - 1), len(lines)


def _end(lines: Sequence[str], opening: int, depth: int) -> int:
    """The last line of the block that `opening` opens at an indentation of `depth`."""
    for below in range(opening, len(lines)):
        if lines[below].strip() and _indent(lines[below]) <= depth and not lines[below].lstrip().startswith((")", "]")):
            return below
    return len(lines)


def _opens(line: str) -> bool:
    return line.lstrip().startswith(("def ", "async def ", "class "))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _ranges(held: Sequence[int], shown: Sequence[int]) -> str:
    """`9–13, 20`: runs of the lines shown."""
    runs: list[list[int]] = []
    for number in held:
        if runs and shown.index(number) == shown.index(runs[-1][-1]) + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
