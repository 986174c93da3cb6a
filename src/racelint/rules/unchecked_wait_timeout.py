"""RL309 unchecked-wait-timeout."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.waiting.unheard_waits import unheard_waits
from racelint.rules.base import Rule, step


class UncheckedWaitTimeout(Rule):
    """A wait with a time limit, and nobody looks at whether it was for nothing.

    ## What it does
    Reports `Event.wait(timeout)` and `Condition.wait_for(predicate, timeout)` as statements of their own, outside of
    loops, where the code goes on without asking anything.

    ## Why is this bad?
    When the time is up the call returns False, and what was waited for has not happened: the next line works on what
    is not there yet, on a slow day.

    ## Example
    ```python
    from threading import Event


    class Answer:
        def __init__(self):
            self.ready = Event()
            self.value = None

        def give(self, value):
            self.value = value
            self.ready.set()

        def get(self):
            self.ready.wait(timeout=5)  # RL309
            return self.value
    ```

    ## Use instead
    ```python
    from threading import Event


    class Answer:
        def __init__(self):
            self.ready = Event()
            self.value = None

        def give(self, value):
            self.value = value
            self.ready.set()

        def get(self):
            if not self.ready.wait(timeout=5):
                raise TimeoutError("no answer in 5 s")
            return self.value
    ```

    ## How it is confirmed
    It is plain from the source: there is nothing to run.

    ## Known limits
    Any question that comes next counts as asking. A bare `Condition.wait(timeout)` is RL301's.
    """

    code = "RL309"
    name = "unchecked-wait-timeout"
    since = "0.1.0"
    severity = "info"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for found in unheard_waits(program):
            name = spelled(found.path, program.stores.facts[found.function.id])
            method = found.call.func[0][-1]
            location = program.locations.of(found.path, found.function)
            yield self.finding(
                found.function,
                found.call.span,
                message=f"nobody looks at whether `{name}.{method}()` ran out of time",
                why="it returns False when the time is up, and the code goes on as if it had happened",
                subject=str(location) if location is not None else name,
                trace=[step("lock", f"waits for `{name}` for a while", found.function, found.call.span)],
            )
