"""RL209 acquire-inside-try."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.lock_use.late_acquires import LateAcquire, late_acquires
from racelint.program.objects.spelling import spelled_call
from racelint.rules.base import Rule, step
from racelint.rules.lock_names import lock_name, lock_subject


class AcquireInsideTry(Rule):
    """A lock is acquired inside the `try` whose `finally` releases it.

    ## What it does
    Reports an `acquire()` in the body of a `try` where the `finally` of that same `try` releases the lock whatever
    happened.

    ## Why is this bad?
    If something before the `acquire()` fails, or waiting for the lock is broken off (Ctrl-C), the `finally` releases a
    lock that this thread does not hold: that raises and hides the first error, or frees the lock of another thread.

    ## Example
    ```python
    from threading import Lock

    lock = Lock()
    rows = []


    def load(path):
        try:
            file = open(path)
            lock.acquire()  # RL209
            rows.extend(file)
        finally:
            lock.release()
    ```

    ## Use instead
    ```python
    from threading import Lock

    lock = Lock()
    rows = []


    def load(path):
        with open(path) as file, lock:
            rows.extend(file)
    ```

    ## How it is confirmed
    It is plain from the source: there is nothing to run.

    ## Known limits
    Silent where the release hangs on a condition (`if taken: lock.release()`), and where the acquire does.
    """

    code = "RL209"
    name = "acquire-inside-try"
    since = "0.1.0"
    severity = "warning"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for found in late_acquires(program):
            name = lock_name(found.lock, found.acquire, program.stores.facts[found.function.id])
            yield self.finding(
                found.function,
                found.acquire.span,
                message=f"`{name}` is acquired inside the `try` whose `finally` releases it",
                why=_why(program, found),
                subject=lock_subject(found.lock, found.function, name),
                trace=[
                    step("lock", f"acquires `{name}`", found.function, found.acquire.span),
                    step("lock", "releases it, acquired or not", found.function, found.release.span),
                ],
            )


def _why(program: Program, found: LateAcquire) -> str:
    end = f"line {found.release.span[0]} releases what this thread does not hold"
    if found.before is None:
        return f"if the wait for it is broken off (Ctrl-C), {end}"
    call = found.before if found.before in program.stores.facts[found.function.id].calls else None
    words = f"`{spelled_call(call, program.stores.facts[found.function.id])}` " if call is not None else "line "
    line = found.before.item.span[0] if hasattr(found.before, "item") else found.before.span[0]
    place = f"{words}on line {line}" if call is not None else f"{words}{line}"
    return f"if {place} raises before it, {end}"
