"""What is said of files before it is known which of it is wanted: the part of an analysis that is remembered."""

from __future__ import annotations

import msgspec

from racelint.model.finding import Finding
from racelint.model.result import Problem


class Said(msgspec.Struct):
    """What is said of some files. `unreadable` holds an RL900 for each that cannot be read.

    One that is not `lasting` may be another the next time: it is not remembered.
    """

    unreadable: list[Finding] = []
    findings: list[Finding] = []
    problems: list[Problem] = []
    lasting: bool = True

    def add(self, other: Said) -> None:
        self.unreadable.extend(other.unreadable)
        self.findings.extend(other.findings)
        self.problems.extend(other.problems)
