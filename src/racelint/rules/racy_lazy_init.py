"""RL105."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from racelint.model.finding import Confidence, Finding, Severity
from racelint.program import Program
from racelint.program.suspects import Suspect
from racelint.rules.base import Rule
from racelint.rules.race_report import findings, shown, suspects_of


class RacyLazyInit(Rule):
    """Lazy initialisation without a lock, or double-checked locking without the second check.

    ## What it does
    Finds `if self.x is None: self.x = make()` and its kin (`if not self.x`, `hasattr`, `except AttributeError`) where
    no lock is held from the test to the assignment and the test is not repeated under the lock.

    ## Why is this bad?
    Two threads see the empty value and both initialise: two objects where one was meant, one of them lost or leaked.

    ## Example
    ```python
    import threading

    class Client:
        def __init__(self):
            self._lock = threading.Lock()
            self._connection = None

        def connection(self):
            if self._connection is None:  # RL105
                self._connection = object()
            return self._connection

        def close(self):
            with self._lock:
                self._connection = None
    ```

    ## Use instead
    ```python
    import threading

    class Client:
        def __init__(self):
            self._lock = threading.Lock()
            self._connection = None

        def connection(self):
            with self._lock:
                if self._connection is None:
                    self._connection = object()
                return self._connection

        def close(self):
            with self._lock:
                self._connection = None
    ```

    ## How it is confirmed
    Two threads ask for the object at once: two identities where every serial order gives one are the proof.

    ## Known limits
    A cache whose values are equal and immutable is benign; types are not always known well enough to say so.
    """

    code: ClassVar[str] = "RL105"
    name: ClassVar[str] = "racy-lazy-init"
    since: ClassVar[str] = "0.1.0"
    severity: ClassVar[Severity] = "error"
    confirmable: ClassVar[bool] = True
    fixable: ClassVar[bool] = True

    def check(self, program: Program) -> Iterator[Finding]:
        yield from findings(self, suspects_of(program, "lazy-init"), _message, _confidence)


def _message(suspect: Suspect) -> str:
    return f"`{shown(suspect.group.location)}` is initialised on first use without a lock"


def _confidence(suspect: Suspect) -> Confidence:
    if suspect.evidence == "thread" and suspect.record.context.root is not None:
        return "high"
    return "medium" if suspect.guard is not None or suspect.evidence != "lock" else "low"
