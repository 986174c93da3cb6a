"""RL702 check-then-act-across-await."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Confidence, Finding
from racelint.program import Program
from racelint.program.coroutines.await_gaps import AwaitGaps, Gap
from racelint.program.coroutines.draining import Drain, Drains
from racelint.program.coroutines.early_flags import EarlyFlag, EarlyFlags
from racelint.program.objects.spelling import spelled
from racelint.program.sharing.shared import SharedAccess
from racelint.rules.base import Rule, step, symbol_of


class CheckThenActAcrossAwait(Rule):
    """Shared state is read before an await and changed after it: other tasks run in between.

    ## What it does
    Reports a coroutine that decides by, or computes from, an attribute or a module variable, awaits something, and then
    changes it, with no `asyncio.Lock` held throughout and no second look after the await; a flag that is set before
    the awaited work it stands for; a buffer that is sent at an await and emptied after it; a limit that is checked
    before an await and counted up after it.

    ## Why is this bad?
    At the await every other task may run, this very coroutine in another task included. Both pass the check, and both
    act: a connection is made twice and one is lost, an initialisation runs twice, an update is overwritten.

    ## Example
    ```python
    class Client:
        def __init__(self, pool):
            self.pool = pool
            self.connection = None

        async def get(self):
            if self.connection is None:  # RL702
                self.connection = await self.pool.connect()
            return self.connection
    ```

    ## Use instead
    ```python
    import asyncio


    class Client:
        def __init__(self, pool):
            self.pool = pool
            self.connection = None
            self.lock = asyncio.Lock()

        async def get(self):
            async with self.lock:
                if self.connection is None:
                    self.connection = await self.pool.connect()
            return self.connection
    ```

    ## How it is confirmed
    Two tasks run the coroutine on one object, on an event loop whose order of ready tasks is chosen: an outcome that no
    serial order gives.

    ## Known limits
    Coroutines that are public are taken to be awaited by several tasks. A coroutine that only one task runs is silent.
    """

    code = "RL702"
    name = "check-then-act-across-await"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for gap in AwaitGaps(program).found():
            certain = gap.kind in ("initialise", "update", "count", "take")
            if certain or gap.guarded or (gap.entry.kind == "task" and gap.entry.many):
                yield self._gap(program, gap)
        for early in EarlyFlags(program).found():
            yield self._early(program, early)
        for drain in Drains(program).found():
            yield self._drain(program, drain)

    def _gap(self, program: Program, gap: Gap) -> Finding:
        compound = gap.compound
        function = compound.function
        name = _name(program, compound.act)
        first = "computed from" if gap.kind == "update" else "checked"
        return self.finding(
            function,
            compound.act.span if gap.kind == "update" else compound.check_span,
            message=f"`{name}` is {first}, then others run at an await, then it is changed",
            why=f"{_who(gap)}; at the await on line {gap.switch[0]} another may come between, and no lock is held",
            subject=str(gap.location),
            confidence=_confidence(gap),
            evidence="thread" if gap.entry.kind == "task" else "contract",
            trace=[
                step("access", f"reads `{name}`", function, compound.check_span),
                step("conflict", "other tasks run here", function, gap.switch),
                step("access", f"changes `{name}`", function, compound.act.span),
            ],
        )

    def _early(self, program: Program, early: EarlyFlag) -> Finding:
        check, act = early.outer.check_span, early.outer.act
        name = _name(program, act)
        return self.finding(
            act.function,
            act.span,
            message=f"`{name}` is changed before the awaited work that it stands for is done",
            why=f"line {check[0]} has no lock: who comes there during the await on line {early.switch[0]} believes it",
            subject=str(act.location),
            confidence="medium",
            evidence="lock",
            trace=[
                step("access", f"changes `{name}`", act.function, act.span),
                step("conflict", f"reads `{name}` with no lock", act.function, check),
                step("call", "other tasks run here", act.function, early.switch),
            ],
        )

    def _drain(self, program: Program, drain: Drain) -> Finding:
        name = _name(program, drain.act)
        function = drain.act.function
        return self.finding(
            function,
            drain.act.span,
            message=f"`{name}` is emptied after an await: what others add to it meanwhile is lost",
            why=f"others run on line {drain.switch[0]}, where `{symbol_of(drain.adding.function)}` may add to it",
            subject=str(drain.act.location.container()),
            confidence="medium",
            trace=[
                step("access", f"takes what is in `{name}`", function, drain.read.span),
                step("conflict", "adds to it", drain.adding.function, drain.adding.span),
                step("access", f"empties `{name}`", function, drain.act.span),
            ],
        )


def _name(program: Program, act: SharedAccess) -> str:
    path = act.path[:-1] if act.location.content else act.path
    return spelled(path, program.stores.facts[act.function.id])


def _who(gap: Gap) -> str:
    name = symbol_of(gap.compound.function)
    if gap.entry.beside is not None:
        other = symbol_of(gap.entry.beside)
        return f"`{name}` runs in a task, started on line {gap.entry.span[0]}, beside one that runs `{other}`"
    if gap.entry.kind == "task" and gap.entry.starter is not None:
        return f"`{name}` runs in several tasks, started on line {gap.entry.span[0]}"
    return f"`{name}` may be awaited by several tasks"


def _confidence(gap: Gap) -> Confidence:
    if gap.entry.kind == "task" and gap.entry.many:
        return "high"
    return "medium" if gap.guarded or gap.entry.kind == "task" else "low"
