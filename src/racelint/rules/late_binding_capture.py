"""RL505 late-binding-capture."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.thread_use.late_bindings import LateBinding, LateBindings
from racelint.rules.base import Rule, step, symbol_of


class LateBindingCapture(Rule):
    """A thread's lambda or closure reads a variable that is bound anew, or for the first time, after its start.

    ## What it does
    Reports a variable of a loop that the closure of a thread, timer or pool task reads, where the thread outlives the
    turn that starts it; and one that is bound only after the closure was handed to the thread.

    ## Why is this bad?
    A closure captures the variable, not its value. By the time the thread reads it the loop has gone on: several
    threads work on the last element and none on the first. A variable that is not bound yet raises NameError.

    ## Example
    ```python
    from threading import Thread


    def squares(numbers):
        found = []
        threads = []
        for n in numbers:
            thread = Thread(target=lambda: found.append(n * n))  # RL505
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
        return found
    ```

    ## Use instead
    ```python
    from threading import Thread


    def squares(numbers):
        found = []
        threads = []
        for n in numbers:
            thread = Thread(target=lambda n=n: found.append(n * n))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
        return found
    ```

    ## How it is confirmed
    The loop goes on before the thread reads the variable: what comes of it does not come where each thread runs as soon
    as it is started.

    ## Known limits
    Closures that are handed to libraries count only where the function waits for what they signal, those that are
    handed to the program itself only where it starts a thread that comes to them.
    """

    code = "RL505"
    name = "late-binding-capture"
    since = "0.1.0"
    severity = "warning"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        seen: set[tuple[str, int]] = set()
        for late in LateBindings(program).found():
            key = (late.function.id, late.read.id)
            if key not in seen:
                seen.add(key)
                yield self._found(late)

    def _found(self, late: LateBinding) -> Finding:
        name = late.name
        if late.first:
            message = f"`{name}` is bound on line {late.rebound[0]} only, after the closure that reads it was handed on"
            why = f"a thread may run the closure before line {late.started[0]} has returned: then `{name}` is not bound"
        else:
            message = f"a thread reads `{name}` of the loop, which may have gone on by then"
            why = (
                f"line {late.started[0]} starts a thread in every turn; all share the one variable `{name}`, "
                f"and line {late.rebound[0]} binds it anew"
            )
        return self.finding(
            late.function,
            late.read.span,
            message=message,
            why=why,
            subject=f"{symbol_of(late.home)}.{name}",
            confidence="medium" if late.first else "high",
            evidence="thread",
            trace=[
                step("root", "the closure is handed on here", late.home, late.started),
                step("access", f"reads `{name}`", late.function, late.read.span),
                step("conflict", f"binds `{name}`", late.home, late.rebound),
            ],
        )
