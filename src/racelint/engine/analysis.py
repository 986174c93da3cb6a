"""From the scope of a scan to what is said of it: what the cache knows, and the rest worked out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from racelint.config.settings import Settings
from racelint.engine.cache import Cache, content_key, key_of
from racelint.engine.collector import collector_paused
from racelint.engine.fingerprint import fingerprint
from racelint.engine.linked import LinkedUnit, Said
from racelint.engine.progress import Progress
from racelint.engine.scope import Scope
from racelint.engine.selection import Selection
from racelint.engine.stack import call_with_deep_stack
from racelint.engine.summaries import Summaries
from racelint.engine.units import Unit, units_of
from racelint.engine.unreadable import unreadable_finding
from racelint.engine.worker import Reply, Request
from racelint.engine.workforce import WorkerError
from racelint.model.result import Problem
from racelint.model.source import SourceFile
from racelint.model.summary import ModuleSummary
from racelint.rules.subjects import Mentions

BATCH = 4 * 1024 * 1024
"""Bytes of source whose summaries are held at once, unless a single unit has more."""


class Analysis:
    """All that is said of one scope. The rules of the `selection` are imported only where something is checked."""

    def __init__(
        self, scope: Scope, settings: Settings, selection: Selection, cache: Cache, summaries: Summaries
    ) -> None:
        self._scope = scope
        self._settings = settings
        self._selection = selection
        self._cache = cache
        self._summaries = summaries
        self._units, self._rest = units_of(scope)

    def run(self, progress: Progress) -> Said:
        """What is said of every unit: what earlier scans found out, and the rest worked out now.

        Whatever goes wrong with a file or a rule is a problem; the rest goes on. Without workers nothing does.
        """
        units = [self._rest, *self._units]
        keys = [self._key(unit) for unit in units]
        known = self._cache.get(keys)
        said = {key: msgspec.msgpack.decode(value, type=Said) for key, value in known.items()}
        missing = {key: unit for key, unit in zip(keys, units, strict=True) if key not in said}
        progress.begin("scanning", sum(map(len, missing.values())), "files")
        whole = self._unread()
        try:
            with collector_paused():
                for batch in _batches(missing, self._scope.sources):
                    fresh = self._work_out(batch, progress.advance)
                    said |= fresh
                    kept = {key: each for key, each in fresh.items() if each.lasting and not each.problems}
                    self._cache.put({key: msgspec.msgpack.encode(each) for key, each in kept.items()})
        except WorkerError as error:
            whole.problems.append(Problem("internal", str(error)))
        for key in keys:
            if key in said:
                whole.add(said[key])
        return whole

    def modules(self) -> tuple[tuple[SourceFile, ModuleSummary], ...]:
        """Every file that is linked, with its summary, whatever is known of the findings. Raises WorkerError."""
        files = [file for unit in self._units for file in unit]
        replies = self._summaries.of([self._request(file) for file in files])
        return tuple(LinkedUnit(files, replies).modules.values())

    def _unread(self) -> Said:
        reasons = self._scope.unreadable
        files = [file for file in self._scope.files if file.path in reasons]
        return Said([unreadable_finding(file.display, f"cannot be read: {reasons[file.path]}") for file in files])

    def _request(self, file: SourceFile, reported: tuple[int, ...] = (), *, check: bool = False) -> Request:
        return Request(file.display, self._scope.sources[file.path], check, reported)

    def _work_out(self, units: Mapping[bytes, Unit], read: Callable[[], None]) -> dict[bytes, Said]:
        """What is said of each of some units, by its key; `read` is called for each file. Raises WorkerError."""
        requests = [self._request(file, check=unit is self._rest) for unit in units.values() for file in unit]
        replies = iter(self._summaries.of(requests, read))
        return call_with_deep_stack(
            lambda: {key: self._said_of(unit, list(islice(replies, len(unit)))) for key, unit in units.items()}
        )

    def _said_of(self, unit: Unit, replies: Sequence[Reply]) -> Said:
        linked = LinkedUnit(unit, replies)
        if unit is not self._rest:
            rules = self._selection.rules_about(self._mentions(unit))
            linked.check_until_read(rules, self._settings, self._reread)
        return linked.said

    def _mentions(self, unit: Unit) -> Mentions:
        declared = self._settings.extra_locks or self._settings.extra_thread_roots
        return Mentions((self._scope.sources[file.path] for file in unit), declared=bool(declared))

    def _reread(self, files: Sequence[tuple[SourceFile, tuple[int, ...]]]) -> list[Reply]:
        return self._summaries.of([self._request(file, lines) for file, lines in files])

    def _key(self, unit: Unit) -> bytes:
        """Names everything that a unit's findings depend on."""
        kind = "readable" if unit is self._rest else "linked"
        parts = [part for file in unit for part in (_identity(file), content_key(self._scope.sources[file.path]))]
        return key_of(fingerprint(), kind, self._selection.name, _what_counts(self._settings), *parts)


def _batches(units: Mapping[bytes, Unit], sources: Mapping[str, bytes]) -> Iterator[dict[bytes, Unit]]:
    batch: dict[bytes, Unit] = {}
    size = 0
    for key, unit in units.items():
        batch[key] = unit
        size += sum(len(sources[file.path]) for file in unit)
        if size >= BATCH:
            yield batch
            batch, size = {}, 0
    if batch:
        yield batch


def _identity(file: SourceFile) -> str:
    """What findings say of a file, and what other files know it by."""
    renamed = sorted(file.renamed.items())
    return repr((file.display, os.path.basename(file.path), file.module, file.reported, renamed))


def _what_counts(settings: Settings) -> bytes:
    """The settings that a linked program depends on."""
    declared = (settings.contracts, settings.extra_locks, settings.extra_thread_roots, settings.extra_blocking_calls)
    return msgspec.msgpack.encode((*declared, settings.targets))
