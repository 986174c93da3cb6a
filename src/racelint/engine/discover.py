"""From the paths on the command line to the Python files to report on."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache

import msgspec

from racelint.engine.ignoring import (
    Patterns,
    excluded_by_name,
    gitignore_in,
    gitignores_above,
    left_out,
)
from racelint.engine.paths import absolute, display_path
from racelint.model.result import Problem, ProblemKind

SUFFIXES = (".py", ".pyw")

Excludes = Callable[[str], tuple[Patterns, ...]]
"""The configured patterns that hold for what stands in a folder (absolute)."""


class Discovery(msgspec.Struct, frozen=True):
    """Absolute paths of the files to report on, sorted and without duplicates, and what went wrong on the way."""

    files: tuple[str, ...]
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


class WalkOptions(msgspec.Struct, frozen=True):
    """How to walk: `excludes` are the configured patterns; `force_exclude` obeys them for what is named outright, too.

    `present` are files (absolute) that count as there though the disk has none, as one that an editor has not saved.
    """

    excludes: Excludes = lambda folder: ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    present: Collection[str] = ()


PLAINLY = WalkOptions()


def discover(paths: Sequence[str], cwd: str, how: WalkOptions = PLAINLY) -> Discovery:
    """Every Python file that `paths` name.

    A file named outright is taken whatever its suffix, and, unless forced, whatever `excludes` say. Folders are walked
    without following links to folders, leaving out what `.gitignore`, `excludes` and the built-in list of folders say.
    The same file reached twice, as by a link, counts once.
    """
    walk = _Walk(cwd, how)
    for given in paths:
        walk.take(given)
    return Discovery(walk.unique_files(), tuple(walk.errors), tuple(walk.warnings))


class _Walk:
    def __init__(self, cwd: str, how: WalkOptions) -> None:
        self.cwd = cwd
        self.how = how
        self.found: list[str] = []
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []

    def take(self, given: str) -> None:
        path = absolute(os.path.join(self.cwd, given))
        try:
            mode = stat.S_IFREG if path in self.how.present else os.stat(path).st_mode
        except OSError as error:
            self.errors.append(self._problem("missing-path", path, _reason(error)))
            return
        folder = stat.S_ISDIR(mode)
        if self.how.force_exclude and self._forced_out(path, folder=folder):
            return
        if folder:
            self._take_folder(path)
        elif stat.S_ISREG(mode):
            self.found.append(path)
        else:
            self.errors.append(self._problem("missing-path", path, "not a regular file"))

    def _take_folder(self, path: str) -> None:
        before = len(self.found)
        troubles = len(self.errors)
        above = gitignores_above(path) if self.how.respect_gitignore else ()
        if left_out(path, folder=True, patterns=above):
            above = ()  # asked for by name: what hides it from git does not hide it from the user
        self.found.extend(self._below(path, above))
        if len(self.found) == before and len(self.errors) == troubles:
            self.warnings.append(self._problem("no-python", path, "no Python files found"))

    def _below(self, folder: str, patterns: tuple[Patterns, ...]) -> Iterator[str]:
        """The files under `folder`, by an explicit stack: deep trees must not exhaust ours."""
        stack = [(folder, patterns)]
        while stack:
            current, inherited = stack.pop()
            try:
                with os.scandir(current) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                self.errors.append(self._problem("unreadable-directory", current, _reason(error)))
                continue
            here = (*inherited, *gitignore_in(current)) if self.how.respect_gitignore else ()
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not self._skips(entry.path, here, folder=True) and not excluded_by_name(entry.path, entry.name):
                        stack.append((entry.path, here))
                elif entry.name.endswith(SUFFIXES) and _is_file(entry) and not self._skips(entry.path, here):
                    yield entry.path

    def _skips(self, path: str, patterns: tuple[Patterns, ...], *, folder: bool = False) -> bool:
        excludes = self.how.excludes(os.path.dirname(path))
        return left_out(path, folder=folder, patterns=excludes) or left_out(path, folder=folder, patterns=patterns)

    def _forced_out(self, path: str, *, folder: bool) -> bool:
        """Whether `path` or a folder above it, up to the working directory, is excluded."""
        excludes = self.how.excludes(path if folder else os.path.dirname(path))
        if left_out(path, folder=folder, patterns=excludes):
            return True
        current = path if folder else os.path.dirname(path)
        while current.startswith(self.cwd + os.sep):
            if left_out(current, folder=True, patterns=excludes):
                return True
            if excluded_by_name(current, os.path.basename(current)):
                return True
            current = os.path.dirname(current)
        return False

    def unique_files(self) -> tuple[str, ...]:
        """The files found, one path for each real file: of several the one that is no link, then the first."""
        by_target: dict[str, str] = {}
        real_folder = lru_cache(maxsize=None)(os.path.realpath)
        for path in sorted(set(self.found)):
            folder, name = os.path.split(path)
            target = os.path.realpath(path) if os.path.islink(path) else os.path.join(real_folder(folder), name)
            if target not in by_target or path == target:
                by_target[target] = path
        return tuple(sorted(by_target.values()))

    def _problem(self, kind: ProblemKind, path: str, message: str) -> Problem:
        return Problem(kind, message, display_path(path, self.cwd))


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that points to itself
        return False


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
