"""RL507 thread-init-skipped."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.thread_use.thread_constructors import SkippedConstructor, ThreadConstructors
from racelint.rules.base import Rule, step


class ThreadInitSkipped(Rule):
    """A subclass of Thread whose construction leaves out the constructor of Thread, or uses the thread before it.

    ## What it does
    Reports an `__init__` of a Thread, Timer or Process subclass that calls no base's `__init__`, a mixin in front of
    the thread class that does not call on, and a constructor that sets `daemon` or `name` or starts before it does.

    ## Why is this bad?
    `start()` raises RuntimeError: `Thread.__init__() not called`. So does setting `daemon` or `name`.

    ## Example
    ```python
    from threading import Thread


    class Worker(Thread):
        def __init__(self, queue):  # RL507
            self.queue = queue

        def run(self):
            self.queue.get()
    ```

    ## Use instead
    ```python
    from threading import Thread


    class Worker(Thread):
        def __init__(self, queue):
            super().__init__()
            self.queue = queue

        def run(self):
            self.queue.get()
    ```

    ## How it is confirmed
    By definition: the start raises in every schedule.

    ## Known limits
    Classes with a base that is not known are not reported.
    """

    code = "RL507"
    name = "thread-init-skipped"
    since = "0.1.0"
    severity = "error"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for skipped in ThreadConstructors(program).found():
            yield self._found(skipped)

    def _found(self, skipped: SkippedConstructor) -> Finding:
        cls, stops = skipped.cls, skipped.stops
        owner = stops.cls.name if stops.cls is not None else cls.name
        of = f" of `{cls.name}`" if owner != cls.name else ""
        if skipped.early:
            message = f"`{owner}.__init__` {skipped.early} before it calls `{skipped.base}.__init__`"
            why = "a thread cannot be touched before its own constructor has run: it raises"
        else:
            message = f"`{owner}` never calls the `__init__` of its base `{skipped.base}`{of}"
            why = f"`start()` raises RuntimeError: `{skipped.base}.__init__()` not called"
        return self.finding(
            stops,
            stops.ir.name_span,
            message=message,
            why=why,
            subject=f"{cls.module.name}.{cls.ir.qualname}",
            evidence="thread",
            trace=[step("root", f"`{cls.name}` is a {skipped.base}", stops, cls.ir.name_span)] if not of else [],
        )
