"""RL109 escape-in-init."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.flow.values import event_span
from racelint.program.thread_use.constructing import Constructing, Escape
from racelint.rules.base import Rule, step, symbol_of


class EscapeInInit(Rule):
    """A constructor starts a thread on the object before it has set what the thread reads.

    ## What it does
    Reports the start of a thread, timer or pool task in a constructor (also through a base's constructor, a method that
    it calls, or the constructor of another object that keeps `self`) that is given `self`, where attributes that the
    thread reads are first set after it.

    ## Why is this bad?
    The thread may run before the constructor goes on: it raises AttributeError, now and then. With a base class that
    starts the thread, a subclass cannot set anything in time but before `super().__init__()`.

    ## Example
    ```python
    from threading import Thread


    class Reader:
        def __init__(self, path):
            self.path = path
            self._thread = Thread(target=self._run)
            self._thread.start()  # RL109
            self.lines = []

        def _run(self):
            self.lines.append(self.path)
    ```

    ## Use instead
    ```python
    from threading import Thread


    class Reader:
        def __init__(self, path):
            self.path = path
            self.lines = []
            self._thread = Thread(target=self._run)
            self._thread.start()

        def _run(self):
            self.lines.append(self.path)
    ```

    ## How it is confirmed
    The object is built under control; a schedule in which the new thread runs first, and raises, is the proof.

    ## Known limits
    Attributes that have a value before the start (a class attribute too) and are replaced after it are not reported,
    nor is what the thread reads only after it waited for an event or a queue. Where it first sleeps or waits for a
    timeout, or is a timer, the confidence is low.
    """

    code = "RL109"
    name = "escape-in-init"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        found = sorted(Constructing(program).escapes(), key=lambda escape: (escape.function.order, escape.event))
        for escape in found:
            names = [read.name for read in escape.missing]
            late = all(read.late for read in escape.missing)
            yield self.finding(
                escape.function,
                event_span(escape.function, escape.event),
                message=f"a thread gets `self` before {_listed(names)} {'is' if len(names) == 1 else 'are'} set",
                why=_why(escape),
                subject=f"{escape.cls.id.replace(':', '.')}.{names[0]}",
                confidence="low" if late else "high",
                evidence="thread",
                trace=(
                    *(step("access", f"reads `{r.name}`", r.function, r.span) for r in escape.missing),
                    *(
                        step("conflict", f"sets `{name}`", function, span)
                        for name, (function, span) in zip(names, escape.assigned, strict=True)
                    ),
                ),
            )


def _listed(names: list[str]) -> str:
    shown = [f"`{name}`" for name in names[:3]]
    if len(names) > 3:
        shown.append(f"{len(names) - 3} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _why(escape: Escape) -> str:
    read = escape.missing[0]
    line = escape.assigned[0][1][0]
    return (
        f"the thread runs at once, and `{symbol_of(read.function)}` reads `{read.name}` at line {read.span[0]}; "
        f"it is set at line {line}, after the start"
    )
