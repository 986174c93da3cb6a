"""RL307 semaphore-imbalance."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.lock_use.surplus_releases import SurplusRelease, surplus_releases
from racelint.rules.base import Rule, step
from racelint.rules.lock_names import lock_name, lock_subject


class SemaphoreImbalance(Rule):
    """A semaphore is given back more often than it was taken.

    ## What it does
    Follows what a function acquires and releases of a semaphore on every path, exceptions included. Reports a
    `release()`, or the end of a `with`, that gives back a permit which the function gave back already, or never got.

    ## Why is this bad?
    Each such path adds a permit for good: after a while more threads are let in than the semaphore was made for. A
    `BoundedSemaphore` raises ValueError instead.

    ## Example
    ```python
    from threading import BoundedSemaphore

    slots = BoundedSemaphore(2)


    def fetch(text):
        if not slots.acquire(timeout=5):
            print("busy, waiting for longer than usual")
        try:
            return int(text)
        finally:
            slots.release()  # RL307
    ```

    ## Use instead
    ```python
    from threading import BoundedSemaphore

    slots = BoundedSemaphore(2)


    def fetch(text):
        if not slots.acquire(timeout=5):
            return None
        try:
            return int(text)
        finally:
            slots.release()
    ```

    ## How it is confirmed
    The operation is run: a bounded semaphore refuses the permit.

    ## Known limits
    A semaphore that one function takes and another gives back (a signal, a slot that a callback frees) is not judged;
    permits that are never given back are RL201's.
    """

    code = "RL307"
    name = "semaphore-imbalance"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for found in surplus_releases(program):
            if found.lock.facts is not None and found.lock.facts.family == "semaphore":
                yield self._found(program, found)

    def _found(self, program: Program, found: SurplusRelease) -> Finding:
        name = lock_name(found.lock, found.call, program.stores.facts[found.function.id])
        line = f"line {found.earlier[0]}"
        how = f"{line} may be refused it" if found.refused else f"{line} gives the permit back already"
        return self.finding(
            found.function,
            found.span,
            message=f"`{name}` is given back more often than it was taken",
            why=f"{how}: this adds a permit for good, or raises ValueError where it is bounded",
            subject=lock_subject(found.lock, found.function, name),
            trace=[
                step("lock", "is refused" if found.refused else "gives it back", found.function, found.earlier),
                step("lock", f"gives `{name}` back once too often", found.function, found.span),
            ],
        )
