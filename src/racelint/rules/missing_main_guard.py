"""RL603 missing-main-guard."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.process_use.unguarded_processes import UnguardedProcesses
from racelint.rules.base import Rule, step


class MissingMainGuard(Rule):
    """A module starts a process as it is read, with no `if __name__ == "__main__"` around it.

    ## What it does
    Reports a process, manager, pool or task of a process pool that the code of a module starts, itself or in a function
    that it calls, outside of the main guard. Silent where the program chooses to fork.

    ## Why is this bad?
    A spawned process imports the main module anew. There it comes to the same line and starts a process of its own:
    Python stops that with RuntimeError. Spawning is the default on Windows and macOS; the fork server, the default on
    Linux since 3.14, imports it as well.

    ## Example
    ```python
    from multiprocessing import Process


    def work():
        print("working")


    p = Process(target=work)
    p.start()  # RL603
    p.join()
    ```

    ## Use instead
    ```python
    from multiprocessing import Process


    def work():
        print("working")


    if __name__ == "__main__":
        p = Process(target=work)
        p.start()
        p.join()
    ```

    ## How it is confirmed
    By definition: the import comes to the start in every schedule.

    ## Known limits
    Only the first start of a module is reported. One inside another condition is mentioned on request alone.
    """

    code = "RL603"
    name = "missing-main-guard"
    since = "0.1.0"
    severity = "warning"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for unguarded in UnguardedProcesses(program).found():
            module = unguarded.module
            yield self.finding(
                module,
                unguarded.span,
                message=f"{unguarded.name} is started whenever `{module.module.name}` is imported",
                why="a spawned child imports the main module and comes here again: put the start under"
                ' `if __name__ == "__main__"`',
                subject=module.module.name,
                confidence="low" if unguarded.decided else "high",
                trace=[step("root", f"{unguarded.name} is started", module, unguarded.span)],
            )
