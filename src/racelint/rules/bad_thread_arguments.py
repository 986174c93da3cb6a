"""RL504 bad-thread-arguments."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding, Step
from racelint.program import Program
from racelint.program.objects.spelling import spelled_call
from racelint.program.thread_use.thread_arguments import Misgiven, ThreadArguments
from racelint.rules.base import Rule, step, symbol_of


class BadThreadArguments(Rule):
    """What a thread is given does not fit what it runs.

    ## What it does
    Reports `args` that is no tuple, a dict that stands there, `kwargs` that is no dict, a callable in the place of the
    group, and arguments that the target's signature does not take: too many, too few, of an unknown name. Defaults,
    `*args`, bound methods, classes and `functools.partial` are understood, for threads, timers, processes and the
    tasks of pools.

    ## Why is this bad?
    The start succeeds, and the thread ends at once with a TypeError that nobody but its own traceback tells of.
    `args="ab"` is worse: it gives the letters, one by one, and `args={"name": 1}` gives `"name"`.

    ## Example
    ```python
    from threading import Thread


    def work(name="all"):
        print("working on", name)


    Thread(target=work, args=("a")).start()  # RL504
    Thread(work).start()  # RL504
    Thread(target=work, args=("a", "b")).start()  # RL504
    ```

    ## Use instead
    ```python
    from threading import Thread


    def work(name="all"):
        print("working on", name)


    Thread(target=work, args=("a",)).start()
    Thread(target=work, kwargs={"name": "b"}).start()
    ```

    ## How it is confirmed
    By definition: the call raises in every schedule.

    ## Known limits
    Targets whose decorators may change the signature, and methods that a subclass overrides, are not checked.
    """

    code = "RL504"
    name = "bad-thread-arguments"
    since = "0.1.0"
    severity = "error"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for wrong in ThreadArguments(program).found():
            yield self._found(program, wrong)

    def _found(self, program: Program, wrong: Misgiven) -> Finding:
        starter = spelled_call(wrong.call, program.stores.facts[wrong.function.id])
        steps: list[Step] = [step("call", f"`{starter}`", wrong.function, wrong.call.span)]
        if wrong.target is not None:
            defined = f"`{symbol_of(wrong.target)}` is defined here"
            steps.append(step("access", defined, wrong.target, wrong.target.ir.name_span))
        where = f" (line {wrong.target.ir.name_span[0]})" if wrong.target is not None else ""
        return self.finding(
            wrong.function,
            wrong.call.span,
            message=f"`{starter}`: {wrong.problem}",
            why=wrong.advice
            or f"the signature{where} does not take what it is given: it raises TypeError when it runs",
            subject=starter,
            confidence="high" if wrong.certain else "medium",
            evidence="thread",
            trace=steps,
        )
