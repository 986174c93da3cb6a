"""Text to a LibCST module, which keeps every character: edits start from it, and it has the last word on findings."""

from __future__ import annotations

import re

import libcst as cst

from racelint.syntax.source import MAX_NESTING, UnreadableSource, decode, nesting_depth


def parse(source: bytes) -> tuple[cst.Module, str]:
    """Parse one file; returns the module and its text. Raises UnreadableSource."""
    text = decode(source)
    depth, line = nesting_depth(text)
    if depth > MAX_NESTING:
        raise UnreadableSource(f"{depth} nested brackets: Python itself allows {MAX_NESTING}", line)
    try:
        return cst.parse_module(text.removeprefix("\ufeff")), text
    except cst.ParserSyntaxError as error:
        reason = error.message.split("\n")[0].strip()
        raise UnreadableSource(f"syntax error: {_plain(reason)}", error.raw_line, error.raw_column + 1) from None
    except (RecursionError, MemoryError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableSource(f"cannot be parsed: {type(error).__name__}: {error}"[:200]) from None


def _plain(reason: str) -> str:
    """LibCST's message without the parser's internals (`expected one of …` lists dozens of tokens)."""
    reason = reason.removeprefix("parser error: ").removeprefix("Syntax Error @ ")
    found = re.match(r"error at (\d+):(\d+): expected (.*)", reason)
    if not found:
        return reason
    wanted = found[3]
    return "unexpected token" if len(wanted) > 60 else f"expected {wanted}"
