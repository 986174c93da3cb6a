"""Places as SARIF writes them."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any
from urllib.parse import quote


def location(
    path: str, line: int, column: int, end: tuple[int, int] | None = None, message: str = ""
) -> dict[str, Any]:
    """A place, 1-based, the end exclusive; `message` is what happens there."""
    region: dict[str, Any] = {"startLine": line, "startColumn": column}
    if end is not None:
        region |= {"endLine": end[0], "endColumn": end[1]}
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": uri(path)}, "region": region}}
    return place | {"message": {"text": message}} if message else place


def uri(path: str) -> str:
    """`path` as shown to people as a URI reference: relative where it is relative."""
    return PurePath(path).as_uri() if PurePath(path).is_absolute() else quote(path)
