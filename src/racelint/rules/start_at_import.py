"""RL508 start-at-import."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.thread_use.import_starts import ImportStart, ImportStarts
from racelint.rules.base import Rule, step, symbol_of


class StartAtImport(Rule):
    """A thread is started while a module is imported.

    ## What it does
    Reports a thread, timer or pool task that the code of an imported module starts, itself or through a function that
    it calls, outside of `if __name__ == "__main__"`.

    ## Why is this bad?
    Whoever imports the module gets the thread, tests and tools included, and cannot choose when. While the import
    runs its thread holds the module's import lock: a thread that imports the same module waits for it, and where the
    import waits for the thread both wait for ever. A fork after the import has the module's state without its thread.

    ## Example
    ```python
    import threading

    __all__ = ["poll"]


    def poll():
        print("polling")


    thread = threading.Thread(target=poll, daemon=True)
    thread.start()  # RL508
    ```

    ## Use instead
    ```python
    import threading

    __all__ = ["begin"]


    def poll():
        print("polling")


    def begin():
        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        return thread
    ```

    ## How it is confirmed
    By definition: the import starts it in every schedule.

    ## Known limits
    A start that a condition decides on, in a function that the import calls, is mentioned on request alone.
    A module that no other one imports, and that has no `__all__`, is taken for a script: its threads are its business.
    """

    code = "RL508"
    name = "start-at-import"
    since = "0.1.0"
    severity = "warning"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for start in ImportStarts(program).found():
            yield self._found(start)

    def _found(self, start: ImportStart) -> Finding:
        root, target = start.root, symbol_of(start.root.target)
        if start.waits is not None:
            why = (
                f"line {start.waits[0]} waits for it inside the import, whose lock it needs to import anything of this"
            )
        else:
            why = "whoever imports the module starts it, without asking to and before the module is complete"
        steps = [step("root", f"{root.title} is started by the import", start.module, start.span)]
        if start.waits is not None:
            steps.append(step("conflict", "the import waits for it", start.module, start.waits))
        return self.finding(
            start.module,
            start.span,
            message=f"importing `{start.module.module.name}` starts {root.title}",
            why=why,
            subject=f"{start.module.module.name}.{target}",
            confidence="high" if start.certain else "low",
            evidence="thread",
            trace=steps,
        )
