"""RL210 lock-in-finalizer."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Confidence, Finding
from racelint.program import Program
from racelint.program.lock_use.finalizers import Finalizers, Interruption
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.call_chains import call_steps, chain_words

_WHERE = {"__del__": "`__del__`", "weakref callback": "a weakref callback", "signal handler": "a signal handler"}
_WHEN = {
    "__del__": "runs wherever the last reference goes or garbage is collected",
    "weakref callback": "runs wherever the last reference goes or garbage is collected",
    "signal handler": "runs between any two steps of the main thread",
}


class LockInFinalizer(Rule):
    """A lock is taken by code that interrupts other code: `__del__`, a weakref callback, a signal handler.

    ## What it does
    Follows finalizers, weakref callbacks and signal handlers through their calls to every non-reentrant lock that
    they take and that other code takes as well.

    ## Why is this bad?
    They run in the middle of whatever a thread is doing. If that is a section that holds the lock, the thread waits
    for itself, for ever.

    ## Example
    ```python
    from threading import Lock


    class Pool:
        def __init__(self):
            self.lock = Lock()
            self.free = []

        def get(self):
            with self.lock:
                return self.free.pop() if self.free else object()

        def release(self, connection):
            with self.lock:  # RL210
                self.free.append(connection)


    class Client:
        def __init__(self, pool: Pool):
            self.pool = pool
            self.connection = pool.get()

        def __del__(self):
            self.pool.release(self.connection)
    ```

    ## Use instead
    ```python
    from threading import RLock


    class Pool:
        def __init__(self):
            self.lock = RLock()
            self.free = []

        def get(self):
            with self.lock:
                return self.free.pop() if self.free else object()

        def release(self, connection):
            with self.lock:
                self.free.append(connection)


    class Client:
        def __init__(self, pool: Pool):
            self.pool = pool
            self.connection = pool.get()

        def __del__(self):
            self.pool.release(self.connection)
    ```

    ## How it is confirmed
    The finalizer is run inside a section that holds the lock (deadlock of one thread).

    ## Known limits
    Locks of the dying object itself, and of what only it ever had, are left out: nobody can hold them any more.
    """

    code = "RL210"
    name = "lock-in-finalizer"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for found in Finalizers(program).interruptions():
            taken, runs = found.taken.fact, _runs(found)
            function = found.interrupter.function
            name = f"{'the lock of queue ' if found.of_queue else ''}`{taken.lock.short}`"
            yield self.finding(
                taken.function,
                taken.span,
                message=f"{name} is taken in {_WHERE[found.interrupter.kind]}: its own thread may hold it",
                why=f"{runs}{_way(found)}: if the lock is held there, the thread waits for itself",
                subject=taken.lock.name,
                confidence=_confidence(found),
                trace=[
                    step("root", runs, function, function.ir.name_span),
                    *call_steps(found.taken.chain),
                    step("lock", f"takes {name}", taken.function, taken.span),
                ],
            )


def _runs(found: Interruption) -> str:
    return f"`{symbol_of(found.interrupter.function)}` {_WHEN[found.interrupter.kind]}"


def _way(found: Interruption) -> str:
    return f" and comes to {chain_words(found.taken.chain)}" if found.taken.chain else ""


def _confidence(found: Interruption) -> Confidence:
    if len(found.taken.chain) > 3:
        return "low"
    return "high" if found.taken.certain else "medium"
