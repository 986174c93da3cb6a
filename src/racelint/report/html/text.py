"""Text for the page: names in it as code, places to break them, and nothing that hides or reorders its neighbours."""

from __future__ import annotations

import re
from itertools import chain

from markupsafe import Markup

_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    r"\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Characters that do not show, but for white space and what joins others; those that turn the direction of text."""

_LONG_WORD = 24
"""Characters of a word that a narrow column may have to break."""


def spelled(text: str) -> str:
    """`text` with each hidden character as its code point."""
    return _HIDDEN.sub(lambda match: f"U+{ord(match[0]):04X}", text)


def prose(text: str) -> Markup:
    """`text` with what stands in backticks as code."""
    parts = spelled(text).split("`")
    if len(parts) % 2 == 0:
        return Markup("{}").format(spelled(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if position % 2 else part for position, part in enumerate(parts)
    )


def breakable(name: str) -> Markup:
    """A path with places to break it between folders, or a dotted name with some before dots; long words at `_`."""
    shown = spelled(name)
    words = re.split(r"(?<=[/\\])(?=[^/\\])" if re.search(r"[/\\]", shown) else r"(?=[.](?!pyi?$)[^.])", shown)
    pieces = (re.split(r"(?<=_)(?=[^_])", word) if len(word) > _LONG_WORD else [word] for word in words)
    return Markup("<wbr>").join(chain.from_iterable(pieces))
