"""RL105."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from racelint.model.finding import Confidence, Finding, Severity
from racelint.program import Program
from racelint.program.flow.values import event_span
from racelint.program.races.early_publications import EarlyPublication, early_publications
from racelint.program.races.early_signals import EarlySignal, EarlySignals
from racelint.program.races.lazy_starts import LazyStart, lazy_starts
from racelint.program.races.suspects import Suspect
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.race_report import findings, shown, subject, suspects_of


class RacyLazyInit(Rule):
    """Lazy initialisation without a lock, or double-checked locking without the second check.

    ## What it does
    Finds `if self.x is None: self.x = make()` and its kin (`if not self.x`, `hasattr`, `except AttributeError`) where
    no lock is held from the test to the assignment and the test is not repeated under the lock; threads and locks that
    are made so, whatever object they are kept on. Also flags that are set before what they stand for is there, by a
    thread while others ask for it or under a lock that the first test omits.

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

    def check(self, program: Program) -> Iterator[Finding]:
        suspects = suspects_of(program, "lazy-init")
        yield from findings(self, suspects, _message, _confidence)
        known = {(suspect.record.access.function, suspect.group.location) for suspect in suspects}
        for lazy in lazy_starts(program):
            if (lazy.function, lazy.location) not in known:
                yield self._of_start(lazy)
        for early in early_publications(program):
            yield self._early(program, early)
        for signal in EarlySignals(program).found():
            yield self._too_soon(signal)

    def _early(self, program: Program, early: EarlyPublication) -> Finding:
        function, location = early.function, early.check.act.location
        checked = event_span(function, early.check.since)
        published = event_span(function, early.check.act.event)
        held = tuple(hold.lock.short for hold in program.flows.of(function).at(early.check.act.event).must)
        return self.finding(
            function,
            checked,
            message=f"`{shown(location)}` is believed without the lock before all that it stands for is there",
            why=f"it is set on line {published[0]}, and completed on line {early.later[0]}: who comes between the two"
            " passes this check and does not wait for the lock",
            subject=subject(location),
            confidence="medium",
            evidence="lock",
            trace=(
                step("access", f"reads `{shown(location)}` without the lock", function, checked),
                step("conflict", f"sets `{shown(location)}`", function, published, held),
                step("access", "completes it", function, early.later, held),
            ),
        )

    def _too_soon(self, signal: EarlySignal) -> Finding:
        flag, data = shown(signal.location), shown(signal.data)
        told, asked = signal.told.access, signal.asked.access
        return self.finding(
            told.function,
            told.span,
            message=f"`{flag}` is set before `{data}`, which is read where it is found set",
            why=f"`{data}` is stored on line {signal.stored.span[0]} only: `{symbol_of(asked.function)}`, in between,"
            " believes the flag and reads the value of before",
            subject=subject(signal.location),
            confidence="medium",
            evidence="thread",
            trace=(
                step("access", f"sets `{flag}`", told.function, told.span),
                step("conflict", f"finds `{flag}` set", asked.function, asked.span),
                step("conflict", f"reads `{data}`", asked.function, signal.used.span),
                step("access", f"stores `{data}`", told.function, signal.stored.span),
            ),
        )

    def _of_start(self, lazy: LazyStart) -> Finding:
        what = f"a {lazy.makes} is made" if lazy.makes else "a thread is started"
        made = event_span(lazy.function, lazy.made_at)
        entry = lazy.context.entry.function
        return self.finding(
            lazy.function,
            lazy.check.span,
            message=f"`{shown(lazy.location)}` decides without a lock whether {what}",
            why=f"any thread may call `{symbol_of(entry)}`, and two first callers both find that it is not there yet",
            subject=subject(lazy.location),
            confidence="medium",
            evidence="lock" if lazy.makes else "thread",
            trace=(
                step("access", f"reads `{shown(lazy.location)}`", lazy.function, lazy.check.span),
                step("conflict", f"here {what}", lazy.function, made),
            ),
        )


def _message(suspect: Suspect) -> str:
    return f"`{shown(suspect.group.location)}` is initialised on first use without a lock"


def _confidence(suspect: Suspect) -> Confidence:
    if suspect.evidence == "thread" and suspect.record.context.root is not None:
        return "high"
    return "medium" if suspect.guard is not None or suspect.evidence != "lock" else "low"
