"""RL501 target-called."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.objects.spelling import spelled_call
from racelint.program.thread_use.called_targets import CalledTarget, called_targets
from racelint.rules.base import Rule


class TargetCalled(Rule):
    """What a thread, process or pool is to run is called on the spot instead.

    ## What it does
    Reports a target, task or callback that is a call whose answer cannot be called: it gives None, a coroutine, a
    generator or plain data.

    ## Why is this bad?
    The function runs at once, on the thread that wanted to start another, and the new thread has nothing to do: with
    None as target it ends in silence.

    ## Example
    ```python
    from threading import Thread


    def work(name):
        print("working on", name)


    thread = Thread(target=work("a"))  # RL501
    thread.start()
    ```

    ## Use instead
    ```python
    from threading import Thread


    def work(name):
        print("working on", name)


    thread = Thread(target=work, args=("a",))
    thread.start()
    ```

    ## How it is confirmed
    By definition: the call comes before the start, whatever the schedule.

    ## Known limits
    A call that may give a callable, as every decorated or unknown one may, is silent.
    """

    code = "RL501"
    name = "target-called"
    since = "0.1.0"
    severity = "error"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for called in called_targets(program):
            yield self._found(program, called)

    def _found(self, program: Program, called: CalledTarget) -> Finding:
        function = called.start.function
        facts = program.stores.facts[function.id]
        target, starter = spelled_call(called.inner, facts), spelled_call(called.start.call, facts)
        return self.finding(
            function,
            called.inner.span,
            message=f"`{target}` is called here and now; `{starter}` is given its answer, {called.answer}",
            why=f"the call runs before `{starter}` does: leave out the brackets and hand over the arguments",
            subject=target,
            evidence="thread",
        )
