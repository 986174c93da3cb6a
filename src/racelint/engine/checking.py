"""Units of which no earlier scan knows: their files read, linked and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from racelint.config.settings import Settings
from racelint.engine.linked import LinkedUnit
from racelint.engine.said import Said
from racelint.engine.scope import Scope
from racelint.engine.selection import Selection
from racelint.engine.stack import call_with_deep_stack
from racelint.engine.summaries import Summaries
from racelint.engine.units import Unit
from racelint.engine.worker import Reply, Request
from racelint.model.source import SourceFile
from racelint.model.summary import ModuleSummary
from racelint.rules.subjects import Mentions


class Checker:
    """Checks units of one scope; those that are `readable` only have to be."""

    def __init__(
        self, scope: Scope, settings: Settings, selection: Selection, summaries: Summaries, readable: Unit
    ) -> None:
        self._scope = scope
        self._settings = settings
        self._selection = selection
        self._summaries = summaries
        self._readable = readable

    def check(self, units: Mapping[bytes, Unit], read: Callable[[], None]) -> dict[bytes, Said]:
        """What is said of each of some units, by its key; `read` is called for each file. Raises WorkerError."""
        requests = [self._request(file, check=unit is self._readable) for unit in units.values() for file in unit]
        replies = iter(self._summaries.of(requests, read))
        return call_with_deep_stack(
            lambda: {key: self._said_of(unit, list(islice(replies, len(unit)))) for key, unit in units.items()}
        )

    def modules(self, files: Sequence[SourceFile]) -> tuple[tuple[SourceFile, ModuleSummary], ...]:
        """Each file with its summary. Raises WorkerError."""
        replies = self._summaries.of([self._request(file) for file in files])
        return tuple(LinkedUnit(files, replies).modules.values())

    def _request(self, file: SourceFile, reported: tuple[int, ...] = (), *, check: bool = False) -> Request:
        return Request(file.display, self._scope.sources[file.path], check, reported)

    def _said_of(self, unit: Unit, replies: Sequence[Reply]) -> Said:
        linked = LinkedUnit(unit, replies)
        if unit is not self._readable:
            rules = self._selection.rules_about(self._mentions(unit))
            linked.check_until_read(rules, self._settings, self._reread)
        return linked.said

    def _mentions(self, unit: Unit) -> Mentions:
        declared = self._settings.extra_locks or self._settings.extra_thread_roots
        return Mentions((self._scope.sources[file.path] for file in unit), declared=bool(declared))

    def _reread(self, files: Sequence[tuple[SourceFile, tuple[int, ...]]]) -> list[Reply]:
        return self._summaries.of([self._request(file, lines) for file, lines in files])
