"""RL111 shared-iterator."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding, Severity
from racelint.program import Program
from racelint.program.races.shared_iterators import SharedAdvance, SharedIterators
from racelint.program.races.suspects.interruptible import ATOMIC
from racelint.rules.base import Rule, step, symbol_of

_EFFECTS = {
    "generator": "a generator that is entered while it runs raises ValueError",
    "class": "`__next__` is Python without a lock, and gives elements twice or none",
    "iterator": "that elements come once each is not promised, and free-threaded builds give them twice",
    "step": f"benign: {ATOMIC}",
}
_SEVERITIES: dict[str, Severity] = {"iterator": "warning", "step": "info"}


class SharedIterator(Rule):
    """One generator or iterator is advanced by several threads.

    ## What it does
    Reports `next()` and `for` over a generator, a generator expression, an `iter`, `map`, `filter` or `zip` object or
    an iterator class that threads share through an attribute, a variable or an argument, where no lock keeps the
    advances apart.

    ## Why is this bad?
    A generator runs in one thread at a time: the second gets `ValueError: generator already executing`. Iterators
    written in Python hand the same element to two threads.

    ## Example
    ```python
    from threading import Thread


    def numbers():
        n = 0
        while True:
            yield n
            n += 1


    class Numbering:
        def __init__(self):
            self.source = numbers()

        def work(self):
            print(next(self.source))  # RL111

        def run(self):
            for _ in range(2):
                Thread(target=self.work).start()
    ```

    ## Use instead
    ```python
    from threading import Lock, Thread


    def numbers():
        n = 0
        while True:
            yield n
            n += 1


    class Numbering:
        def __init__(self):
            self.lock = Lock()
            self.source = numbers()

        def work(self):
            with self.lock:
                number = next(self.source)
            print(number)

        def run(self):
            for _ in range(2):
                Thread(target=self.work).start()
    ```

    ## How it is confirmed
    Two threads advance it under control; the ValueError, or elements that no serial order gives, are the proof.

    ## Known limits
    `itertools.count` and `itertools.repeat` advance in one step and are not reported. Generators made by decorated
    functions are not, since the decorator may lock. Built-in iterators are reported with lower severity.
    """

    code = "RL111"
    name = "shared-iterator"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        found = SharedIterators(program).all()
        for shared in sorted(found, key=lambda s: (s.function.order, s.event.span, s.subject)):
            yield self.finding(
                shared.function,
                shared.event.span,
                message=f"`{shared.name}` is one {_noun(shared)} that several threads advance",
                why=f"{_who(shared)}, with no lock in common; {_EFFECTS[shared.make]}",
                subject=shared.subject,
                confidence="high" if shared.make == "generator" and shared.evidence == "thread" else "medium",
                evidence=shared.evidence,
                severity=_SEVERITIES.get(shared.make),
                trace=(
                    step("access", f"advances `{shared.name}`", shared.function, shared.event.span),
                    step("conflict", f"advances `{shared.name}`", shared.conflict_function, shared.conflict.span),
                ),
            )


def _noun(shared: SharedAdvance) -> str:
    return "generator" if shared.make == "generator" else "iterator"


def _who(shared: SharedAdvance) -> str:
    if shared.who != shared.rival:
        return f"{shared.who} and {shared.rival} may overlap"
    if shared.event is shared.conflict:
        return f"{shared.who} may run several times at once"
    return f"{shared.who} may overlap with `{symbol_of(shared.conflict_function)}` at line {shared.conflict.span[0]}"
