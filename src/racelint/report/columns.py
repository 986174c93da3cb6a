"""Text measured in the columns that a terminal gives it: two for a wide character, none for one that combines."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator

_WORD = re.compile(r"\s*\S+")


def columns(text: str) -> int:
    """How many columns `text` takes. It has no tabs."""
    return len(text) if text.isascii() else sum(len(blank(character)) for character in text)


def blank(character: str) -> str:
    """White space as wide as `character` on a terminal."""
    if character == "\t":
        return "\t"
    if unicodedata.combining(character):
        return ""
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "


def padded(text: str, width: int) -> str:
    """`text` with spaces after it, up to `width` columns."""
    return text + " " * (width - columns(text))


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """`text` in lines of at most `width` columns, all but the first indented; one line at least."""
    if text.isascii():
        return textwrap.wrap(text, width, subsequent_indent=indent) or [""]
    return list(_wrapped(text, width, indent))


def _wrapped(text: str, width: int, indent: str) -> Iterator[str]:
    line, taken = "", 0
    for word in _WORD.findall(text):
        if line.strip() and taken + columns(word) > width:
            yield line
            line, taken, word = indent, columns(indent), word.lstrip()
        for character in word:
            if taken + columns(character) > width:
                yield line
                line, taken = indent, columns(indent)
            line, taken = line + character, taken + columns(character)
    yield line
