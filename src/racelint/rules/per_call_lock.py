"""RL206 per-call-lock."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.linked.per_call_locks import PerCallLocks
from racelint.rules.base import Rule, step


class PerCallLock(Rule):
    """A lock that is made where it is used keeps nobody out.

    ## What it does
    Reports `with Lock():`, a lock that a function makes, takes and shows to nobody, and one that a property, a method
    or a default argument (`locks.get(key, Lock())`) makes anew for each use, or that a loop makes for each thread.

    ## Why is this bad?
    Every call has a lock of its own: any number of threads run through the section at once.

    ## Example
    ```python
    import threading

    stock = {"tea": 1}


    def sell(name="tea"):
        with threading.Lock():  # RL206
            if stock[name] == 0:
                return False
            stock[name] = stock[name] - 1
            return True
    ```

    ## Use instead
    ```python
    import threading

    stock = {"tea": 1}
    selling = threading.Lock()


    def sell(name="tea"):
        with selling:
            if stock[name] == 0:
                return False
            stock[name] = stock[name] - 1
            return True
    ```

    ## How it is confirmed
    Two threads are brought into the section at once: an outcome that no serial order gives.

    ## Known limits
    Locks on files are told apart by their path, not by the object, and are left out; so is a condition that is only
    there to sleep on.
    """

    code = "RL206"
    name = "per-call-lock"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for found in PerCallLocks(program).found():
            here = found.made == found.span or found.made[0] == found.span[0]
            made = "here" if here else f"on line {found.made[0]}"
            yield self.finding(
                found.function,
                found.span,
                message=f"this `{found.name}` is made anew for each use and keeps nobody out",
                why=f"it is made {made} and nobody else can ever hold it: all pass at once",
                subject=f"{found.function.module.name}.{found.function.qualname}.{found.name}",
                trace=[step("lock", f"makes and takes a `{found.name}`", found.function, found.span)],
            )
