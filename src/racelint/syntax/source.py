"""Bytes to text, with every way in which a file can be unreadable turned into one exception."""

from __future__ import annotations

import io
import re
import tokenize

MAX_NESTING = 200
"""CPython's own limit on nested brackets; LibCST's native parser crashes the process on some thousands."""

_TOKEN = re.compile(
    r"""(?P<string>(?P<prefix>[A-Za-z]{0,2})(?P<quote>\"\"\"|'''|"|'))|(?P<comment>\#[^\n]*)|(?P<open>[(\[{])|(?P<close>[)\]}])"""
)
_ENDS = {
    quote: re.compile(r"(?s)(?:[^\\]|\\.)*?" + re.escape(quote))
    if len(quote) == 3
    else re.compile(r"(?:[^\\\n]|\\(?s:.))*?(?:" + quote + r"|(?=\n)|\Z)")
    for quote in ('"""', "'''", '"', "'")
}


class UnreadableSource(Exception):
    """A file that cannot be analysed, with the place where reading stopped (1-based; 1, 1 where there is none).

    `lasting` says that it is the same file's fault wherever it is read, not a lack of memory.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1, *, lasting: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.lasting = lasting


def too_much(error: RecursionError | MemoryError) -> UnreadableSource:
    """What is said of a file that takes more room than there is."""
    return UnreadableSource("too deeply nested or too large to analyse", lasting=not isinstance(error, MemoryError))


def encoding_of(source: bytes) -> str:
    """The encoding that a source file declares; `utf-8-sig` where it has a byte-order mark. Raises UnreadableSource."""
    try:
        return tokenize.detect_encoding(io.BytesIO(source).readline)[0]
    except SyntaxError as error:
        raise UnreadableSource(error.msg) from None


def decode(source: bytes) -> str:
    """The text of a source file by its PEP 263 declaration; raises UnreadableSource for anything else."""
    if b"\0" in source:
        raise UnreadableSource("binary file: it contains NUL bytes", source[: source.index(b"\0")].count(b"\n") + 1)
    encoding = encoding_of(source)
    try:
        return source.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = source[:start].count(b"\n") + 1
        raise UnreadableSource(f"cannot be decoded as {encoding}", line) from None


def nesting_depth(text: str) -> tuple[int, int]:
    """The deepest nesting of brackets, those inside f-strings included, and the line of the deepest."""
    deepest, where, depth, position = 0, 0, 0, 0
    while match := _TOKEN.search(text, position):
        position = match.end()
        if match["open"]:
            depth += 1
            if depth > deepest:
                deepest, where = depth, match.start()
        elif match["close"]:
            depth = max(0, depth - 1)
        elif match["string"]:
            ended = _ENDS[match["quote"]].match(text, position)
            end = ended.end() if ended else len(text)
            if set(match["prefix"]) & set("fFtT"):
                inner = _deepest_run(text, position, end)
                if depth + inner > deepest:
                    deepest, where = depth + inner, match.start()
            position = end
    return deepest, text.count("\n", 0, where) + 1


def _deepest_run(text: str, start: int, end: int) -> int:
    depth = deepest = 0
    for position in range(start, end):
        if text[position] in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif text[position] in ")]}":
            depth = max(0, depth - 1)
    return deepest
