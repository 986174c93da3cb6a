"""What documentation says of threads: that a function or class is not for several of them at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from racelint.model.summary import DISCLAIMED, Directive

_UNSAFE = (
    r"(?:not|n't)\s+(?:be\s+)?thread[\s-]*safe|(?:un|non-?)thread[\s-]*safe|thread[\s-]*unsafe"
    r"|(?:not|n't)\s+(?:be\s+)?safe\s+(?:to\s+(?:call|use|share)|for\s+use)\s+(?:it\s+)?"
    r"(?:from|by|in|with|between)\s+(?:multiple|several|different|many)\s+threads"
)
_MENTION = re.compile(_UNSAFE, re.IGNORECASE)
_NEAR = re.compile(r"thread[\s-]*(?:un)?safe|safe\s+(?:to|for)\s")
"""In each of them: what begins as a word is looked for in a fraction of the time."""
_DISCLAIMER = re.compile(
    r"(?:^|[.:!*(]\s+|\b(?:this|it|they|these|instances|objects)\b(?:\s+\w+){0,4}\s+)(?:is\s*|are\s*)?(?:\*+)?"
    rf"(?:{_UNSAFE})",
    re.IGNORECASE,
)
"""Of itself, not of what it protects: `This method is not thread-safe`, `Not thread-safe.`"""


def disclaimers_of(module: ast.Module, text: str) -> Iterator[Directive]:
    """One for each function and class whose docstring says that it is not thread-safe, at the line of its name."""
    if not _NEAR.search(text.lower()) or not _MENTION.search(text):
        return
    for node in ast.walk(module):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        docstring = ast.get_docstring(node)
        if docstring and _DISCLAIMER.search(docstring):
            yield Directive(node.lineno, DISCLAIMED, "", False)
