"""Source bytes as lines, numbered as Python numbers them."""

from __future__ import annotations

import io
import tokenize


def text_of(source: bytes) -> str:
    """`source` decoded by its PEP 263 declaration, as well as can be where that does not fit, with plain newlines."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        decoded = source.decode(encoding, "replace")
    except (SyntaxError, LookupError):
        decoded = source.decode("utf-8", "replace")
    return decoded.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def lines_of(source: bytes) -> tuple[str, ...]:
    """The lines of `source` without their ends; only line feeds and carriage returns end a line."""
    return tuple(text_of(source).split("\n"))
