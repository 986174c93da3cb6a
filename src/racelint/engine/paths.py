"""How a path is shown: relative to the working directory where it lies under it, with forward slashes."""

from __future__ import annotations

import os


def absolute(path: str) -> str:
    """`path` made absolute and normalised, symbolic links kept as they are."""
    return os.path.abspath(path)  # Path.absolute keeps `..`, Path.resolve follows links


def display_path(path: str, cwd: str) -> str:
    """`path` (absolute) as findings show it; undecodable bytes of a file name come out as `\\xe9`."""
    shown = _below(path, cwd) or _below(os.path.realpath(path), cwd) or path
    return printable(shown.replace(os.sep, "/"))


def printable(text: str) -> str:
    """`text` without the lone surrogates that stand for undecodable bytes of a file name."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _below(path: str, folder: str) -> str | None:
    if path == folder:
        return os.curdir
    prefix = folder.rstrip(os.sep) + os.sep
    return path[len(prefix) :] if path.startswith(prefix) else None
