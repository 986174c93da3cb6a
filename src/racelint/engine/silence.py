"""Findings against the comments that silence them, and what is to be said of the comments themselves."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from racelint.engine.bad_directive import BadDirective, malformed_finding, unknown_code_finding
from racelint.engine.own_rules import OWN_RULES
from racelint.engine.policy import Policy
from racelint.engine.selection import matches, nearest_code
from racelint.engine.unused_suppression import UnusedSuppression, unused_finding
from racelint.model.finding import Finding
from racelint.model.suppression import Directives, Suppression

DirectivesOf = Callable[[str], Directives]
"""The directives of a file by the path shown."""

_OWN_CODES = frozenset(rule.code for rule in OWN_RULES)
"""What the engine says of files and comments; a comment silences none of it."""


class Silencer:
    """Decides finding by finding, and remembers which comments were of use."""

    def __init__(self, directives: DirectivesOf, policy: Policy) -> None:
        self._directives = directives
        self._policy = policy
        self._used: set[tuple[str, Suppression, str]] = set()

    def silencing(self, finding: Finding) -> Suppression | None:
        """The first comment that silences `finding`."""
        if finding.code in _OWN_CODES:
            return None
        first: Suppression | None = None
        for comment in self._directives(finding.path).suppressions:
            if not comment.covers(finding.line, finding.end_line):
                continue
            for code in comment.codes:
                if matches(finding.code, code):
                    self._used.add((finding.path, comment, code))
                    first = first or comment
        return first

    def complaints(self, displays: Iterable[str], complete: Container[str]) -> Iterator[Finding]:
        """RL902 for these files, and RL901 for those of them that `complete` holds, as seen in full."""
        for display in displays:
            if self._policy.is_reported(BadDirective.code, display):
                yield from self._bad(display)
            if self._policy.is_reported(UnusedSuppression.code, display) and display in complete:
                yield from self._unused(display)

    def _bad(self, display: str) -> Iterator[Finding]:
        directives = self._directives(display)
        yield from (malformed_finding(display, comment) for comment in directives.malformed)
        for comment in directives.suppressions:
            for code in comment.codes:
                if not self._rules_meant(code):
                    hint = nearest_code(code, tuple(self._policy.rules))
                    yield unknown_code_finding(display, comment.line, comment.column, comment.end_column, code, hint)

    def _unused(self, display: str) -> Iterator[Finding]:
        for comment in self._directives(display).suppressions:
            unused = [
                code
                for code in comment.codes
                if (display, comment, code) not in self._used and self._all_ran(code, display)
            ]
            if unused:
                yield unused_finding(display, comment, unused)

    def _all_ran(self, code: str, display: str) -> bool:
        meant = self._rules_meant(code)
        return bool(meant) and all(self._policy.is_reported(rule, display) for rule in meant)

    def _rules_meant(self, code: str) -> list[str]:
        return [rule for rule in self._policy.rules if matches(rule, code)]
