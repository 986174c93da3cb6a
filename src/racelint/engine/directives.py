"""Comments that speak to racelint: what each one silences, and what is wrong with those that silence nothing.

    self.hits += 1  # racelint: ignore[RL101] only statistics
    # racelint: ignore[RL101, RL104] holds for the statement below
    # racelint: file-ignore[RL2] holds for the whole file
    self.hits += 1  # noqa: RL101

A comment must name codes, or prefixes of codes: hiding a race takes intent, and a bare `# noqa` is meant for others.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence

from racelint.model.suppression import Directives, Malformed, Suppression
from racelint.syntax.comments import ANNOTATIONS

IGNORE, FILE_IGNORE = "ignore", "file-ignore"
VERBS = (IGNORE, FILE_IGNORE, *ANNOTATIONS)

_OWN = re.compile(r"#\s*racelint:\s*(?P<verb>[\w-]*)(?P<rest>[^#]*)", re.IGNORECASE)
_BRACKET = re.compile(r"\s*\[(?P<codes>[^\]]*)\](?P<reason>.*)", re.DOTALL)
_NOQA = re.compile(r"#\s*noqa\s*:\s*(?P<codes>[A-Z][A-Z0-9]*(?:(?:\s*,\s*|\s+)[A-Z]+[0-9]+)*)", re.IGNORECASE)
_CODE = re.compile(r"RL\d{0,3}\b")


def directives_in(text: str) -> Directives:
    """The directives of a file in source order; those inside strings are no comments and do not count."""
    suppressions: list[Suppression] = []
    malformed: list[Malformed] = []
    for comment, lines in _comments(text):
        for found in _directives_of(comment, lines):
            (suppressions if isinstance(found, Suppression) else malformed).append(found)  # type: ignore[arg-type]
    return Directives(tuple(suppressions), tuple(malformed))


def _directives_of(comment: tokenize.TokenInfo, lines: range) -> Iterator[Suppression | Malformed]:
    line, offset = comment.start
    for match in _OWN.finditer(comment.string):
        verb = match["verb"].lower()
        place = (line, offset + match.start() + 1, offset + len(match[0].rstrip()) + match.start() + 1)
        bracket = _BRACKET.match(match["rest"])
        codes = _split(bracket["codes"]) if bracket else ()
        if verb not in (IGNORE, FILE_IGNORE):
            if verb not in ANNOTATIONS:
                yield Malformed(verb, None, *place)
        elif not codes:
            yield Malformed(verb, (), *place)
        else:
            reason = bracket["reason"].strip(" \t-:") if bracket else ""
            yield Suppression(codes, reason, *place, lines if verb == IGNORE else None)
    for match in _NOQA.finditer(comment.string):
        codes = tuple(_CODE.findall(match["codes"].upper()))
        if codes:
            place = (line, offset + match.start() + 1, offset + match.end() + 1)
            yield Suppression(codes, "", *place, lines, noqa=True)


def _split(codes: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code.upper() for code in re.split(r"[\s,]+", codes) if code))


def _comments(text: str) -> Iterator[tuple[tokenize.TokenInfo, range]]:
    """Each comment with the lines that it speaks of.

    A comment behind code speaks of its line, and of the whole statement where that begins or ends on this line. One
    that stands alone speaks of the statement below, or inside brackets of the next line that holds code.
    """
    for statement in _statements(text):
        code = [token for token in statement if token.type not in _LAYOUT]
        with_code = sorted({line for token in code for line in range(token.start[0], token.end[0] + 1)})
        whole = unbroken(statement)
        for comment in (token for token in statement if token.type == tokenize.COMMENT):
            yield comment, _spoken_of(comment.start[0], with_code, whole)


def _spoken_of(line: int, with_code: Sequence[int], whole: Mapping[int, range]) -> range:
    """The lines that a comment on `line` speaks of, in a statement that has code on the lines `with_code`."""
    if not with_code:
        return range(line, line + 1)
    first, last = with_code[0], with_code[-1]
    if line < first or line in (first, last):
        return range(first, last + 1)
    if line not in with_code:
        line = next((other for other in with_code if other > line), line)
    return whole.get(line, range(line, line + 1))


def unbroken(tokens: Iterable[tokenize.TokenInfo]) -> dict[int, range]:
    """Lines between which no comment can stand, as inside a string or behind a backslash: each with all of its run."""
    runs: list[list[int]] = []
    before: tokenize.TokenInfo | None = None
    for token in tokens:
        joined = before is not None and before.type not in _BREAKS and token.start[0] > before.end[0]
        first = before.end[0] if before is not None and joined else token.start[0]
        last = token.end[0] if token.type not in _BREAKS else token.start[0]
        if runs and first <= runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], last)
        elif last > first:
            runs.append([first, last])
        before = token
    return {line: range(first, last + 1) for first, last in runs for line in range(first, last + 1)}


_LAYOUT = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    | {tokenize.ENCODING}
)
_BREAKS = _LAYOUT - {tokenize.COMMENT}


def _statements(text: str) -> Iterator[list[tokenize.TokenInfo]]:
    """The tokens of each logical line with the comments before it; of a broken file, those before the break."""
    tokens: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            tokens.append(token)
            if token.type == tokenize.NEWLINE:
                yield tokens
                tokens = []
    except (tokenize.TokenError, SyntaxError):
        pass  # the file is RL900; what came before still counts
    yield tokens
