"""What would put a finding right: edits of its file, and how far they can be trusted."""

from __future__ import annotations

from typing import Literal

import msgspec

Applicability = Literal["safe", "unsafe", "display-only"]
"""`safe`: what the code does stays, but for the defect. `unsafe`: it may change, `reason` says how. `display-only`: a
sketch for a person to finish."""


class Edit(msgspec.Struct, frozen=True):
    """Replace a stretch of a file by `content`. 1-based, columns in characters, the end exclusive; `content` has the
    file's own line ends."""

    line: int
    column: int
    end_line: int
    end_column: int
    content: str


class Fix(msgspec.Struct, frozen=True):
    """Edits of the finding's file, from the first to the last, none overlapping another.

    `message` says what they do, `reason` why they are not safe (empty where they are).
    `proof` says what the harness found on the fixed copy, where it was asked and the race had been confirmed before.
    """

    applicability: Applicability
    message: str
    edits: tuple[Edit, ...]
    reason: str = ""
    proof: str = ""
