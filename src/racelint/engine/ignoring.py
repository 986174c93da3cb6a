"""Which files of a walk are left out: `.gitignore`, configured patterns, and folders nobody wants linted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what a scan without a pattern never imports
    from pathspec import GitIgnoreSpec

from racelint.config.load import upward

EXCLUDED_FOLDERS = frozenset(
    {".bzr", ".direnv", ".eggs", ".git", ".hg", ".hypothesis", ".idea", ".ipynb_checkpoints", ".mypy_cache", ".nox"}
    | {".pants.d", ".pytest_cache", ".pytype", ".racelint_cache", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode"}
    | {"__pycache__", "__pypackages__", "_build", "buck-out", "node_modules", "site-packages", "venv"}
)
_GITIGNORE = ".gitignore"
_EXCLUDE = os.path.join(".git", "info", "exclude")
BUILD_OUTPUT = frozenset({"build", "dist"})
"""Left out unless they hold an `__init__.py`: a package may well be called `build`."""


class Patterns:
    """Patterns as in `.gitignore`, that hold below `base` (an absolute folder)."""

    def __init__(self, base: str, lines: Iterable[str]) -> None:
        self._prefix = base.rstrip(os.sep) + os.sep
        self._spec = _spec(lines)

    def decides(self, path: str, *, folder: bool) -> bool | None:
        """True to leave `path` (absolute) out, False to keep it by a `!` pattern, None where no pattern speaks."""
        if self._spec is None or not path.startswith(self._prefix):
            return None
        relative = path[len(self._prefix) :].replace(os.sep, "/")
        return self._spec.check_file(relative + "/" if folder else relative).include


def gitignores_above(folder: str) -> tuple[Patterns, ...]:
    """The `.gitignore` files that hold in `folder` from above it, and `.git/info/exclude`: outermost first."""
    found: list[Patterns] = []
    if _is_repository(folder):
        return _read(folder, _EXCLUDE)
    for parent in upward(os.path.dirname(folder)):
        found[:0] = _read(parent, _GITIGNORE)
        if _is_repository(parent):
            found[:0] = _read(parent, _EXCLUDE)
            return tuple(found)
    return ()


def gitignore_in(folder: str) -> tuple[Patterns, ...]:
    """The patterns of the `.gitignore` that stands in `folder` itself: none or one."""
    return _read(folder, _GITIGNORE)


def left_out(path: str, *, folder: bool, patterns: tuple[Patterns, ...]) -> bool:
    """Whether the innermost pattern that speaks of `path` says so; `patterns` run from the outermost in."""
    for candidate in reversed(patterns):
        decision = candidate.decides(path, folder=folder)
        if decision is not None:
            return decision
    return False


def excluded_by_name(path: str, name: str) -> bool:
    """Whether the folder `path` is one that is never descended into: caches, environments, build output."""
    if name in EXCLUDED_FOLDERS or os.path.exists(os.path.join(path, "pyvenv.cfg")):
        return True
    return name in BUILD_OUTPUT and not os.path.exists(os.path.join(path, "__init__.py"))


def _spec(lines: Iterable[str]) -> GitIgnoreSpec | None:
    """The patterns in these lines, if they hold any."""
    kept = tuple(lines)
    if not any(kept):
        return None
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(kept)


def _is_repository(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, ".git"))


def _read(folder: str, name: str) -> tuple[Patterns, ...]:
    """The patterns of the file `name` in `folder`, which hold there and below: none or one."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as stream:
            return (Patterns(folder, stream.read().splitlines()),)
    except (OSError, ValueError):  # absent, unreadable, or a pattern that git would not take either
        return ()
