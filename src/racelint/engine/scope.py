"""What a scan analyses: the files asked for, and what they import inside the project, with their names and bytes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from racelint.engine.cache import Cache
from racelint.engine.glance import Glance, Text, glances
from racelint.engine.ignoring import excluded_by_name
from racelint.engine.naming import ModuleFinder, in_standard_library, unique_names
from racelint.engine.paths import display_path, printable
from racelint.engine.prescan import relevant
from racelint.model.source import SourceFile

MAX_BYTES = 64 * 1024 * 1024
"""A file larger than this is no source that anyone wrote; it is refused unread."""


class Scope(msgspec.Struct, frozen=True):
    """The files of a scan, sorted by path.

    `sources` holds their bytes by path; `unreadable` why a file could not be read. `relevant` holds the paths worth
    a summary: for the rest it is enough that they parse. `digests` are names for what files hold, `speaking` the files
    that can hold comments to racelint. `links` are the paths that each path imports.
    """

    files: tuple[SourceFile, ...]
    sources: dict[str, bytes]
    unreadable: dict[str, str]
    relevant: frozenset[str]
    digests: dict[str, bytes]
    speaking: frozenset[str]
    links: dict[str, tuple[str, ...]]


def gather(
    given: Sequence[str],
    root: str,
    cwd: str,
    declared: Sequence[str] = (),
    context: Sequence[str] = (),
    unsaved: Mapping[str, bytes] | None = None,
    *,
    prescan: bool = True,
    cache: Cache | None = None,
) -> Scope:
    """The scope of a scan that reports on `given` (absolute paths) in the project at `root`.

    `context` holds further files to analyse with them, imported or not, `unsaved` the text of files that counts instead
    of what the disk holds.
    Imports are followed inside `root` and the folders that the given files' packages stand in, never into the
    standard library, virtual environments or build output. `declared` are dotted names of classes, functions and
    modules that the user says something of: their files, and those that mention them, count as concurrent. Without
    `prescan` every file is relevant. What the bytes of files tell is remembered in `cache`.
    """
    reader = _Reader((*given, *context), root, unsaved or {}, cache or Cache(None))
    reader.follow()
    imported_as: dict[str, set[str]] = {}
    for links in reader.links.values():
        for name, target in links.items():
            imported_as.setdefault(target, set()).add(name)
    modules = unique_names(reader.names, imported_as, root)
    asked = frozenset(given)
    files = tuple(
        SourceFile(path, display_path(path, cwd), modules[path], path in asked, _renamed(reader.links[path], modules))
        for path in sorted(modules)
    )
    imports = {path: tuple(found.values()) for path, found in reader.links.items()}
    worth = _relevant(reader, modules, declared) if prescan else frozenset(reader.sources)
    speaking = frozenset(reader.speaking)
    return Scope(files, reader.sources, reader.unreadable, worth, reader.digests, speaking, imports)


def _renamed(links: Mapping[str, str], modules: Mapping[str, str]) -> dict[str, str]:
    return {name: modules[target] for name, target in sorted(links.items()) if modules[target] != name}


def _relevant(reader: _Reader, modules: Mapping[str, str], declared: Sequence[str]) -> frozenset[str]:
    words = {name.rpartition(".")[2].encode() for name in declared}
    mentioning = {
        path
        for path, source in reader.sources.items()
        if path in reader.concurrent or any(word in source for word in words)
    }
    for path, module in modules.items():
        if any(f"{name}.".startswith(f"{module}.") for name in declared):
            mentioning.add(path)
    return relevant(mentioning, {path: links.values() for path, links in reader.links.items()})


class _Reader:
    """Reads files and follows their imports until no new file turns up."""

    def __init__(self, given: Sequence[str], root: str, unsaved: Mapping[str, bytes], cache: Cache) -> None:
        self.given = tuple(dict.fromkeys(given))
        self.unsaved = unsaved
        self.cache = cache
        plain = ModuleFinder()
        bases = {plain.base_and_name(path)[0] for path in given}
        source_folder = os.path.join(root, "src")
        tops = [folder for folder in (source_folder, root) if os.path.isdir(folder)]
        self.finder = ModuleFinder((*sorted(bases), *tops))
        self.limits = tuple(folder.rstrip(os.sep) + os.sep for folder in dict.fromkeys((root, *sorted(bases))))
        self.sources: dict[str, bytes] = {}
        self.concurrent: set[str] = set()
        """The files that mention concurrency."""
        self.speaking: set[str] = set()
        self.digests: dict[str, bytes] = {}
        self.unreadable: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self._bases: dict[str, str] = {}
        """The folder that each file's own absolute imports start from."""
        self.links: dict[str, dict[str, str]] = {}
        """For each file, the names it imports that are files of the scope, and those files' paths."""
        self._asked = frozenset(given)
        self._followable: dict[str, bool] = {}

    def follow(self) -> None:
        pending = self.given
        seen = set(pending)
        while pending:
            texts = {path: text for path in pending if (text := self._read(path)) is not None}
            found: dict[str, None] = {}
            self.digests.update((path, text.digest) for path, text in texts.items())
            for path, told in zip(texts, glances(tuple(texts.values()), self.cache), strict=True):
                found.update(dict.fromkeys(self._link(path, told)))
            pending = tuple(target for target in found if target not in seen)
            seen.update(pending)

    def _read(self, path: str) -> Text | None:
        """Note the file's name and what it holds; None where it cannot be read."""
        base, name = self.finder.base_and_name(path)
        self._bases[path] = base
        self.names[path] = printable(name or os.path.basename(base))
        self.links[path] = {}
        source = self.unsaved[path] if path in self.unsaved else self._bytes_of(path)
        if source is None:
            return None
        self.sources[path] = source
        return Text(source, name, os.path.splitext(os.path.basename(path))[0] == "__init__")

    def _link(self, path: str, told: Glance) -> Iterable[str]:
        """Note what the file tells, and which files it imports."""
        if told.concurrent:
            self.concurrent.add(path)
        if told.directives:
            self.speaking.add(path)
        for imported in told.imports:
            target = self.finder.locate(imported, self._bases[path])
            if target is not None and target != path and (target in self.names or self._may_follow(target)):
                self.links[path][imported] = target
        return self.links[path].values()

    def _bytes_of(self, path: str) -> bytes | None:
        """What the file holds; None, with the reason kept, where it cannot be read."""
        try:
            if os.path.getsize(path) > MAX_BYTES:
                self.unreadable[path] = f"larger than {MAX_BYTES // 1024**2} MiB"
                return None
            with open(path, "rb") as stream:
                return stream.read()
        except OSError as error:
            self.unreadable[path] = (error.strerror or str(error)).lower()
            return None

    def _may_follow(self, target: str) -> bool:
        if target in self._asked:
            return True
        folder = os.path.dirname(target)
        if folder not in self._followable:
            inside = next((limit for limit in self.limits if target.startswith(limit)), None)
            self._followable[folder] = inside is not None and not _below_excluded(folder, inside.rstrip(os.sep))
        return self._followable[folder] and not in_standard_library(target)


def _below_excluded(folder: str, limit: str) -> bool:
    """Whether `folder`, or one between it and `limit`, is left out of every walk."""
    while len(folder) > len(limit):
        if excluded_by_name(folder, os.path.basename(folder)):
            return True
        folder = os.path.dirname(folder)
    return False
