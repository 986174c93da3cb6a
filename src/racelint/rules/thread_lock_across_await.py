"""RL701 thread-lock-across-await."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.coroutines.locks_across_awaits import HeldAcross, locks_across_awaits
from racelint.rules.base import Rule, step, symbol_of


class ThreadLockAcrossAwait(Rule):
    """A coroutine awaits while it holds a lock that is made for threads.

    ## What it does
    Reports a `threading` lock, condition or semaphore that a coroutine holds at an await that lets other tasks run.

    ## Why is this bad?
    The next task that takes the lock blocks the thread of the event loop, and with it the task that holds the lock:
    nothing runs any more. A reentrant lock does not even exclude: all tasks of a loop are one thread.

    ## Example
    ```python
    import threading


    class Account:
        def __init__(self, bank):
            self.lock = threading.Lock()
            self.bank = bank

        async def transfer(self, amount):
            with self.lock:  # RL701
                await self.bank.send(amount)
    ```

    ## Use instead
    ```python
    import asyncio


    class Account:
        def __init__(self, bank):
            self.lock = asyncio.Lock()
            self.bank = bank

        async def transfer(self, amount):
            async with self.lock:
                await self.bank.send(amount)
    ```

    ## How it is confirmed
    Two tasks run the coroutine on one event loop: the loop never gets past the second one's acquire.

    ## Known limits
    A lock that a caller holds is reported at the caller's own await.
    """

    code = "RL701"
    name = "thread-lock-across-await"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for held in locks_across_awaits(program):
            yield self._found(held)

    def _found(self, held: HeldAcross) -> Finding:
        function, lock = held.function, held.lock
        if lock.reentrant:
            harm = "the next task passes it as well, since all tasks of a loop are one thread"
        else:
            harm = "the next task that takes it blocks the event loop, so that this one never gives it back"
        return self.finding(
            function,
            held.taken or held.switch,
            message=f"`{lock.short}` is a lock for threads, held while `{symbol_of(function)}` awaits",
            why=f"other tasks run at the await on line {held.switch[0]}: {harm}",
            subject=lock.name,
            evidence="lock",
            trace=[
                step("lock", f"takes `{lock.short}`", function, held.taken or held.switch, [lock.short]),
                step("conflict", "other tasks run here", function, held.switch, [lock.short]),
            ],
        )
