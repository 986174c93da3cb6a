"""RL107."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from racelint.model.finding import Confidence, Finding, Severity
from racelint.program import Program
from racelint.program.races.suspects import Suspect
from racelint.rules.base import Rule
from racelint.rules.race_report import findings, shown, suspects_of


class SplitCriticalSection(Rule):
    """A value read under the lock is written back, or acted on, in another critical section.

    ## What it does
    Finds a read and a change of one location that hold the same lock, but let go of it in between, also where the two
    are calls that each take the lock.

    ## Why is this bad?
    Each section is locked, the whole is not: the value may be stale when it is written back.

    ## Example
    ```python
    import threading

    class Counter:
        def __init__(self):
            self._lock = threading.Lock()
            self._n = 0

        def increment(self):
            with self._lock:
                n = self._n
            with self._lock:
                self._n = n + 1  # RL107
    ```

    ## Use instead
    ```python
    import threading

    class Counter:
        def __init__(self):
            self._lock = threading.Lock()
            self._n = 0

        def increment(self):
            with self._lock:
                self._n = self._n + 1
    ```

    ## How it is confirmed
    The operation runs on two threads with a switch between the two sections; a lost update is the proof.

    ## Known limits
    Values are followed through locals and through one call.
    """

    code: ClassVar[str] = "RL107"
    name: ClassVar[str] = "split-critical-section"
    since: ClassVar[str] = "0.1.0"
    severity: ClassVar[Severity] = "error"
    confirmable: ClassVar[bool] = True

    def check(self, program: Program) -> Iterator[Finding]:
        yield from findings(self, suspects_of(program, "split", "stale-decision"), _message, _confidence)


def _message(suspect: Suspect) -> str:
    if suspect.kind == "stale-decision" and suspect.compound is not None:
        state = shown(suspect.compound.first.location)
        return f"`{shown(suspect.group.location)}` is changed by what an earlier critical section found of `{state}`"
    if suspect.compound is not None and suspect.compound.kind == "read-then-empty":
        return (
            f"`{shown(suspect.group.location)}` is emptied after the critical section that read it: additions get lost"
        )
    return f"`{shown(suspect.group.location)}` is changed from a value read in an earlier critical section"


def _confidence(suspect: Suspect) -> Confidence:
    return "high" if suspect.evidence == "thread" else "medium"
