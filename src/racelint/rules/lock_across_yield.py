"""RL212 lock-across-yield."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.lock_use.held_yields import held_yields
from racelint.rules.base import Rule, step, symbol_of


class LockAcrossYield(Rule):
    """A generator holds a lock while its caller works on what it yielded.

    ## What it does
    Reports a `yield` at which the generator certainly holds a lock.

    ## Why is this bad?
    The lock stays held for as long as the caller likes: over its whole loop body, and where it stops half-way, until
    the generator is collected. If the loop body needs the lock, it waits for itself; if it is slow, all others wait.

    ## Example
    ```python
    from threading import Lock


    class Rows:
        def __init__(self):
            self.lock = Lock()
            self.rows = []

        def __iter__(self):
            with self.lock:
                for row in self.rows:
                    yield row  # RL212
    ```

    ## Use instead
    ```python
    from threading import Lock


    class Rows:
        def __init__(self):
            self.lock = Lock()
            self.rows = []

        def __iter__(self):
            with self.lock:
                rows = list(self.rows)
            yield from rows
    ```

    ## How it is confirmed
    It is plain from the source: there is nothing to run.

    ## Known limits
    Context managers, test fixtures and generators that yield once hold a lock around somebody's block on purpose: they
    are left out, and so are semaphores and locks between processes.
    """

    code = "RL212"
    name = "lock-across-yield"
    since = "0.1.0"
    severity = "warning"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for found in held_yields(program):
            name = found.lock.short
            who = symbol_of(found.function)
            again = "" if found.lock.reentrant else ", and it waits for ever if it takes the lock"
            yield self.finding(
                found.function,
                found.switch.span,
                message=f"`{name}` stays held while `{who}` hands out a value",
                why=f"taken on line {found.taken[0]}: all others wait until the caller asks for the next{again}",
                subject=found.lock.name,
                trace=[
                    step("lock", f"takes `{name}`", found.function, found.taken),
                    step("conflict", "the caller runs here", found.function, found.switch.span, [name]),
                ],
            )
