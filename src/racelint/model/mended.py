"""What fixing came to: which findings were put right, how files change, and what is left."""

from __future__ import annotations

import msgspec

from racelint.model.finding import Finding
from racelint.model.result import ScanResult


class FileChange(msgspec.Struct, frozen=True):
    """The old and the new bytes of a file: `path` is absolute, `display` as findings show it."""

    path: str
    display: str
    before: bytes
    after: bytes


class FixResult(msgspec.Struct, frozen=True):
    """The findings whose fix was `applied`, and those whose fix was `withheld`: not safe, or not proved.

    Each has its fix, with edits for the text as it stood in the round that it was found in. Those of rules with a fix
    for which there is none here are `unfixed`, each with its `no_fix_reason`. `changes` are all rounds together;
    `remaining` is what a scan of the fixed files says, its findings with the fix that was withheld, or the reason.
    `gone` counts the findings that are no more: one fix may put several right. `helpless` counts those that were to be
    fixed and have no fix, of whatever rule.
    """

    applied: tuple[Finding, ...]
    withheld: tuple[Finding, ...]
    unfixed: tuple[Finding, ...]
    changes: tuple[FileChange, ...]
    remaining: ScanResult
    gone: int = 0
    helpless: int = 0
