"""The dotted name by which other files import a file, and the file that a dotted name means."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache

from racelint.engine.paths import printable

_INITS = ("__init__.py", "__init__.pyi")
_STANDARD_LIBRARY = os.path.realpath(os.path.dirname(os.__file__))


class ModuleFinder:
    """Answers both questions on one file system; remembers folder listings for the length of a scan."""

    def __init__(self, bases: Iterable[str] = ()) -> None:
        self.bases = tuple(bases)
        """Folders that absolute imports are looked up in after the importer's own, as `sys.path` would hold them."""
        self._listing = lru_cache(maxsize=None)(_names_in)
        self._package = lru_cache(maxsize=None)(self._base_and_package)
        self.locate = lru_cache(maxsize=None)(self._locate)
        """The file of a module by its name, for an importer whose own base is the folder given; None if not ours."""

    def base_and_name(self, path: str) -> tuple[str, str]:
        """The folder above the top-level package of `path` (absolute), and its dotted name from there.

        Folders count as packages while they hold an `__init__.py`, so a `src` layout needs no configuration.
        """
        folder, file = os.path.split(path)
        stem = os.path.splitext(file)[0]
        base, package = self._package(folder)
        if stem == "__init__" and self.is_package(folder):
            return base, package
        return base, f"{package}.{stem}" if package else stem

    def _base_and_package(self, folder: str) -> tuple[str, str]:
        """As `base_and_name`, of a folder; the name is empty where it is no package."""
        parent, name = os.path.split(folder)
        if parent == folder or not self.is_package(folder):
            return folder, ""
        base, above = self._package(parent)
        return base, f"{above}.{name}" if above else name

    def is_package(self, folder: str) -> bool:
        return any(name in self._listing(folder) for name in _INITS)

    def _locate(self, name: str, base: str) -> str | None:
        parts = name.split(".")
        for folder in dict.fromkeys((base, *self.bases)):
            file = self._file_of(folder, parts)
            if file is not None:
                return file
        return None

    def _file_of(self, folder: str, parts: list[str]) -> str | None:
        for part in parts[:-1]:
            if part not in self._listing(folder):
                return None
            folder = os.path.join(folder, part)
        last = parts[-1]
        names = self._listing(folder)
        if last in names and "__init__.py" in self._listing(os.path.join(folder, last)):
            return os.path.join(folder, last, "__init__.py")
        if last + ".py" in names:
            return os.path.join(folder, last + ".py")
        return None


def in_standard_library(path: str) -> bool:
    """Whether `path` belongs to the interpreter's own library (installed packages do not)."""
    inside = path.startswith(_STANDARD_LIBRARY + os.sep)
    return inside and not path.startswith(os.path.join(_STANDARD_LIBRARY, "site-packages") + os.sep)


def unique_names(defaults: Mapping[str, str], imported_as: Mapping[str, set[str]], root: str) -> dict[str, str]:
    """One module name for each path, no two alike.

    `defaults` holds each path's name by its packages. A name that files import it by is better where it only says
    more in front (`space.pkg.mod` for `pkg.mod`: a namespace package). Files that would share a name are told apart
    by their folders below `root`.
    """
    chosen: dict[str, str] = {}
    taken: set[str] = set()
    for path in sorted(defaults):
        longer = sorted(n for n in imported_as.get(path, ()) if n.endswith("." + defaults[path]))
        name = max(longer, key=len) if longer else defaults[path]
        if name in taken:
            name = _by_folder(path, root)
        while name in taken:
            name += "_"
        taken.add(name)
        chosen[path] = name
    return chosen


def _by_folder(path: str, root: str) -> str:
    relative = os.path.relpath(path, root)
    parts = os.path.splitext(relative)[0].split(os.sep)
    if parts[-1] == "__init__":
        parts.pop()
    return printable(".".join(part for part in parts if part != os.pardir) or path)


def _names_in(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()
