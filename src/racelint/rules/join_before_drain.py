"""RL607 join-before-drain."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.process_use.undrained_queues import UndrainedQueue, UndrainedQueues
from racelint.rules.base import Rule, step, symbol_of


class JoinBeforeDrain(Rule):
    """A process is joined before what it puts into a queue is taken out: it may never end.

    ## What it does
    Reports a `join` without a timeout of a process that puts into a `multiprocessing` queue, where the queue is read
    after the join alone.

    ## Why is this bad?
    What is put goes through a pipe, which holds some 64 KiB. The process does not end before all of it is written, the
    pipe is not emptied before the process has ended: with enough data both wait for ever.

    ## Example
    ```python
    from multiprocessing import Process, Queue


    def work(results):
        results.put("x" * 1_000_000)


    if __name__ == "__main__":
        results = Queue()
        p = Process(target=work, args=(results,))
        p.start()
        p.join()  # RL607
        print(len(results.get()))
    ```

    ## Use instead
    ```python
    from multiprocessing import Process, Queue


    def work(results):
        results.put("x" * 1_000_000)


    if __name__ == "__main__":
        results = Queue()
        p = Process(target=work, args=(results,))
        p.start()
        text = results.get()
        p.join()
        print(len(text))
    ```

    ## How it is confirmed
    Real processes run it, with pipes of the smallest size: the join never returns (deadlock).

    ## Known limits
    Pipes are not followed, and neither are joins and reads in different functions. A constant put once fits always.
    """

    code = "RL607"
    name = "join-before-drain"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for undrained in UndrainedQueues(program).found():
            yield self._found(program, undrained)

    def _found(self, program: Program, undrained: UndrainedQueue) -> Finding:
        home, child = undrained.home, undrained.child.root.target
        putter, put = undrained.put
        queue = spelled(put.func[0][:-1], program.stores.facts[putter.id])
        return self.finding(
            home,
            undrained.join.span,
            message=f"`{symbol_of(child)}` is joined before what it puts into `{queue}` is taken out",
            why=f"it ends when all that it put (line {put.span[0]}) is written, and the queue is read after the join"
            f" (line {undrained.take.span[0]}): once the pipe is full, both wait",
            subject=f"{home.module.name}.{symbol_of(home)}.{queue}",
            confidence="high" if undrained.many else "low",
            evidence="thread",
            trace=[
                step("access", "waits for the process", home, undrained.join.span),
                step("conflict", "puts what nobody takes before", putter, put.span),
                step("access", "takes it after the join", home, undrained.take.span),
            ],
        )
