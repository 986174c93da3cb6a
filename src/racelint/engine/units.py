"""A scope cut into units: files that can tell nothing of each other are linked apart.

Two files belong together if one imports the other, or if both import a third, in any number of steps. A unit is
linked by itself, so that memory grows with the largest one, and an edit costs the linking of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from racelint.engine.scope import Scope
from racelint.model.source import SourceFile

Unit = tuple[SourceFile, ...]


def units_of(scope: Scope) -> tuple[list[Unit], Unit]:
    """The units of the files that matter, and the files that only have to be readable, each in the scope's order."""
    matter = {file.path: file for file in scope.files if file.path in scope.sources and file.path in scope.relevant}
    rest = [f for f in scope.files if f.reported and f.path in scope.sources and f.path not in scope.relevant]
    return [tuple(matter[path] for path in unit) for unit in _connected(matter, scope.links)], tuple(rest)


def _connected(paths: Iterable[str], links: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The connected parts of the graph that `links` make of `paths`, each in their order."""
    leaders = {path: path for path in paths}

    def leader(path: str) -> str:
        while leaders[path] != path:
            leaders[path] = path = leaders[leaders[path]]
        return path

    for path in leaders:
        for target in links.get(path, ()):
            if target in leaders:
                leaders[leader(target)] = leader(path)
    parts: dict[str, list[str]] = {}
    for path in leaders:
        parts.setdefault(leader(path), []).append(path)
    return list(parts.values())
