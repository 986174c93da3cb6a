"""From what the rules said to what is shown: no duplicates, none that a comment silences, in order, with a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from racelint.engine.suppress import Suppressions, is_suppressed, suppressions_of
from racelint.engine.text import lines_of, text_of
from racelint.engine.unreadable import UnreadableFile
from racelint.model.finding import Finding, fingerprint_of


class Sources:
    """The bytes of a scan's files by the path shown, decoded only where a finding needs it."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self._sources = sources
        self._lines: dict[str, tuple[str, ...]] = {}
        self._suppressions: dict[str, Suppressions] = {}

    def lines(self, display: str) -> tuple[str, ...]:
        """The lines of a file; none of a file that is not in the scan."""
        if display not in self._lines:
            self._lines[display] = lines_of(self._sources.get(display, b""))
        return self._lines[display]

    def line(self, display: str, number: int) -> str:
        """One 1-based line; empty beyond the end."""
        lines = self.lines(display)
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def suppressions(self, display: str) -> Suppressions:
        if display not in self._suppressions:
            source = self._sources.get(display, b"")
            self._suppressions[display] = suppressions_of(text_of(source)) if b"RL" in source.upper() else {}
        return self._suppressions[display]

    def lines_mentioned(self, findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
        """The lines of every file that a finding or a step of its trace lies in."""
        displays = {finding.path for finding in findings}
        displays |= {step.path for finding in findings for step in finding.trace}
        return {display: self.lines(display) for display in sorted(displays) if display in self._sources}


def finish(
    findings: Iterable[Finding], sources: Sources, below_root: Mapping[str, str]
) -> tuple[tuple[Finding, ...], int]:
    """The findings to show, sorted by path, line, column and code, and how many a comment silenced.

    `below_root` gives each shown path as seen from the project's root, so that a fingerprint does not depend on the
    folder that the scan was started from.
    """
    unique = {_identity(finding): finding for finding in sorted(findings, key=_order, reverse=True)}
    ordered = sorted(unique.values(), key=_order)
    kept = [finding for finding in ordered if not _silenced(finding, sources)]
    return tuple(_named(kept, sources, below_root)), len(ordered) - len(kept)


def _identity(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.path, finding.line, finding.column, finding.code, finding.subject


def _order(finding: Finding) -> tuple[str, int, int, str, str, str, str]:
    return (*_identity(finding)[:4], finding.subject, finding.message, finding.why)


def _silenced(finding: Finding, sources: Sources) -> bool:
    if finding.code == UnreadableFile.code:
        return False
    return is_suppressed(finding.code, finding.line, finding.end_line, sources.suppressions(finding.path))


def _named(findings: Sequence[Finding], sources: Sources, below_root: Mapping[str, str]) -> Iterable[Finding]:
    repeats: Counter[tuple[str, str, str, str, str]] = Counter()
    for finding in findings:
        path = below_root.get(finding.path, finding.path)
        text = " ".join(sources.line(finding.path, finding.line).split())
        key = (finding.code, path, finding.symbol, finding.subject, text)
        yield msgspec.structs.replace(finding, fingerprint=fingerprint_of(*key, repeats[key]))
        repeats[key] += 1
