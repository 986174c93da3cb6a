"""What is reported of each file, and how gravely, by the settings that hold for it."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping

import msgspec

from racelint.config.hierarchy import Hierarchy, Scoped
from racelint.engine.ignoring import Patterns
from racelint.engine.selection import RuleBook, is_on, longest, matches
from racelint.model.finding import Finding, Severity, severity_rank
from racelint.rules.base import Rule

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


class Policy:
    """Answers for the files of a scan; `paths` gives each shown path as an absolute one.

    `chosen` are codes of rules that the settings of every file want: of those, what no pattern ignores is reported.
    """

    def __init__(self, hierarchy: Hierarchy, paths: Mapping[str, str], chosen: Container[str] = ()) -> None:
        self.rules: Mapping[str, Rule] = RuleBook()
        self._hierarchy = hierarchy
        self._chosen = chosen
        self._paths = paths
        self._scoped: dict[str, Scoped] = {}
        """By folder."""
        self._known: dict[tuple[str, str], bool] = {}

    def is_reported(self, code: str, display: str) -> bool:
        """Whether findings of the rule are wanted in the file."""
        key = (code, display)
        if key not in self._known:
            scoped = self._of(display)
            wanted = code in self._chosen or is_on(self.rules[code], scoped.settings)
            self._known[key] = wanted and not self._ignored(code, display, scoped)
        return self._known[key]

    def graded(self, finding: Finding) -> Finding:
        """The finding with the severity that the settings of its file give its rule.

        A finding that its rule gave less than its own severity, as for low confidence, stays as much below the new one.
        """
        severities = self._of(finding.path).settings.severities
        best = longest(finding.code, tuple(severities))
        if best < 0:
            return finding
        wanted = next(
            level
            for selector, level in severities.items()
            if matches(finding.code, selector) and (len(selector) if selector != "ALL" else 0) == best
        )
        lowered = severity_rank(finding.severity) - severity_rank(self.rules[finding.code].severity)
        rank = min(severity_rank(wanted) + max(lowered, 0), len(SEVERITIES) - 1)
        return msgspec.structs.replace(finding, severity=SEVERITIES[rank])

    def _of(self, display: str) -> Scoped:
        path = self._paths.get(display)
        if not path:
            return self._hierarchy.base
        folder = os.path.dirname(path)
        if folder not in self._scoped:
            self._scoped[folder] = self._hierarchy.of(folder)
        return self._scoped[folder]

    def _ignored(self, code: str, display: str, scoped: Scoped) -> bool:
        path = self._paths.get(display, display)
        return any(
            _names(pattern, path, scoped.folder) and longest(code, codes) >= 0
            for pattern, codes in scoped.settings.per_file_ignores.items()
        )


class Excluding:
    """The patterns that hold in a folder: `extra`, and those of the settings that hold there."""

    def __init__(self, hierarchy: Hierarchy, extra: Patterns) -> None:
        self._hierarchy = hierarchy
        self._extra = extra
        self._known: dict[str, tuple[Patterns, ...]] = {}

    def __call__(self, folder: str) -> tuple[Patterns, ...]:
        if folder not in self._known:
            scoped = self._hierarchy.of(folder)
            configured = (*scoped.settings.exclude, *scoped.settings.extend_exclude)
            self._known[folder] = (Patterns(scoped.folder, configured), self._extra)
        return self._known[folder]


def _names(pattern: str, path: str, folder: str) -> bool:
    """Whether a pattern of `per-file-ignores` means `path`; one with `!` in front means all others."""
    if pattern.startswith("!"):
        return not _names(pattern[1:], path, folder)
    return bool(Patterns(folder + os.sep, [pattern]).decides(path, folder=False))
