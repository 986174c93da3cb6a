"""RL606 fork-with-threads."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding, Step
from racelint.model.summary import Span
from racelint.program import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.process_use.fork_locks import ForkLocks, InheritedLock
from racelint.program.process_use.forks import ForkBesideThreads, Forks
from racelint.rules.base import Rule, step, symbol_of


class ForkWithThreads(Rule):
    """A process is forked while threads run, or takes a lock that a thread of its parent may have held.

    ## What it does
    Reports `os.fork` and processes with the fork start method where the program has started threads before; and code
    that knows of forks (it compares `os.getpid()`, or registers a fork handler) and in the child takes a `threading`
    lock that was made in the parent. What a fork handler takes is reported there, else the lock, where it is made.

    ## Why is this bad?
    The child is a copy of the parent with one thread. A lock that another thread held at that moment stays held in the
    child, and nobody is there to give it back: the child hangs at its first acquire.

    ## Example
    ```python
    import os
    import threading


    class Monitor:
        def __init__(self):
            self.lock = threading.Lock()  # RL606
            self.pid = None

        def ensure_running(self):
            if self.pid == os.getpid():
                return
            with self.lock:
                self.pid = os.getpid()
    ```

    ## Use instead
    ```python
    import os
    import threading


    class Monitor:
        def __init__(self):
            self.lock = threading.Lock()
            self.pid = None
            release = self.lock.release
            os.register_at_fork(before=self.lock.acquire, after_in_parent=release, after_in_child=release)

        def ensure_running(self):
            if self.pid == os.getpid():
                return
            with self.lock:
                if self.pid != os.getpid():
                    self.pid = os.getpid()
    ```

    ## How it is confirmed
    One thread is inside of the lock when another forks: as the child, it waits for the lock for ever. A fork beside
    threads is not run.

    ## Known limits
    Processes with the platform's default start method are mentioned on request alone: not everywhere is it fork.
    """

    code = "RL606"
    name = "fork-with-threads"
    since = "0.1.0"
    severity = "warning"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for beside in Forks(program).found():
            yield self._beside(beside)
        seen: set[tuple[FunctionInfo, Span]] = set()
        for inherited in ForkLocks(program).found():
            place = _place(inherited)
            if place not in seen:
                seen.add(place)
                yield self._inherited(inherited)

    def _beside(self, beside: ForkBesideThreads) -> Finding:
        fork, (starter, span) = beside.fork, beside.started
        plain = fork.name.startswith(("os.", "pty."))
        what = f"`{fork.name}()` forks" if plain else f"process `{fork.name}` is forked"
        when = "on the thread itself" if beside.inside else f"after the start on line {span[0]}"
        default = " where fork is the default start method" if fork.method == "default" else ""
        return self.finding(
            fork.function,
            fork.call.span,
            message=f"{what} while {beside.thread.title} runs",
            why=f"it forks {when}{default}: locks that the thread holds stay held in the child for ever",
            subject=fork.name,
            confidence="low" if fork.method == "default" else "high",
            evidence="thread",
            trace=[
                step("root", f"{beside.thread.title} is started", starter, span),
                step("access", what, fork.function, fork.call.span),
            ],
        )

    def _inherited(self, inherited: InheritedLock) -> Finding:
        function, lock = inherited.function, inherited.lock
        steps: list[Step] = []
        if inherited.made is not None and inherited.made.access is not None:
            steps.append(step("lock", f"`{lock.short}` is made", inherited.made.function, inherited.made.access.span))
        steps.append(step("call", "knows that it may have been forked", *inherited.aware))
        steps.append(step("access", f"takes `{lock.short}`", function, inherited.span))
        return self.finding(
            *_place(inherited),
            message=f"`{symbol_of(function)}` takes `{lock.short}` in forked children as the parent left it",
            why="a thread of the parent may hold it at the fork, and is not there to release it: make it anew, or hold"
            " it across the fork, with `os.register_at_fork`",
            subject=lock.name,
            confidence="medium",
            evidence="lock",
            trace=steps,
        )


def _place(inherited: InheritedLock) -> tuple[FunctionInfo, Span]:
    """Where it is to be mended: in the fork handler, or for code that compares process ids where the lock is made."""
    made, by_handler = inherited.made, inherited.aware[0] is not inherited.function
    if by_handler or made is None or made.access is None:
        return inherited.function, inherited.span
    return made.function, made.access.span
