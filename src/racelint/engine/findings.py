"""From what the rules said to what is shown: no duplicates, none that a comment silences, in order, with a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping

import msgspec

from racelint.engine.policy import Policy
from racelint.engine.silence import Silencer
from racelint.engine.text import lines_of, text_of
from racelint.model.finding import Finding, fingerprint_of
from racelint.model.result import Silenced
from racelint.model.suppression import Directives, Suppression

Identity = tuple[str, int, int, str, str]


class Sources:
    """The bytes of a scan's files by the path shown, decoded only where a finding or a comment needs it.

    `speaking` are those whose comments to racelint count.
    """

    def __init__(self, sources: Mapping[str, bytes], speaking: Container[str]) -> None:
        self.speaking = speaking
        self._sources = sources
        self._lines: dict[str, tuple[str, ...]] = {}
        self._directives: dict[str, Directives] = {}

    def lines(self, display: str) -> tuple[str, ...]:
        """The lines of a file; none of a file that is not in the scan."""
        if display not in self._lines:
            self._lines[display] = lines_of(self._sources.get(display, b""))
        return self._lines[display]

    def line(self, display: str, number: int) -> str:
        """One 1-based line; empty beyond the end."""
        lines = self.lines(display)
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def directives(self, display: str) -> Directives:
        """The comments of a file that speak to racelint; none where they do not count."""
        if display not in self._directives:
            self._directives[display] = self._read(display) if display in self.speaking else Directives()
        return self._directives[display]

    def _read(self, display: str) -> Directives:
        from racelint.engine.directives import directives_in  # what a scan without such a comment never needs

        return directives_in(text_of(self._sources[display]))

    def lines_mentioned(self, findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
        """The lines of every file that a finding or a step of its trace lies in."""
        mentioned = list(findings)
        displays = {finding.path for finding in mentioned}
        displays |= {step.path for finding in mentioned for step in finding.trace}
        return {display: self.lines(display) for display in sorted(displays) if display in self._sources}


class Finished(msgspec.Struct, frozen=True):
    """The findings to show and those that comments silence, each sorted by path, line, column and code."""

    findings: tuple[Finding, ...]
    silenced: tuple[Silenced, ...]


def finish(
    findings: Iterable[Finding],
    sources: Sources,
    policy: Policy,
    reported: Mapping[str, str],
    complete: Container[str],
) -> Finished:
    """Findings in the `reported` files; `complete` are those where the lack of a finding means something.

    `reported` gives each shown path as seen from the project's root, so that a fingerprint does not depend on the
    folder that the scan was started from.
    """
    silencer = Silencer(sources.directives, policy)
    comments: dict[Identity, Suppression | None] = {}
    wanted: list[Finding] = []
    for finding in sorted(findings, key=_order):
        key = _identity(finding)
        if key in comments or finding.path not in reported or not policy.is_reported(finding.code, finding.path):
            continue
        comments[key] = silencer.silencing(finding)
        wanted.append(policy.graded(finding))
    wanted += map(policy.graded, silencer.complaints(sorted(filter(sources.speaking.__contains__, reported)), complete))
    live: list[Finding] = []
    silenced: list[Silenced] = []
    for finding in named(wanted, sources, reported):
        comment = comments.get(_identity(finding))
        if comment is None:
            live.append(finding)
        else:
            silenced.append(Silenced(finding, "comment", comment.reason, comment.line))
    return Finished(tuple(live), tuple(silenced))


def named(findings: Iterable[Finding], sources: Sources, below_root: Mapping[str, str]) -> Iterator[Finding]:
    """The findings in order, each with its fingerprint."""
    repeats: Counter[tuple[str, str, str, str, str]] = Counter()
    for finding in sorted(findings, key=_order):
        path = below_root.get(finding.path, finding.path)
        text = " ".join(sources.line(finding.path, finding.line).split())
        key = (finding.code, path, finding.symbol, finding.subject, text)
        yield msgspec.structs.replace(finding, fingerprint=fingerprint_of(*key, repeats[key]))
        repeats[key] += 1


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sorted by path, line, column and code, as every report shows them."""
    return tuple(sorted(findings, key=_order))


def _identity(finding: Finding) -> Identity:
    return finding.path, finding.line, finding.column, finding.code, finding.subject


def _order(finding: Finding) -> tuple[str, int, int, str, str, str, str]:
    return (*_identity(finding)[:4], finding.subject, finding.message, finding.why)
