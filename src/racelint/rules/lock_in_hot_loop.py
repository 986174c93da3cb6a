"""RL401 lock-in-hot-loop."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.model.summary import With
from racelint.program import Program
from racelint.program.flow.values import event_span
from racelint.program.lock_use.hot_loops import HotLoop, HotLoops
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.rules.base import Rule, step
from racelint.rules.call_chains import call_steps
from racelint.rules.lock_names import lock_subject


class LockInHotLoop(Rule):
    """A lock is taken and given back at every turn of a hot loop that does nothing else.

    ## What it does
    Reports the acquire of a critical section that makes up a loop's body, where only short computation is done under
    the lock and the loop turns a thousand times or more, or an uncounted number of times over data in memory.

    ## Why is this bad?
    Taking and giving back a lock costs more than the work that it guards, and each turn invites the other thread to
    take it, so that the threads change places a million times. One critical section around a batch does.

    ## Example
    ```python
    from threading import Lock, Thread

    lock = Lock()
    total = 0


    def count():
        global total
        for _ in range(1000000):
            with lock:  # RL401
                total += 1


    threads = [Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    ```

    ## Use instead
    ```python
    from threading import Lock, Thread

    lock = Lock()
    total = 0


    def count():
        global total
        mine = 0
        for _ in range(1000000):
            mine += 1
        with lock:
            total += mine


    threads = [Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    ```

    ## How it is confirmed
    Both forms are measured: the verdict gives the ratio of their times.

    ## Known limits
    A critical section inside a called function counts where the loop's turns are known, and has neither measurement
    nor fix. Other threads may be meant to see
    every single step; then the lock belongs there.
    """

    code = "RL401"
    name = "lock-in-hot-loop"
    since = "0.1.0"
    severity = "warning"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        loops = HotLoops(program)
        for function in program.index.functions:
            for loop in loops.of(function):
                root = _root_of(program, function)
                if root is not None:
                    yield self._found(program, loop, root)

    def _found(self, program: Program, hot: HotLoop, root: ThreadRoot) -> Finding:
        name = hot.lock.short
        turns = f"each of {hot.turns:,} turns" if hot.turns is not None else "every turn"
        span = hot.taken.item.span if isinstance(hot.taken, With) else hot.taken.span
        taker = hot.through.callee if hot.through is not None else hot.function
        calls = call_steps([hot.through] if hot.through is not None else [])
        return self.finding(
            hot.function,
            event_span(hot.function, hot.through.event) if hot.through is not None else span,
            message=f"`{name}` is taken and released at {turns} of a loop that does nothing else",
            why=f"{root.title} runs the loop: taking the lock costs more than the work under it, and the threads change"
            " places at every turn; one critical section around a batch does",
            subject=lock_subject(hot.lock, taker, name),
            confidence="high" if hot.turns is not None and hot.through is None else "medium",
            evidence="thread",
            trace=[
                *calls,
                step("lock", f"takes `{name}`", taker, span),
                step("root", f"{root.title} runs this", root.target, root.target.ir.name_span),
            ],
        )


def _root_of(program: Program, function: FunctionInfo) -> ThreadRoot | None:
    """A thread that runs the function."""
    for context in program.reach.of(function):
        if context.root is not None:
            return context.root
    return None
