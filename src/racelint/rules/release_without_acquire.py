"""RL202 release-without-acquire."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.surplus_releases import SurplusRelease, surplus_releases
from racelint.rules.base import Rule, step
from racelint.rules.lock_names import lock_name, lock_subject


class ReleaseWithoutAcquire(Rule):
    """A path releases a lock that it does not hold.

    ## What it does
    Follows what a function acquires and releases of a lock on every path, exceptions included. Reports a `release()`,
    or the end of a `with`, that some path comes to after it gave the lock back already, or after it was refused.

    ## Why is this bad?
    Releasing a free lock raises RuntimeError, often instead of the error that led there. If another thread holds it by
    then, that thread's lock is released under its feet, and a third one walks in.

    ## Example
    ```python
    from threading import Lock

    lock = Lock()
    rows = []


    def add(text):
        lock.acquire()
        try:
            rows.append(text)
            lock.release()
            print(int(text))
        except ValueError:
            lock.release()  # RL202
            raise
    ```

    ## Use instead
    ```python
    from threading import Lock

    lock = Lock()
    rows = []


    def add(text):
        with lock:
            rows.append(text)
        print(int(text))
    ```

    ## How it is confirmed
    The operation is run: the lock itself refuses to be released.

    ## Known limits
    What a function releases without having taken it is its caller's affair. A condition that decides on a release is
    taken to know whether the lock is held. Semaphores, which count, are RL307's.
    """

    code = "RL202"
    name = "release-without-acquire"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for found in surplus_releases(program):
            if found.lock.facts is not None and found.lock.facts.family != "semaphore":
                yield self._found(program, found)

    def _found(self, program: Program, found: SurplusRelease) -> Finding:
        name = lock_name(found.lock, found.call, program.stores.facts[found.function.id])
        what = "is not acquired" if found.refused else "is given back already"
        where = f"line {found.earlier[0]}"
        why = f"where {where} is refused it, this releases it all the same" if found.refused else f"{where} releases it"
        return self.finding(
            found.function,
            found.span,
            message=f"`{name}` {what} on a path to this release",
            why=f"{why}: RuntimeError, or another thread's lock set free",
            subject=lock_subject(found.lock, found.function, name),
            trace=[
                step("lock", "is refused" if found.refused else "gives it back", found.function, found.earlier),
                step("lock", f"releases `{name}` once too often", found.function, found.span),
            ],
        )
