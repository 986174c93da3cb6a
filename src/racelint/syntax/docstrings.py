"""What documentation says of threads: that a function or class is not for several of them at once."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator

from racelint.model.summary import DISCLAIMED, Directive

_UNSAFE = (
    r"(?:not|n't)\s+(?:be\s+)?thread[\s-]*safe|(?:un|non-?)thread[\s-]*safe|thread[\s-]*unsafe"
    r"|(?:not|n't)\s+(?:be\s+)?safe\s+(?:to\s+(?:call|use|share)|for\s+use)\s+(?:it\s+)?"
    r"(?:from|by|in|with|between)\s+(?:multiple|several|different|many)\s+threads"
)
_NEAR = (re.compile(r"thread[\s-]*(?:un)?safe"), re.compile(r"safe\s+(?:to|for)\s"))
"""One of them is in each: what begins with a word is looked for in a fraction of the time."""
_DISCLAIMER = re.compile(
    r"(?:^|[.:!*(]\s+|\b(?:this|it|they|these|instances|objects)\b(?:\s+\w+){0,4}\s+)(?:is\s*|are\s*)?(?:\*+)?"
    rf"(?:{_UNSAFE})",
    re.IGNORECASE,
)
"""Of itself, not of what it protects: `This method is not thread-safe`, `Not thread-safe.`"""


def disclaimers_of(definitions: Iterable[ast.AST], text: str) -> Iterator[Directive]:
    """One for each function and class whose docstring says that it is not thread-safe, at the line of its name.

    `definitions` are those of the file with this text; what else is among them does not count.
    """
    if not _may_disclaim(text):
        return
    for node in definitions:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        docstring = ast.get_docstring(node, clean=False)
        if docstring and _may_disclaim(docstring) and _DISCLAIMER.search(inspect.cleandoc(docstring)):
            yield Directive(node.lineno, DISCLAIMED, "", False)


def _may_disclaim(text: str) -> bool:
    lower = text.lower()
    return any(near.search(lower) for near in _NEAR)
