"""RL509 daemon-writer."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.thread_use.daemons import DaemonWork, daemon_work
from racelint.rules.base import Rule, step, symbol_of


class DaemonWriter(Rule):
    """A daemon thread writes files or holds locks, and nobody waits for it at the end.

    ## What it does
    Mentions a thread with `daemon=True` that nothing joins, where it opens a file to write or takes a lock.

    ## Why is this bad?
    The interpreter does not wait for its daemon threads: they stop in the middle of whatever they do. A file is left
    half written; a lock that one holds at that moment blocks the handlers that run at exit.

    ## Example
    ```python
    import threading


    def save(rows):
        with open("rows.txt", "w") as file:  # RL509
            file.writelines(rows)


    def begin(rows):
        threading.Thread(target=save, args=(rows,), daemon=True).start()
    ```

    ## Use instead
    ```python
    import threading


    def save(rows):
        with open("rows.txt", "w") as file:
            file.writelines(rows)


    def begin(rows):
        thread = threading.Thread(target=save, args=(rows,))
        thread.start()
        thread.join()
    ```

    ## How it is confirmed
    By definition: when the program ends is not a matter of the schedule.

    ## Known limits
    Off by default: for many daemons an unfinished write does no harm.
    """

    code = "RL509"
    name = "daemon-writer"
    since = "0.1.0"
    severity = "info"
    confirmable = False
    default_on = False

    def check(self, program: Program) -> Iterator[Finding]:
        for work in daemon_work(program):
            yield self._found(work)

    def _found(self, work: DaemonWork) -> Finding:
        root = work.root
        steps = []
        if root.site is not None and root.site_function is not None:
            steps.append(step("root", f"{root.title} is made a daemon", root.site_function, root.site.span))
        steps.append(step("access", f"{work.what} here", work.function, work.span))
        return self.finding(
            work.function,
            work.span,
            message=f"daemon {root.title} {work.what}, and may be stopped in the middle of it",
            why="nothing joins it, and the interpreter does not wait for daemon threads when it ends",
            subject=symbol_of(root.target),
            evidence="thread",
            trace=steps,
        )
