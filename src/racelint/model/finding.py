"""What a rule says: a finding, its trace and, once the harness has run, its verdict."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from racelint.model.fix import Fix

Severity = Literal["error", "warning", "info"]
Confidence = Literal["high", "medium", "low"]
Evidence = Literal["thread", "lock", "contract"]
StepRole = Literal["access", "conflict", "call", "root", "lock"]
Status = Literal["confirmed", "not-reproduced", "benign", "inconclusive", "unsupported"]
Effect = Literal[
    "lost-update",
    "not-serializable",
    "exception",
    "deadlock",
    "hang",
    "invariant",
    "leak",
    "order",
    "lost-in-process",
    "cost",
]
Possibility = Literal["observed", "modelled", "impossible"]


class Step(msgspec.Struct, frozen=True):
    """One line of a trace. Lines and columns are 1-based; `lockset` names the locks certainly held there."""

    role: StepRole
    message: str
    path: str
    line: int
    column: int
    lockset: tuple[str, ...] = ()


class WitnessStep(msgspec.Struct, frozen=True):
    """One step of an interleaving: thread `thread` (an index into `Witness.threads`) did `action` at a source line."""

    thread: int
    path: str
    line: int
    source: str
    action: str
    """What happened in words with values: `read money = 100`, `wrote money = 110`, `raised KeyError`."""


class Witness(msgspec.Struct, frozen=True):
    """A schedule as people read it: the lanes of a two-lane trace."""

    threads: tuple[str, ...]
    steps: tuple[WitnessStep, ...]


class Verdict(msgspec.Struct, frozen=True):
    """What the harness showed for one finding or target; never stronger than that.

    `outcome` is what was seen, `expected` every outcome that some serial order gives, both as short text.
    `schedule` is the replay string (`racelint replay …`). `interpreters` maps "gil-3.9", "gil-3.10+" and
    "free-threaded" to how the race is known to be possible there.
    """

    status: Status
    effect: Effect | None = None
    schedule: str | None = None
    schedules_run: int = 0
    interpreters: dict[str, Possibility] = {}
    outcome: str | None = None
    expected: tuple[str, ...] = ()
    reason: str = ""
    witness: Witness | None = None


class Finding(msgspec.Struct, frozen=True):
    """A rule's result at a position.

    `message` says what, `why` says because of which threads, accesses and locks. Positions are 1-based, columns in
    characters, the end exclusive. `path` is relative to the working directory where it lies under it. `no_fix_reason`
    says why there is no `fix`, where one was looked for in vain.
    """

    code: str
    name: str
    message: str
    why: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    severity: Severity
    confidence: Confidence
    evidence: Evidence | None
    symbol: str
    subject: str
    trace: tuple[Step, ...] = ()
    fingerprint: str = ""
    verdict: Verdict | None = None
    fix: Fix | None = None
    no_fix_reason: str = ""


def fingerprint_of(code: str, path: str, symbol: str, subject: str, text: str, repeat: int) -> str:
    """A stable name for a finding: free of line numbers, so that edits above and below it do not change it.

    `text` is the flagged source line with its white space folded, `repeat` counts equal ones in one file.
    """
    folded = " ".join(text.split())
    words = "\0".join((code, path, symbol, subject, folded, str(repeat)))
    return hashlib.blake2b(words.encode(), digest_size=8).hexdigest()


def severity_rank(severity: Severity) -> int:
    """0 for an error, 1 for a warning, 2 for info: smaller is graver."""
    return {"error": 0, "warning": 1, "info": 2}[severity]


def confidence_rank(confidence: Confidence) -> int:
    """0 for high, 1 for medium, 2 for low: smaller is surer."""
    return {"high": 0, "medium": 1, "low": 2}[confidence]
