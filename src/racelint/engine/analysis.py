"""From the scope of a scan to what is said of it: what the cache knows, and the rest worked out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from racelint.config.settings import Settings
from racelint.engine.cache import Cache, key_of
from racelint.engine.collector import collector_paused
from racelint.engine.fingerprint import fingerprint
from racelint.engine.progress import Progress
from racelint.engine.said import Said
from racelint.engine.scope import Scope
from racelint.engine.selection import Selection
from racelint.engine.units import Unit, units_of
from racelint.engine.unreadable import unreadable_finding
from racelint.engine.workforce import WorkerError
from racelint.model.result import Problem
from racelint.model.source import SourceFile

if TYPE_CHECKING:  # what a scan that meets nothing new never imports
    from racelint.engine.checking import Checker
    from racelint.model.summary import ModuleSummary

BATCH = 4 * 1024 * 1024
"""Bytes of source whose summaries are held at once, unless a single unit has more."""


class Analysis:
    """All that is said of one scope. What checks it is imported only where something is new.

    `jobs` None means as many processes as pay, a `scheduler` the workers of its cluster.
    """

    def __init__(
        self,
        scope: Scope,
        settings: Settings,
        selection: Selection,
        cache: Cache,
        jobs: int | None = None,
        scheduler: str = "",
    ) -> None:
        self._scope = scope
        self._settings = settings
        self._selection = selection
        self._cache = cache
        self._jobs = jobs
        self._scheduler = scheduler
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
                    fresh = self._checker.check(batch, progress.advance)
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
        return self._checker.modules([file for unit in self._units for file in unit])

    @cached_property
    def _checker(self) -> Checker:
        from racelint.engine.checking import Checker
        from racelint.engine.summaries import Summaries

        summaries = Summaries(self._cache, self._jobs, self._scheduler)
        return Checker(self._scope, self._settings, self._selection, summaries, self._rest)

    def _unread(self) -> Said:
        reasons = self._scope.unreadable
        files = [file for file in self._scope.files if file.path in reasons]
        return Said([unreadable_finding(file.display, f"cannot be read: {reasons[file.path]}") for file in files])

    def _key(self, unit: Unit) -> bytes:
        """Names everything that a unit's findings depend on."""
        kind = "readable" if unit is self._rest else "linked"
        parts = [part for file in unit for part in (_identity(file), self._scope.digests[file.path])]
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
