"""Only what a change touches or causes: the scan of today held against the scan of a revision.

A finding is reported where the change touches one of its accesses, and where it was not there before: a thread that one
file starts now can make old code in another file race, and that is news though the old code is as it was.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence

import msgspec

from racelint.engine.baseline import Entry, entry_of, match, relative_to
from racelint.engine.repository import ChangedLines, Repository
from racelint.engine.scan import ScanOptions, root_of, scan
from racelint.model.finding import Finding
from racelint.model.result import ScanResult

_TOUCHING = ("access", "conflict", "lock")


def only_new(result: ScanResult, revision: str, paths: Sequence[str], options: ScanOptions, here: str) -> ScanResult:
    """`result` of a scan of `paths` in the folder `here` with what the change since `revision` touches or causes.

    Raises NoRevision where there is no repository or no such revision.
    """
    repository = Repository(here)
    commit = repository.resolve(revision)
    change = _Change(
        repository.changed_since(commit), relative_to(os.path.realpath(repository.top), os.path.realpath(here))
    )
    doubtful = [finding for finding in result.findings if not change.touches(finding)]
    news = set(_new_among(result, doubtful, repository, commit, paths, options, here)) if doubtful else set()
    kept = [
        finding if change.touches(finding) else _explained(finding, revision, change)
        for finding in result.findings
        if change.touches(finding) or finding.fingerprint in news
    ]
    return msgspec.structs.replace(
        result, findings=tuple(kept), unchanged=len(result.findings) - len(kept), revision=revision
    )


class _Change(msgspec.Struct, frozen=True):
    """The new lines of each file; `relative` turns a shown path into one below the top of the repository."""

    lines: ChangedLines
    relative: Callable[[str], str]

    def touches(self, finding: Finding) -> bool:
        """Whether the change touches the finding's own place or one of its accesses."""
        if self.has(finding.path, finding.line) or self.has(finding.path, finding.end_line):
            return True
        return any(step.role in _TOUCHING and self.has(step.path, step.line) for step in finding.trace)

    def has(self, display: str, line: int) -> bool:
        return any(line in lines for lines in self.lines.get(self.relative(display), ()))


def _new_among(
    result: ScanResult,
    doubtful: Sequence[Finding],
    repository: Repository,
    commit: str,
    paths: Sequence[str],
    options: ScanOptions,
    here: str,
) -> Iterable[str]:
    """The fingerprints of the `doubtful` findings that a scan of `commit` does not find."""
    top = os.path.realpath(repository.top)
    with tempfile.TemporaryDirectory(prefix="racelint-") as scratch:
        folder = os.path.realpath(scratch)
        repository.lay_out(commit, folder)
        before = _entries_before(folder, top, os.path.realpath(root_of(paths, here)), options)
    entries = [entry_of(finding, result.lines, relative_to(top, os.path.realpath(here))) for finding in result.findings]
    matched = match(entries, before, lambda path: not os.path.exists(os.path.join(top, path)))
    asked = {finding.fingerprint for finding in doubtful}
    for position, finding in enumerate(result.findings):
        if position not in matched.known and finding.fingerprint in asked:
            yield finding.fingerprint


def _entries_before(folder: str, top: str, root: str, options: ScanOptions) -> list[Entry]:
    """All that a scan of the project finds in the old tree, silenced or not: a file may have moved since."""
    old_root = os.path.join(folder, os.path.relpath(root, top))
    if not os.path.isdir(old_root):
        return []
    settings = options.hierarchy.combined([root]) if options.hierarchy is not None else options.settings
    lenient = msgspec.structs.replace(settings, select=("ALL",), ignore=(), per_file_ignores={}, exclude=())
    old = scan([old_root], msgspec.structs.replace(options, settings=lenient, hierarchy=None, unsaved={}), old_root)
    findings = (*old.findings, *(entry.finding for entry in old.silenced))
    relative = relative_to(folder, old_root)
    return [entry_of(finding, old.lines, relative) for finding in findings]


def _explained(finding: Finding, revision: str, change: _Change) -> Finding:
    """The finding with the reason why a change elsewhere is to blame."""
    cause = next((step for step in finding.trace if change.has(step.path, step.line)), None)
    text = f"new since {revision}, although the change does not touch this line"
    if cause is not None:
        text = f"new since {revision}: the change at {cause.path}:{cause.line} causes it"
    return msgspec.structs.replace(finding, why="; ".join(filter(None, (finding.why, text))))
