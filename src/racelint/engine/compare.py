"""A scan held against its baseline: known findings silenced, entries that stand for none reported."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import msgspec

from racelint.config.settings import Settings
from racelint.engine.baseline import Baseline, Entry, Match, entries_of, match, relative_to
from racelint.engine.findings import in_order
from racelint.engine.paths import absolute, display_path
from racelint.engine.selection import is_on, rule_book
from racelint.engine.stale_baseline import StaleBaseline, stale_finding
from racelint.model.finding import Finding
from racelint.model.result import ScanResult, Silenced


def against_baseline(
    result: ScanResult, baseline: Baseline, file: str, paths: Sequence[str], settings: Settings, here: str
) -> ScanResult:
    """`result` of a scan of `paths` in the folder `here`, without what the baseline in `file` knows."""
    folder = os.path.dirname(absolute(os.path.join(here, file)))
    relative = relative_to(folder, here)
    matched = match(entries_of(result, relative), baseline.entries, _is_gone(folder))
    stale: list[Finding] = []
    if is_on(StaleBaseline(), settings) and not result.errors:
        judged = _judged(result, relative, folder, [absolute(os.path.join(here, path)) for path in paths])
        stale = list(
            _stale(baseline, matched, judged, settings, display_path(absolute(os.path.join(here, file)), here))
        )
    kept = [finding for position, finding in enumerate(result.findings) if position not in matched.known]
    known = [Silenced(result.findings[position], "baseline") for position in sorted(matched.known)]
    return msgspec.structs.replace(
        result, findings=in_order((*kept, *stale)), silenced=(*result.silenced, *known), compared=True
    )


def _is_gone(folder: str) -> Callable[[str], bool]:
    return lambda path: not os.path.exists(os.path.join(folder, path))


def _judged(
    result: ScanResult, relative: Callable[[str], str], folder: str, given: Sequence[str]
) -> Callable[[Entry], bool]:
    """Whether the scan would have found an entry's defect: its file was seen in full, or is gone from a folder that
    was asked for.
    """
    seen = {relative(display) for display in result.seen_in_full}
    tops = tuple(path.rstrip(os.sep) + os.sep for path in given if os.path.isdir(path))

    def answer(entry: Entry) -> bool:
        path = absolute(os.path.join(folder, entry.path))
        return entry.path in seen or (path.startswith(tops) and not os.path.exists(path))

    return answer


def _stale(
    baseline: Baseline, matched: Match, judged: Callable[[Entry], bool], settings: Settings, display: str
) -> Iterator[Finding]:
    running = {rule.code for rule in rule_book() if is_on(rule, settings)}
    for position in matched.stale:
        entry = baseline.entries[position]
        if entry.code in running and judged(entry):
            yield stale_finding(display, baseline.lines[position], entry)
