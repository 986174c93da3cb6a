"""RL103."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from racelint.model.finding import Confidence, Finding, Severity
from racelint.program import Program
from racelint.program.suspects import Suspect
from racelint.rules.base import Rule
from racelint.rules.race_report import findings, foreign_locks, shown, suspects_of


class WrongLock(Rule):
    """Every access holds a lock, but not the same one.

    ## What it does
    Finds locations whose accesses hold different locks: two locks of one class, a lock per instance for state that the
    class or module shares, a lock that each caller passes in.

    ## Why is this bad?
    Two threads that hold two different locks do not exclude each other: the critical sections overlap.

    ## Example
    ```python
    import threading

    class Registry:
        def __init__(self):
            self.read_lock = threading.Lock()
            self.write_lock = threading.Lock()
            self.count = 0

        def add(self):
            with self.write_lock:
                self.count += 1  # RL103

        def drop(self):
            with self.read_lock:
                self.count -= 1
    ```

    ## Use instead
    ```python
    import threading

    class Registry:
        def __init__(self):
            self.lock = threading.Lock()
            self.count = 0

        def add(self):
            with self.lock:
                self.count += 1

        def drop(self):
            with self.lock:
                self.count -= 1
    ```

    ## How it is confirmed
    The two critical sections run on two threads; an outcome that no serial order gives is the proof.

    ## Known limits
    Locks chosen by a key (`locks[key]`) are taken to be the right ones.
    """

    code: ClassVar[str] = "RL103"
    name: ClassVar[str] = "wrong-lock"
    since: ClassVar[str] = "0.1.0"
    severity: ClassVar[Severity] = "error"
    confirmable: ClassVar[bool] = True

    def check(self, program: Program) -> Iterator[Finding]:
        yield from findings(self, suspects_of(program, "wrong-lock"), _message, _confidence)


def _message(suspect: Suspect) -> str:
    name = shown(suspect.group.location)
    if suspect.record.foreign:
        return f"`{name}` is changed under {foreign_locks(suspect.record)}, of which another thread may hold another"
    return f"`{name}` is changed under a different lock than elsewhere"


def _confidence(suspect: Suspect) -> Confidence:
    return "high" if suspect.evidence == "thread" else "medium"
