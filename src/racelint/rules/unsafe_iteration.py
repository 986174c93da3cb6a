"""RL106."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from racelint.model.finding import Confidence, Finding, Severity
from racelint.program import Program
from racelint.program.coroutines.awaited_iterations import AwaitedIteration, AwaitedIterations
from racelint.program.races.queue_internals import inner_iterations
from racelint.program.races.suspects import Suspect
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.race_report import findings, shown, subject, suspects_of


class UnsafeIteration(Rule):
    """A shared container is iterated while another thread resizes it.

    ## What it does
    Finds loops and comprehensions over a shared dict, set or deque (or its `items()`, `keys()`, `values()`) that other
    threads add to or remove from, where no lock excludes the two; and loops of coroutines that await something between
    two turns, while other tasks add to or remove from the container.

    ## Why is this bad?
    Python raises `RuntimeError: dictionary changed size during iteration`, now and then.

    ## Example
    ```python
    import threading

    class Listeners:
        def __init__(self):
            self._lock = threading.Lock()
            self._callbacks = {}

        def add(self, name, callback):
            with self._lock:
                self._callbacks[name] = callback

        def names(self):
            return [name for name in self._callbacks]  # RL106
    ```

    ## Use instead
    ```python
    import threading

    class Listeners:
        def __init__(self):
            self._lock = threading.Lock()
            self._callbacks = {}

        def add(self, name, callback):
            with self._lock:
                self._callbacks[name] = callback

        def names(self):
            with self._lock:
                return [name for name in self._callbacks]
    ```

    ## How it is confirmed
    One thread iterates, another resizes: the RuntimeError, or an outcome that no serial order gives, is the proof.

    ## Known limits
    Lists do not raise and are not reported. A snapshot (`list(d)`) is one step and safe, but for weak containers.
    """

    code: ClassVar[str] = "RL106"
    name: ClassVar[str] = "unsafe-iteration"
    since: ClassVar[str] = "0.1.0"
    severity: ClassVar[Severity] = "error"
    confirmable: ClassVar[bool] = True

    def check(self, program: Program) -> Iterator[Finding]:
        yield from findings(self, suspects_of(program, "iteration"), _message, _confidence)
        for awaited in AwaitedIterations(program).found():
            yield self._awaited(awaited)
        for inside in inner_iterations(program):
            yield self.finding(
                inside.function,
                inside.access.span,
                message=f"the container inside `{inside.queue}` is iterated without the queue's own lock",
                why="queues are there for several threads, and each `put` and `get` changes it under the mutex",
                subject=inside.queue,
                confidence="medium",
                evidence="lock",
            )

    def _awaited(self, awaited: AwaitedIteration) -> Finding:
        iteration, change = awaited.iteration, awaited.change
        name = shown(iteration.location)
        return self.finding(
            iteration.function,
            iteration.span,
            message=f"`{name}` is iterated across an await, at which another task may resize it",
            why=f"other tasks run on line {awaited.switch[0]}, where `{symbol_of(change.function)}` may resize it",
            subject=subject(iteration.location),
            confidence="medium",
            evidence="contract",
            trace=[
                step("access", f"iterates `{name}`", iteration.function, iteration.span),
                step("call", "other tasks run here", iteration.function, awaited.switch),
                step("conflict", f"resizes `{name}`", change.function, change.span),
            ],
        )


def _message(suspect: Suspect) -> str:
    return f"`{shown(suspect.group.location)}` is iterated while another thread may resize it"


def _confidence(suspect: Suspect) -> Confidence:
    if suspect.evidence == "thread" and suspect.record.context.root is not None:
        return "high"
    return "medium" if suspect.guard is not None or suspect.evidence != "lock" else "low"
