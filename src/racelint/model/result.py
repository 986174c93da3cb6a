"""What a scan answers: findings, what could not be done, and the counts."""

from __future__ import annotations

from typing import Literal

import msgspec

from racelint.model.finding import Finding
from racelint.model.overview import Overview

ProblemKind = Literal[
    "missing-path",
    "unreadable-directory",
    "no-python",
    "configuration",
    "internal",
    "interpreter",
    "not-written",
    "cache",
]


class CannotScan(Exception):
    """What was asked for cannot be scanned so; the text says why."""


class Problem(msgspec.Struct, frozen=True):
    """Something that the scan could not do; `path` as shown to the user, None where it is about no path."""

    kind: ProblemKind
    message: str
    path: str | None = None


class Silenced(msgspec.Struct, frozen=True):
    """A finding that is not shown, and why: a `comment` in the source on `line`, or an entry of the `baseline`.

    `reason` is what the comment says behind its bracket; empty where it says nothing.
    """

    finding: Finding
    by: Literal["comment", "baseline"]
    reason: str = ""
    line: int = 0


class ScanResult(msgspec.Struct, frozen=True):
    """The outcome of one scan; findings are sorted by path, line, column and code.

    `errors` make the exit code 2, `warnings` do not. `files` counts the reported files, `context` those analysed with
    them, `held_back` the findings below the `threshold`, which is said in words. `compared` says
    whether a baseline told known findings from new ones, `seen_in_full` are the
    files in which the lack of a finding means something. `unchanged` counts the findings that the change since
    `revision` neither touches nor causes. `lines` holds the source lines of
    every file that a finding or its trace mentions, by the path shown. `overview` is there where it was asked for.
    """

    findings: tuple[Finding, ...]
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    files: int = 0
    context: int = 0
    silenced: tuple[Silenced, ...] = ()
    held_back: int = 0
    threshold: str = ""
    compared: bool = False
    lines: dict[str, tuple[str, ...]] = {}
    seen_in_full: frozenset[str] = frozenset()
    overview: Overview | None = None
    unchanged: int = 0
    revision: str = ""

    @property
    def suppressed(self) -> int:
        """How many findings comments silence."""
        return sum(silenced.by == "comment" for silenced in self.silenced)

    @property
    def baselined(self) -> int:
        """How many findings the baseline knows."""
        return len(self.silenced) - self.suppressed
