"""Comments in the source that silence a finding: `# racelint: ignore[RL101] reason` and `# noqa: RL101`.

Both must name codes, or prefixes of codes: a bare `# noqa` is meant for other linters, and hiding a race takes intent.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Mapping

_OWN = re.compile(r"#\s*racelint:\s*ignore\[(?P<codes>[^\]]*)\]", re.IGNORECASE)
_NOQA = re.compile(r"#\s*noqa\s*:\s*(?P<codes>[A-Z][A-Z0-9]*(?:(?:\s*,\s*|\s+)[A-Z]+[0-9]+)*)", re.IGNORECASE)
_CODE = re.compile(r"RL\d{0,3}\b")

Suppressions = Mapping[int, frozenset[str]]
"""For each 1-based line, the codes and prefixes that a comment on it silences."""


def suppressions_of(text: str) -> Suppressions:
    """The suppressions of a file by line; those inside strings are no comments and do not count."""
    if "racelint:" not in text and "noqa" not in text.lower():
        return {}
    found: dict[int, frozenset[str]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (codes := _codes_in(token.string)):
                line = token.start[0]
                found[line] = found.get(line, frozenset()) | codes
    except (tokenize.TokenError, SyntaxError):
        pass  # a file that ends inside a bracket is RL900; what came before still counts
    return found


def is_suppressed(code: str, line: int, end_line: int, suppressions: Suppressions) -> bool:
    """Whether a comment on the first or the last line of a finding silences `code`."""
    named = suppressions.get(line, frozenset()) | suppressions.get(end_line, frozenset())
    return any(code.startswith(prefix) for prefix in named)


def _codes_in(comment: str) -> frozenset[str]:
    clauses = [match["codes"] for pattern in (_OWN, _NOQA) for match in pattern.finditer(comment)]
    return frozenset(code for clause in clauses for code in _CODE.findall(clause.upper()))
