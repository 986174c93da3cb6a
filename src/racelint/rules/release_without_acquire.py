"""RL202 release-without-acquire."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.lock_use.surplus_releases import SurplusRelease, surplus_releases
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
        refused, passed_by = found.refused, found.passed_by
        what = "is not acquired" if refused or passed_by else "is given back already"
        why, does = _words(found)
        return self.finding(
            found.function,
            found.span,
            message=f"`{name}` {what} on a path to this release",
            why=f"{why}: RuntimeError, or another thread's lock set free",
            subject=lock_subject(found.lock, found.function, name),
            trace=[
                step("lock", does, found.function, found.earlier),
                step("lock", f"releases `{name}` once too often", found.function, found.span),
            ],
        )


def _words(found: SurplusRelease) -> tuple[str, str]:
    """Why it is one release too many, and what is done at the earlier place."""
    where = f"line {found.earlier[0]}"
    if found.refused:
        return f"where {where} is refused it, this releases it all the same", "is refused"
    if found.passed_by:
        return f"a path that leaves before {where} takes it comes here all the same", "takes it on other paths"
    return f"{where} releases it", "gives it back"
