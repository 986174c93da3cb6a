"""File changes as a patch that `git apply` and `patch` take: bytes, since files have encodings of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import unified_diff

from racelint.model.mended import FileChange

_PLAIN = re.compile(r"[\x20-\x7e]*")


def render_diff(changes: Iterable[FileChange]) -> bytes:
    """The patch, in paths as findings show them; empty where nothing changes."""
    return b"".join(line for change in changes for line in _lines(change))


def _lines(change: FileChange) -> Iterator[bytes]:
    before, after = _split(change.before), _split(change.after)
    old, new = _named("a", change.display), _named("b", change.display)
    for line in unified_diff(before, after, old, new, lineterm="\n"):
        yield line.encode("latin-1")
        if not line.endswith("\n"):
            yield b"\n\\ No newline at end of file\n"


def _split(source: bytes) -> list[str]:
    """Lines as git sees them: only a line feed ends one. Each byte is one character."""
    return re.findall(r"[^\n]*\n|[^\n]+", source.decode("latin-1"))


def _named(side: str, display: str) -> str:
    """A path as git writes it: in quotes where it holds anything unusual; behind one with spaces stands a tab."""
    path = f"{side}/{display.lstrip('/')}"
    if _PLAIN.fullmatch(path) and '"' not in path and "\\" not in path:
        return path + "\t" if " " in path else path
    quoted = "".join(_escaped(byte) for byte in path.encode("utf-8", "surrogateescape"))
    return f'"{quoted}"'


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return "\\" + character
    return character if 0x20 <= byte <= 0x7E else f"\\{byte:03o}"
