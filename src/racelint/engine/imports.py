"""Which modules a file imports, read from its bytes without parsing: enough to know what to analyse with it.

The search errs on the side of too much. An import inside a string costs a file that was not needed, a missed one
costs a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STATEMENT = re.compile(
    r"""(?:^|[;:])[ \t\f]*
        (?: from [ \t]* (?P<dots>[. \t]*) (?P<module>[\w.]*) [ \t]* (?:\\\r?\n[ \t]*)? import \b
            [ \t]* (?P<names> \( [^)]* \) | (?:\\\r?\n|[^\n;#])* )
          | import [ \t]+ (?P<modules> (?:\\\r?\n|[^\n;#])+ ) )""",
    re.MULTILINE | re.VERBOSE,
)
_COMMENT = re.compile(r"#[^\n]*")
_NAME = re.compile(r"[\w.]+")


def imported_names(source: bytes, module: str, *, is_package: bool) -> tuple[str, ...]:
    """Dotted names that `source`, the text of `module`, may import, in order of first mention.

    `from a import b` gives `a` and `a.b`, since `b` may be a module. Relative imports come out absolute, or not at
    all where they leave the top-level package.
    """
    if b"import" not in source:
        return ()
    text = source.decode("utf-8", "replace")
    found: dict[str, None] = {}
    for match in _STATEMENT.finditer(text):
        if match["modules"] is not None:
            found.update(dict.fromkeys(_first_words(match["modules"])))
        else:
            found.update(dict.fromkeys(_from_import(match, module, is_package=is_package)))
    return tuple(found)


def _from_import(match: re.Match[str], module: str, *, is_package: bool) -> Iterator[str]:
    base = match["module"].strip(".")
    level = match["dots"].count(".") + _leading_dots(match["module"])
    if level:
        package = module.split(".") if is_package else module.split(".")[:-1]
        kept = package[: len(package) - (level - 1)]
        if level - 1 > len(package) or not kept:
            return
        base = ".".join([*kept, base] if base else kept)
    if not base:
        return
    yield base
    for name in _first_words(_COMMENT.sub("", match["names"]).strip("() \t\r\n")):
        yield f"{base}.{name}"


def _leading_dots(text: str) -> int:
    return len(text) - len(text.lstrip("."))


def _first_words(clause: str) -> Iterator[str]:
    """The name of each `name as other` in a comma-separated clause."""
    for part in clause.split(","):
        match = _NAME.search(part)
        if match:
            yield match[0].strip(".")
