"""The overview of a page: how many findings of which kind, and where most of them are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from racelint.model.finding import Finding, Status
from racelint.report.counts import SEVERITIES

STATUSES: tuple[Status, ...] = ("confirmed", "not-reproduced", "inconclusive", "unsupported", "benign")
NOT_RUN = "not run"
_MOST = 10


class Bar(msgspec.Struct, frozen=True):
    """One row of a chart; `share` is its part of the longest bar, at most 1. `about` explains the name."""

    name: str
    count: int
    share: float
    about: str = ""


class Summary(msgspec.Struct, frozen=True):
    """The charts of the overview; each leaves out what does not occur."""

    severities: tuple[Bar, ...]
    verdicts: tuple[Bar, ...]
    rules: tuple[Bar, ...]
    files: tuple[Bar, ...]
    locations: tuple[Bar, ...]

    @property
    def proved(self) -> bool:
        """Whether any finding was run."""
        return any(bar.name != NOT_RUN for bar in self.verdicts)


def summary_of(findings: Sequence[Finding]) -> Summary:
    """The charts for `findings`."""
    subjects = (finding.subject for finding in findings if finding.subject not in ("", finding.path))
    names = {finding.code: finding.name for finding in findings}
    rules = Counter(finding.code for finding in findings)
    return Summary(
        severities=_bars(_in_order((finding.severity for finding in findings), SEVERITIES)),
        verdicts=_bars(_in_order(map(status_of, findings), (*STATUSES, NOT_RUN))),
        rules=tuple(msgspec.structs.replace(bar, about=names[bar.name]) for bar in _bars(_most(rules, len(rules)))),
        files=_bars(_most(Counter(finding.path for finding in findings))),
        locations=_bars(_most(Counter(subjects))),
    )


def status_of(finding: Finding) -> str:
    """The verdict's status in a word."""
    return finding.verdict.status if finding.verdict is not None else NOT_RUN


def _in_order(values: Iterable[str], order: Sequence[str]) -> list[tuple[str, int]]:
    counts = Counter(values)
    return [(name, counts[name]) for name in order if counts[name]]


def _most(counts: Counter[str], limit: int = _MOST) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]


def _bars(counts: Sequence[tuple[str, int]]) -> tuple[Bar, ...]:
    longest = max((count for _, count in counts), default=1)
    return tuple(Bar(name, count, round(count / longest, 3)) for name, count in counts)
