"""RL403 busy-wait."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.waiting.busy_waits import BusyWait as Wait
from racelint.program.waiting.busy_waits import BusyWaits
from racelint.rules.base import Rule, step


class BusyWait(Rule):
    """A loop does nothing but look, again and again, whether another thread has got somewhere.

    ## What it does
    Reports loops that only look and sleep: at a flag that another thread sets, or at an event, thread, queue or future
    that has a method to wait with.

    ## Why is this bad?
    Without a sleep it takes the processor, and the GIL, from the thread that it waits for. With one, every wait is
    longer than it needs to be, and the processor wakes up for nothing.

    ## Example
    ```python
    import time
    from threading import Thread


    class Job:
        def __init__(self):
            self.done = False

        def run(self):
            print(sum(range(1000)))
            self.done = True

        def wait(self):
            while not self.done:  # RL403
                time.sleep(0.1)


    job = Job()
    Thread(target=job.run).start()
    job.wait()
    ```

    ## Use instead
    ```python
    from threading import Event, Thread


    class Job:
        def __init__(self):
            self.done = Event()

        def run(self):
            print(sum(range(1000)))
            self.done.set()

        def wait(self):
            self.done.wait()


    if __name__ == "__main__":
        job = Job()
        Thread(target=job.run).start()
        job.wait()
    ```

    ## How it is confirmed
    By definition: every turn of the loop is a look that a waiting thread would not take.

    ## Known limits
    Loops that do anything else at a turn are left alone, and so are flags that nobody is seen to set.
    """

    code = "RL403"
    name = "busy-wait"
    since = "0.1.0"
    severity = "warning"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for wait in BusyWaits(program).found():
            yield self._found(program, wait)

    def _found(self, program: Program, wait: Wait) -> Finding:
        name = spelled(wait.path, program.stores.facts[wait.function.id])
        trace = [step("access", f"looks at `{name}` at every turn", wait.function, wait.span)]
        if wait.setter is not None:
            trace.append(step("conflict", "changes it on another thread", wait.setter.function, wait.setter.span))
            where = f"`{wait.setter.function.qualname}` changes it (line {wait.setter.span[0]})"
            why = f"{where}: a threading.Event or Condition there would wake this thread at once"
        else:
            why = f"`{name}.{wait.instead}()` returns at once when it has happened, and costs nothing before"
        return self.finding(
            wait.function,
            wait.span,
            message=f"waits for `{name}` in a loop that only looks{' and sleeps' if wait.sleeps else ''}",
            why=why,
            subject=f"{wait.function.module.name}.{wait.function.qualname}.{name}",
            confidence="high" if wait.instead else "medium",
            evidence="thread",
            trace=trace,
        )
