"""RL306 barrier-party-mismatch."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.waiting.barriers import Barrier, Barriers, Comer
from racelint.rules.base import Rule, step, symbol_of


class BarrierPartyMismatch(Rule):
    """The number of threads that come to a Barrier differs from its parties.

    ## What it does
    Counts the threads that reach the `wait()` of a barrier, the starting thread included, where their number and the
    barrier's parties are both certain, and reports the barrier if they do not fit.

    ## Why is this bad?
    A barrier opens when all its parties have come. With one too few all of them wait for ever; with one too many the
    last one does.

    ## Example
    ```python
    from threading import Barrier, Thread

    barrier = Barrier(3)  # RL306


    def work():
        barrier.wait()


    for _ in range(2):
        Thread(target=work).start()
    ```

    ## Use instead
    ```python
    from threading import Barrier, Thread

    barrier = Barrier(3)


    def work():
        barrier.wait()


    for _ in range(2):
        Thread(target=work).start()
    barrier.wait()
    ```

    ## How it is confirmed
    Every schedule ends with all threads blocked at the barrier (hang).

    ## Known limits
    Silent where the numbers depend on different arguments or on the length of one, a wait stands in a branch or has a
    timeout, or the barrier is handed to unknown code.
    """

    code = "RL306"
    name = "barrier-party-mismatch"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for barrier in Barriers(program).mismatched():
            yield self._found(program, barrier)

    def _found(self, program: Program, barrier: Barrier) -> Finding:
        facts = program.stores.facts[barrier.function.id]
        local = barrier.path[0].startswith("c:")
        name = "Barrier" if local else spelled(barrier.path, facts)
        location = program.locations.of(barrier.path, barrier.function)
        scope = f"{barrier.function.module.name}.{symbol_of(barrier.function)}.{name}"
        few = barrier.threads < barrier.parties
        left = "none of them ever passes" if few else "the last ones wait for ever"
        at_a_time = f"{barrier.parties} at a time" if barrier.sized else "so many at a time as it was made for"
        return self.finding(
            barrier.function,
            barrier.call.span,
            message=_counts(barrier, name),
            why=f"a barrier lets its parties pass {at_a_time}: {left}",
            subject=str(location) if location is not None else scope,
            evidence="thread",
            trace=[step("access", f"waits at `{name}`", function, call.span) for function, call in barrier.waits]
            + [step("root", _starts(comer, barrier), comer.function, comer.call.span) for comer in barrier.comers],
        )


def _counts(barrier: Barrier, name: str) -> str:
    included = " (the starting one included)" if barrier.main else ""
    if not barrier.sized:
        more = barrier.parties - barrier.threads
        many = "1 party" if abs(more) == 1 else f"{abs(more)} parties"
        return f"`{name}` has {many} {'more' if more > 0 else 'less'} than threads come to its `wait()`{included}"
    verb = "comes" if barrier.threads == 1 else "come"
    comers = _numbered(barrier.threads, "thread") + included
    return f"`{name}` has {barrier.parties} parties, but {comers} {verb} to its `wait()`"


def _starts(comer: Comer, barrier: Barrier) -> str:
    return f"starts {_numbered(comer.threads, 'thread')}" if barrier.sized else "starts the threads"


def _numbered(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
