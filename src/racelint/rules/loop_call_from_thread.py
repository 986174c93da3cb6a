"""RL703 loop-call-from-thread."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.coroutines.loop_threads import ForeignCall, LoopThreads
from racelint.rules.base import Rule, step


class LoopCallFromThread(Rule):
    """An event loop, or what belongs to it, is touched from another thread without the `_threadsafe` call.

    ## What it does
    Reports `call_soon`, `call_later`, `create_task`, `stop` and the like of a loop, and `set`, `put_nowait`,
    `set_result`, `cancel` of its events, queues, futures and tasks, in code that runs on a thread which is not the
    loop's.

    ## Why is this bad?
    Nothing of asyncio is thread-safe but the calls that say so. The loop may sleep on in its selector and never see the
    new callback, or its queues and heaps are changed while it works on them.

    ## Example
    ```python
    import asyncio
    import threading


    async def answer(ask):
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def work():
            ask()
            done.set()  # RL703

        threading.Thread(target=work).start()
        await done.wait()
    ```

    ## Use instead
    ```python
    import asyncio
    import threading


    async def answer(ask):
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def work():
            ask()
            loop.call_soon_threadsafe(done.set)

        threading.Thread(target=work).start()
        await done.wait()
    ```

    ## How it is confirmed
    The thread and the loop run under a schedule in which the loop never wakes up, or finds its state changed.

    ## Known limits
    Code that asks which thread it is on is believed.
    """

    code = "RL703"
    name = "loop-call-from-thread"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        seen: set[tuple[str, int]] = set()
        for foreign in LoopThreads(program).found():
            key = (foreign.function.id, foreign.call.id)
            if key not in seen:
                seen.add(key)
                yield self._found(foreign)

    def _found(self, foreign: ForeignCall) -> Finding:
        function, span = foreign.started
        return self.finding(
            foreign.function,
            foreign.call.span,
            message=f"`{foreign.name}()` is called on another thread than that of its event loop",
            why=f"{foreign.runs}, and only the loop's own thread may do this: use `{foreign.instead}`",
            subject=foreign.name,
            confidence="high" if foreign.name.startswith("loop.") else "medium",
            evidence="thread",
            trace=[
                step("root", "the other thread is started here", function, span),
                step("access", f"calls `{foreign.name}()`", foreign.function, foreign.call.span),
            ],
        )
