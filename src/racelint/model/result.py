"""What a scan answers: findings, what could not be done, and the counts."""

from __future__ import annotations

from typing import Literal

import msgspec

from racelint.model.finding import Finding

ProblemKind = Literal["missing-path", "unreadable-directory", "no-python", "configuration", "internal", "interpreter"]


class Problem(msgspec.Struct, frozen=True):
    """Something that the scan could not do; `path` as shown to the user, None where it is about no path."""

    kind: ProblemKind
    message: str
    path: str | None = None


class ScanResult(msgspec.Struct, frozen=True):
    """The outcome of one scan; findings are sorted by path, line, column and code.

    `errors` make the exit code 2, `warnings` do not. `files` counts the reported files, `context` those analysed with
    them, `suppressed` the findings that a comment in the source silenced. `lines` holds the source lines of every
    file that a finding or its trace mentions, by the path shown.
    """

    findings: tuple[Finding, ...]
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    files: int = 0
    context: int = 0
    suppressed: int = 0
    lines: dict[str, tuple[str, ...]] = {}
