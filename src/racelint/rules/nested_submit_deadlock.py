"""RL506 nested-submit-deadlock."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.thread_use.nested_submits import NestedSubmit, NestedSubmits
from racelint.program.thread_use.self_joins import SelfJoin, SelfJoins
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.call_chains import call_steps, chain_words


class NestedSubmitDeadlock(Rule):
    """A worker of a pool waits for other work of the same pool, or a thread for its own end.

    ## What it does
    Reports a task of an executor or pool that gives the same executor another task and waits for its answer, directly
    or through the functions that it calls. Reports the `join()` of a thread to which that very thread comes, by calls
    from what it runs, without asking before which thread it is, and one in the `__del__` of an object of which the
    thread runs a method; so is the `shutdown()` of an executor by one of its own workers, and the
    `join()` in what users call of an object whose thread calls them back. Calls of methods that were handed to an
    object of a library count where the thread runs that object's loop (`client.run_forever()`).

    ## Why is this bad?
    A pool has so many workers and no more. Once each of them runs such a task, all wait for tasks that stand in the
    queue behind them: nothing moves any more. A thread that joins itself gets `RuntimeError: cannot join current
    thread`, mostly in the very place where it ends because something else has failed.

    ## Example
    ```python
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(2)


    def leaf(n):
        return n * n


    def branch(n):
        return pool.submit(leaf, n).result()  # RL506


    def main(numbers):
        return list(pool.map(branch, numbers))
    ```

    ## Use instead
    ```python
    from concurrent.futures import ThreadPoolExecutor

    branches = ThreadPoolExecutor(2)
    leaves = ThreadPoolExecutor(2)


    def leaf(n):
        return n * n


    def branch(n):
        return leaves.submit(leaf, n).result()


    def main(numbers):
        return list(branches.map(branch, numbers))
    ```

    ## How it is confirmed
    The tasks run under a schedule in which every worker has taken an outer one before the first inner one begins. Of
    threads that join themselves nothing is tried: no schedule is needed for that.

    ## Known limits
    Pools that are kept in containers are not told apart, and not reported. Threads are followed through methods of the
    one object that keeps them; callbacks that a library runs on its own thread are not.
    """

    code = "RL506"
    name = "nested-submit-deadlock"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for nested in NestedSubmits(program).found():
            yield self._found(program, nested)
        for own in SelfJoins(program).found():
            yield self._joins_itself(program, own)

    def _joins_itself(self, program: Program, own: SelfJoin) -> Finding:
        root, function, call = own.join.root, own.join.function, own.join.call
        thread = spelled(call.func[0][:-1], program.stores.facts[function.id])
        runs = symbol_of(root.target)
        way = f"`{runs}` calls {chain_words(own.chain)}" if own.chain else f"this is `{runs}`"
        shuts = call.func[0][-1] == "shutdown"
        message = f"`{thread}` is {'shut down by a worker of its own' if shuts else 'joined by the thread that it is'}"
        why = f"{way}, on the thread that runs `{runs}`: it raises RuntimeError, and what follows is skipped"
        if own.finalizer is not None:
            message = f"`{thread}` is joined in `__del__` of the object that it keeps alive"
            why = (
                f"it runs `{runs}` of that object: `{symbol_of(own.finalizer)}` cannot come before the thread ends, so"
                " that nobody stops it, and comes on the thread itself if that drops the last reference: RuntimeError"
            )
        if own.told is not None and own.entry is not None:
            entry = symbol_of(own.entry)
            message = f"`{thread}` is joined in `{entry}`, which its own callbacks may call"
            why = (
                f"it runs `{runs}`, which calls `{own.told.name}` of its users: one that calls `{entry}` joins the"
                " thread that it runs on, which raises RuntimeError"
            )
        return self.finding(
            function,
            call.span,
            message=message,
            why=why,
            subject=thread,
            severity="warning" if own.finalizer is not None or own.told is not None else None,
            evidence="thread",
            trace=[
                step("root", f"{root.title} runs on the thread", root.target, root.target.ir.name_span),
                *call_steps(own.chain),
                step("access", f"{'waits for all workers of' if shuts else 'joins'} `{thread}`", function, call.span),
            ],
        )

    def _found(self, program: Program, nested: NestedSubmit) -> Finding:
        outer, inner, function = nested.outer, nested.inner, nested.function
        assert inner.site is not None and outer.site is not None and outer.site_function is not None
        pool = spelled(inner.site.func[0][:-1], program.stores.facts[function.id])
        return self.finding(
            function,
            nested.waits,
            message=f"a worker of `{pool}` waits for work of `{pool}`",
            why=f"`{symbol_of(outer.target)}` runs on the pool (line {outer.site.span[0]}): once all workers wait here,"
            f" none is left for `{symbol_of(inner.target)}`",
            subject=pool,
            confidence="high" if outer.many or outer.one_worker else "medium",
            evidence="thread",
            trace=[
                step("root", f"{outer.title} is submitted", outer.site_function, outer.site.span),
                step("call", f"{inner.title} is submitted to the same pool", function, inner.site.span),
                step("access", "waits for it", function, nested.waits),
            ],
        )
