"""RL503 run-not-start."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.knowledge.threads import THREAD_BASES
from racelint.model.finding import Confidence, Finding
from racelint.model.summary import Call, Path
from racelint.program import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import thread_kind
from racelint.program.objects.things import Constant, Instance, Object, Thing
from racelint.rules.base import Rule


class RunNotStart(Rule):
    """`run()` is called on a thread, where `start()` was meant.

    ## What it does
    Reports a call of `run()` on a thread, timer or process from outside of its own class.

    ## Why is this bad?
    `run()` does the work on the calling thread: nothing runs beside it. A `join()` afterwards raises, since the thread
    was never started.

    ## Example
    ```python
    from threading import Thread


    def work():
        print("working")


    thread = Thread(target=work)
    thread.run()  # RL503
    ```

    ## Use instead
    ```python
    from threading import Thread


    def work():
        print("working")


    thread = Thread(target=work)
    thread.start()
    ```

    ## How it is confirmed
    By definition: no second thread comes to be, whatever the schedule.

    ## Known limits
    A subclass that is run in place on purpose, as tests do, is reported all the same, unless it is started as well.
    """

    code = "RL503"
    name = "run-not-start"
    since = "0.1.0"
    severity = "error"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for function, call in program.callees.written("run"):
            path = call.func[0]
            if len(path) < 2 or path[-1] != "run" or self._is_of_own_class(path, function):
                continue
            things = [thing for p in call.func for thing in program.types.of(p[:-1], function)]
            if function.ir.name.startswith("test") and any(_runs_its_own(thing) for thing in things):
                continue  # what a test is after is what it does, not where
            kinds = {_kind(thing) for thing in things} - {"none"}
            if kinds and "" not in kinds and not _is_started(path, program.stores.facts[function.id].calls):
                yield self._found(function, call, sorted(kinds)[0], program, path)

    def _found(self, function: FunctionInfo, call: Call, kind: str, program: Program, path: Path) -> Finding:
        plain = any(isinstance(thing, Object) for thing in program.types.of(path[:-1], function))
        confidence: Confidence = "high" if plain else "medium"
        return self.finding(
            function,
            call.span,
            message=f"`{kind}.run()` does the work here; `start()` is what starts it",
            why="the calling thread runs it to its end, and nothing runs beside it",
            subject=f"{kind}.run",
            confidence=confidence,
        )

    @staticmethod
    def _is_of_own_class(path: Path, function: FunctionInfo) -> bool:
        """`self.run()` and `super().run()` in a thread's own methods."""
        if function.cls is None or thread_kind(function.cls) is None:
            return False
        return len(path) == 2 and (path[0] == f"p:{function.self_name}" or path[0].startswith("c:"))


def _kind(thing: Thing) -> str:
    """The name of the thread class; empty for what is no thread, `none` for None."""
    if isinstance(thing, Object) and thing.dotted in THREAD_BASES:
        return thing.dotted.rpartition(".")[2]
    if isinstance(thing, Instance) and thread_kind(thing.cls) is not None:
        return thing.cls.name
    return "none" if thing == Constant("None") else ""


def _runs_its_own(thing: Thing) -> bool:
    """An object of a class with a `run` of its own."""
    return isinstance(thing, Instance) and thing.cls.method("run") is not None


def _is_started(path: Path, calls: list[Call]) -> bool:
    """The same object is started in the same function: running it once more in place is on purpose."""
    return any(call.func[:1] == ((*path[:-1], "start"),) for call in calls)
