"""Comments that silence findings, as they were read."""

from __future__ import annotations

import msgspec


class Suppression(msgspec.Struct, frozen=True):
    """One comment that silences findings whose first or last line is one of `lines`; of the whole file where None.

    `line`, `column` and `end_column` say where the comment stands, 1-based, the end exclusive.
    """

    codes: tuple[str, ...]
    reason: str
    line: int
    column: int
    end_column: int
    lines: range | None
    noqa: bool = False

    def covers(self, line: int, end_line: int) -> bool:
        """Whether a finding from `line` to `end_line` lies where this comment speaks."""
        return self.lines is None or line in self.lines or end_line in self.lines


class Malformed(msgspec.Struct, frozen=True):
    """A comment that means to speak to racelint and cannot be obeyed: why, and where it stands."""

    verb: str
    codes: tuple[str, ...] | None
    line: int
    column: int
    end_column: int


class Directives(msgspec.Struct, frozen=True):
    """The comments of one file."""

    suppressions: tuple[Suppression, ...] = ()
    malformed: tuple[Malformed, ...] = ()
