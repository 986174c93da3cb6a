"""Which files of a walk are left out: `.gitignore`, configured patterns, and folders nobody wants linted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what a scan without a pattern never imports
    from pathspec import GitIgnoreSpec

EXCLUDED_FOLDERS = frozenset(
    {".bzr", ".direnv", ".eggs", ".git", ".hg", ".hypothesis", ".idea", ".ipynb_checkpoints", ".mypy_cache", ".nox"}
    | {".pants.d", ".pytest_cache", ".pytype", ".racelint_cache", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode"}
    | {"__pycache__", "__pypackages__", "_build", "buck-out", "node_modules", "site-packages", "venv"}
)
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
    current = Path(folder)
    if os.path.exists(current / ".git"):
        return _read(current / ".git" / "info" / "exclude", current)
    for parent in current.parents:
        found[:0] = _read(parent / ".gitignore", parent)
        if os.path.exists(parent / ".git"):
            found[:0] = _read(parent / ".git" / "info" / "exclude", parent)
            return tuple(found)
    return ()


def gitignore_in(folder: str) -> tuple[Patterns, ...]:
    """The patterns of the `.gitignore` that stands in `folder` itself: none or one."""
    return _read(Path(folder) / ".gitignore", Path(folder))


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


def _read(file: Path, base: Path) -> tuple[Patterns, ...]:
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
        return (Patterns(str(base), text.splitlines()),)
    except (OSError, ValueError):  # absent, unreadable, or a pattern that git would not take either
        return ()
