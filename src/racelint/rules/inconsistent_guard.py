"""RL102."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from racelint.model.finding import Confidence, Finding, Severity
from racelint.program import Program
from racelint.program.races.suspects import Suspect
from racelint.rules.base import Rule
from racelint.rules.race_report import findings, shown, suspects_of


class InconsistentGuard(Rule):
    """A location that most accesses guard with a lock is changed here without it.

    ## What it does
    Infers for each attribute, global and captured variable which lock guards it, from how its accesses hold locks,
    private helpers being judged through their callers, and reports the changes that do not hold that lock.

    ## Why is this bad?
    A lock protects only if everyone takes it: the change comes in the middle of a critical section elsewhere.

    ## Example
    ```python
    import threading

    class Account:
        def __init__(self):
            self._lock = threading.Lock()
            self._balance = 0

        def deposit(self, amount):
            with self._lock:
                self._balance += amount

        def withdraw(self, amount):
            with self._lock:
                self._balance -= amount

        def charge(self, fee):
            self._balance -= fee  # RL102
    ```

    ## Use instead
    ```python
    import threading

    class Account:
        def __init__(self):
            self._lock = threading.Lock()
            self._balance = 0

        def deposit(self, amount):
            with self._lock:
                self._balance += amount

        def withdraw(self, amount):
            with self._lock:
                self._balance -= amount

        def charge(self, fee):
            with self._lock:
                self._balance -= fee
    ```

    ## How it is confirmed
    The method runs on one thread against a guarded one on another; an outcome that no serial order gives is the proof.

    ## Known limits
    Plain reads outside the lock are not reported: one read is one atomic step, unless the lock keeps readers from a
    container while it is emptied and filled again, or a function looks up without it what it had put in under it while
    others take entries out. A store that does no harm is reported as info with its reason. Aliased containers are
    followed through locals only.
    """

    code: ClassVar[str] = "RL102"
    name: ClassVar[str] = "inconsistent-guard"
    since: ClassVar[str] = "0.1.0"
    severity: ClassVar[Severity] = "error"
    confirmable: ClassVar[bool] = True

    def check(self, program: Program) -> Iterator[Finding]:
        yield from findings(
            self,
            suspects_of(program, "unguarded", "torn", "half-filled", "late-lookup"),
            _message,
            _confidence,
            _severity,
        )


def _message(suspect: Suspect) -> str:
    assert suspect.guard is not None
    lock = shown(suspect.guard)
    if suspect.kind == "torn":
        other = shown(suspect.record.access.location)
        return (
            f"`{shown(suspect.group.location)}` and `{other}` are read one by one without `{lock}`, which guards both"
        )
    if suspect.kind == "half-filled":
        return f"`{shown(suspect.group.location)}` is read without `{lock}`, under which it is emptied and filled again"
    if suspect.kind == "late-lookup":
        return (
            f"an entry of `{shown(suspect.group.location)}` is looked up without `{lock}`, under which it was put there"
            " and others take it out"
        )
    if suspect.compound is not None and suspect.compound.kind == "check-then-use":
        return f"`{shown(suspect.group.location)}` is tested and read again without `{lock}`, under which it is emptied"
    return (
        f"`{shown(suspect.group.location)}` is changed without `{lock}`, "
        f"which {suspect.guarded} of {suspect.total} accesses hold"
    )


def _confidence(suspect: Suspect) -> Confidence:
    if suspect.evidence == "thread":
        return "high"
    return "high" if suspect.guarded / suspect.total >= 0.7 else "medium"


def _severity(suspect: Suspect) -> Severity | None:
    tested = suspect.compound is not None and suspect.compound.kind == "check-then-use" and suspect.evidence == "lock"
    return "warning" if suspect.kind in ("torn", "half-filled", "late-lookup") or tested else None
