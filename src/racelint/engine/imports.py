"""Which modules a file imports, read from its bytes without parsing: enough to know what to analyse with it.

The search errs on the side of too much. An import inside a string costs a file that was not needed, a missed one
costs a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_KEYWORD = re.compile(r"import\b")
_CLAUSE = re.compile(r"[ \t]*(\((?:[^()#]|#[^\n]*)*\)|(?:\\\n|[^\n;#])*)")
_BEFORE_IMPORT = re.compile(r"(?:^|[;:\n])[ \t\f]*$")
_BEFORE_NAMES = re.compile(r"(?:^|[;:\n])[ \t\f]*from\b(?P<origin>[\w.\s\\]*)(?<!\w)$")
_ORIGIN_GOES_ON = re.compile(r"(?!.*import)[\w. \t\f]*\\\n")
_BETWEEN = re.compile(r"[\s\\]+")
_COMMENT = re.compile(r"#[^\n]*")
_NAME = re.compile(r"\w+(?:[\s\\]*\.[\s\\]*\w+)*")


def imported_names(source: bytes, module: str, *, is_package: bool) -> tuple[str, ...]:
    """Dotted names that `source`, the text of `module`, may import, in order of first mention.

    `from a import b` gives `a` and `a.b`, since `b` may be a module. Relative imports come out absolute, or not at
    all where they leave the top-level package.
    """
    text = source.decode("utf-8", "replace").removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    found: dict[str, None] = {}
    for match in _KEYWORD.finditer(text):
        before = _line_up_to(text, match.start())
        if origin := _BEFORE_NAMES.search(before):
            dotted = _BETWEEN.sub("", origin["origin"])
            name = dotted.lstrip(".")
            base = _base(name, len(dotted) - len(name), module, is_package=is_package)
            if base:
                found.update(dict.fromkeys([base, *(f"{base}.{name}" for name in _names(text, match.end()))]))
        elif _BEFORE_IMPORT.search(before):
            found.update(dict.fromkeys(_names(text, match.end())))
    return tuple(found)


def _line_up_to(text: str, end: int) -> str:
    """What is before `end` in its statement, and on lines above with a backslash as far as a name may go on there."""
    start = text.rfind("\n", 0, end) + 1
    goes_on = True
    while goes_on and text.endswith("\\\n", 0, start):
        above = text.rfind("\n", 0, start - 1) + 1
        goes_on = _ORIGIN_GOES_ON.fullmatch(text, above, start) is not None
        start = above
    return text[max(start, text.rfind(";", start, end)) : end]


def _base(name: str, level: int, module: str, *, is_package: bool) -> str:
    """The absolute module that `from <level dots><name>` means inside `module`; empty where it leaves the package."""
    if not level:
        return name
    package = module.split(".") if is_package else module.split(".")[:-1]
    if level > len(package):
        return ""
    kept = package[: len(package) - (level - 1)]
    return ".".join([*kept, name] if name else kept)


def _names(text: str, start: int) -> Iterator[str]:
    """The name of each `name as other` in the comma-separated clause at `start`."""
    clause = _CLAUSE.match(text, start)
    for part in _COMMENT.sub("", clause[0] if clause else "").split(","):
        match = _NAME.search(part)
        if match:
            yield _BETWEEN.sub("", match[0])
