"""`# racelint: …` comments that inform the analysis (suppressions are the engine's)."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

from racelint.model.summary import Directive

ANNOTATIONS = ("guarded-by", "holds", "thread-safe", "thread-confined")

_DIRECTIVE = re.compile(rf"#\s*racelint:\s*(?P<verb>{'|'.join(ANNOTATIONS)})\b\s*(?:\((?P<arg>.*?)\))?\s*(?:#|$)")


def directives_of(text: str) -> Iterator[Directive]:
    """The directives of a file in source order; those inside strings are not comments and do not count."""
    if "racelint:" not in text:
        return
    lines = text.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (found := _DIRECTIVE.search(token.string)):
                line, column = token.start
                own_line = not lines[line - 1][:column].strip()
                yield Directive(line, found["verb"], (found["arg"] or "").strip(), own_line)
    except (tokenize.TokenError, SyntaxError, IndexError):
        return
