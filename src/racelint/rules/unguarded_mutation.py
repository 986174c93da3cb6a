"""RL101."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from racelint.model.finding import Confidence, Finding, Severity
from racelint.program import Program
from racelint.program.objects.spelling import spelled_call
from racelint.program.races.early_closes import EarlyClose, EarlyCloses
from racelint.program.races.suspects import Suspect
from racelint.rules.base import Rule, step
from racelint.rules.race_report import findings, runner, shown, subject, suspects_of


class UnguardedMutation(Rule):
    """Shared state is changed in several steps with no lock, by code that runs in parallel.

    ## What it does
    Finds attributes, class attributes, module globals, captured variables and container elements that are read,
    computed on and written back (`self.n += 1`, `d[k] = d.get(k, 0) + 1`) with no lock held from the read to the
    write, where another thread may change them in between. Finds files, sockets and connections, too, that are closed
    and only then replaced, where another thread calls what is there.

    ## Why is this bad?
    The other thread's change is lost. On CPython 3.10 and later with the GIL a plain `self.n += 1` cannot be
    interrupted, but one with a call in it can, and on free-threaded builds and on 3.9 all of them can.

    ## Example
    ```python
    import threading

    class Counter:
        def __init__(self):
            self.n = 0

        def work(self):
            for _ in range(100):
                self.n += 1  # RL101

    counter = Counter()
    threads = [threading.Thread(target=counter.work) for _ in range(2)]
    for thread in threads:
        thread.start()
    ```

    ## Use instead
    ```python
    import threading

    class Counter:
        def __init__(self):
            self.n = 0
            self.lock = threading.Lock()

        def work(self):
            for _ in range(100):
                with self.lock:
                    self.n += 1

    counter = Counter()
    threads = [threading.Thread(target=counter.work) for _ in range(2)]
    for thread in threads:
        thread.start()
    ```

    ## How it is confirmed
    The operation runs on two threads with itself and with the conflicting one; a schedule whose outcome no serial
    order gives, and that goes away when the update is made atomic, is the proof.

    ## Known limits
    Instances of one class are not told apart. Where only a lock beside the attribute says that the class is meant for
    threads, and that lock is never used for the attribute, the confidence is low.
    """

    code: ClassVar[str] = "RL101"
    name: ClassVar[str] = "unguarded-mutation"
    since: ClassVar[str] = "0.1.0"
    severity: ClassVar[Severity] = "error"
    confirmable: ClassVar[bool] = True

    def check(self, program: Program) -> Iterator[Finding]:
        yield from findings(self, suspects_of(program, "update", "overwritten"), _message, _confidence)
        for early in EarlyCloses(program).found():
            yield self._closed(program, early)

    def _closed(self, program: Program, early: EarlyClose) -> Finding:
        write, use = early.write.access, early.use.access
        name = shown(write.location)
        return self.finding(
            write.function,
            early.close.span,
            message=f"`{name}` is closed before another one is put in its place",
            why=f"{runner(early.use)} calls `{spelled_call(early.call, program.stores.facts[use.function.id])}` on line"
            f" {early.call.span[0]}, and meets the closed one: store the new one first, under a lock with the uses",
            subject=subject(write.location),
            confidence="medium",
            evidence="thread",
            severity="warning",
            trace=[
                step("access", f"closes `{name}`", write.function, early.close.span),
                step("conflict", "calls what is there", use.function, early.call.span),
                step("access", f"replaces `{name}`", write.function, write.span),
            ],
        )


def _message(suspect: Suspect) -> str:
    name = shown(suspect.group.location)
    if suspect.kind == "overwritten":
        return f"`{name}` holds what one call alone needs, on an object that others call at the same time"
    return f"`{name}` is updated without a lock"


def _confidence(suspect: Suspect) -> Confidence:
    if suspect.evidence == "lock":
        return "low"
    return "high" if suspect.record.context.root is not None else "medium"
