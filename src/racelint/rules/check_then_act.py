"""RL104."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from racelint.model.finding import Confidence, Finding, Severity
from racelint.program import Program
from racelint.program.races.asked_queues import AskedQueue, asked_queues
from racelint.program.races.suspects import Suspect
from racelint.program.sharing.compounds import Compound
from racelint.rules.base import Rule, step
from racelint.rules.race_report import findings, in_parallel, shown, subject, suspects_of


class CheckThenAct(Rule):
    """A decision on shared state is acted on after another thread may have changed it.

    ## What it does
    Finds changes in a branch that was decided by reading the same location (`if k in d: del d[k]`,
    `if q: q.pop()`, `if self.n < limit: self.n += 1`) where no lock is held from the check to the change, and queues of
    several consumers that are asked with `empty()` before a `get()` that waits. So it does with entries that are taken
    out or looked up to be disposed of and then replaced: `old = d.pop(k, None)`, `d[k] = new`, `old.close()`.

    ## Why is this bad?
    Each step is atomic, the two together are not: another thread acts on the same answer.

    ## Example
    ```python
    import threading

    class Tickets:
        def __init__(self):
            self.free = [1, 2, 3]

        def take(self):
            if self.free:  # RL104
                return self.free.pop()
            return None

    tickets = Tickets()
    threads = [threading.Thread(target=tickets.take) for _ in range(4)]
    for thread in threads:
        thread.start()
    ```

    ## Use instead
    ```python
    import threading

    class Tickets:
        def __init__(self):
            self.free = [1, 2, 3]
            self.lock = threading.Lock()

        def take(self):
            with self.lock:
                if self.free:
                    return self.free.pop()
            return None

    tickets = Tickets()
    threads = [threading.Thread(target=tickets.take) for _ in range(4)]
    for thread in threads:
        thread.start()
    ```

    ## How it is confirmed
    The operation runs on two threads with a switch between check and change: an exception or an outcome that no serial
    order gives is the proof.

    ## Known limits
    Keys are compared by their text. Queues (`while not q.empty(): q.get()`) are reported where threads are seen to take
    from one in several places or several times at once.
    """

    code: ClassVar[str] = "RL104"
    name: ClassVar[str] = "check-then-act"
    since: ClassVar[str] = "0.1.0"
    severity: ClassVar[Severity] = "error"
    confirmable: ClassVar[bool] = True

    def check(self, program: Program) -> Iterator[Finding]:
        yield from findings(self, suspects_of(program, "check-then-act"), _message, _confidence, _severity)
        for asked in asked_queues(program):
            yield self._asked(asked)

    def _asked(self, asked: AskedQueue) -> Finding:
        function, name = asked.record.access.function, shown(asked.group.location)
        who = in_parallel(asked.record, asked.rival)
        waits = asked.take.func[0][-1] == "get"
        ends = "this waits until the next comes" if waits else "this raises `queue.Empty`"
        return self.finding(
            function,
            asked.take.span,
            message=f"`{name}` is found to hold something, and then {'waited for' if waits else 'taken from'}",
            why=f"{who}; another may take the last between line {asked.ask.span[0]} and here, and {ends}",
            subject=subject(asked.group.location),
            confidence="medium",
            evidence=asked.evidence,
            severity="warning",
            trace=[
                step("access", f"asks `{name}`", function, asked.ask.span),
                step("access", f"takes from `{name}`", function, asked.take.span),
                step("conflict", f"takes from `{name}`", asked.rival.access.function, asked.rival.access.span),
            ],
        )


def _message(suspect: Suspect) -> str:
    name = shown(suspect.group.location)
    if suspect.guard is not None and suspect.compound is not None and _acts_elsewhere(suspect.compound):
        act = shown(suspect.compound.act.location)
        return f"`{name}` is checked after `{shown(suspect.guard)}` was released, and decides a change of `{act}`"
    if suspect.compound is not None and suspect.compound.kind == "read-then-empty":
        return f"`{name}` is read and then emptied, with no lock from the one to the other: additions get lost"
    if suspect.compound is not None and suspect.compound.kind == "exchange":
        return f"an entry of `{name}` is taken and then replaced, with no lock from the one to the other"
    does = "used" if suspect.compound is not None and suspect.compound.kind == "check-then-use" else "changed"
    return f"`{name}` is checked and then {does}, with no lock from the one to the other"


def _acts_elsewhere(compound: Compound) -> bool:
    return compound.act.location.container() != compound.first.location.container()


def _severity(suspect: Suspect) -> Severity | None:
    return "warning" if suspect.reads_twice else None


def _confidence(suspect: Suspect) -> Confidence:
    if suspect.evidence == "thread" and suspect.record.context.root is not None:
        return "high"
    return "medium" if suspect.guard is not None or suspect.evidence != "lock" else "low"
