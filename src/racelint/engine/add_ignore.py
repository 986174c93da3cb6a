"""Write the comments that silence findings: at the end of the line, or of the statement where the line has no room."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable

from racelint.engine.directives import unbroken
from racelint.model.finding import Finding

_OWN = re.compile(r"(#\s*racelint:\s*ignore\[)([^\]]*)(\])")


def with_ignores(source: bytes, findings: Iterable[Finding], reason: str = "") -> bytes:
    """The file with a comment for each finding; those that are there get the further codes.

    Raises UnicodeError or SyntaxError where the file cannot be read or written in its own encoding.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    text = source.decode(encoding)
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)  # as Python counts them: a form feed ends no line
    runs = unbroken(tokenize.generate_tokens(io.StringIO(text).readline))
    wanted: dict[int, set[str]] = {}
    for finding in findings:
        last = runs[finding.line][-1] if finding.line in runs else finding.line
        wanted.setdefault(last, set()).add(finding.code)
    for number, codes in wanted.items():
        if 0 < number <= len(lines):
            lines[number - 1] = _with_codes(lines[number - 1], sorted(codes), reason)
    return "".join(lines).encode(encoding)


def _with_codes(line: str, codes: list[str], reason: str) -> str:
    match = _OWN.search(line)
    if match is not None:
        there = [code.strip() for code in match[2].split(",") if code.strip()]
        merged = ", ".join(dict.fromkeys((*there, *codes)))
        return f"{line[: match.start()]}{match[1]}{merged}{match[3]}{line[match.end() :]}"
    body = line.rstrip("\r\n")
    comment = f"# racelint: ignore[{', '.join(codes)}] {reason}".rstrip()
    return f"{body.rstrip()}  {comment}{line[len(body) :]}"
