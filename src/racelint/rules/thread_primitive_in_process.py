"""RL604 thread-primitive-in-process."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.process_use.split_locks import SplitLock, split_locks
from racelint.program.process_use.thread_primitives import ThreadPrimitive, ThreadPrimitives
from racelint.rules.base import Rule, step, symbol_of


class ThreadPrimitiveInProcess(Rule):
    """A lock, event or queue that is made for threads is handed to a process.

    ## What it does
    Reports primitives of `threading` and `queue` among the arguments of a process or the tasks of a process pool, and
    those that a process and the one that started it both use to tell each other something. So are locks of threads
    that several processes take to keep each other out.

    ## Why is this bad?
    A spawned process cannot be given them: it raises TypeError. A forked one gets a copy: its lock excludes nobody, its
    event is never set by the parent, what it puts into its queue nobody gets.

    ## Example
    ```python
    from multiprocessing import Process
    from threading import Lock


    def work(lock):
        with lock:
            print("alone?")


    if __name__ == "__main__":
        lock = Lock()
        p = Process(target=work, args=(lock,))  # RL604
        p.start()
        p.join()
    ```

    ## Use instead
    ```python
    from multiprocessing import Lock, Process


    def work(lock):
        with lock:
            print("alone")


    if __name__ == "__main__":
        lock = Lock()
        p = Process(target=work, args=(lock,))
        p.start()
        p.join()
    ```

    ## How it is confirmed
    Real processes run it: the start raises, or both are in the critical section at once, or the signal never comes.

    ## Known limits
    Objects that hold such a primitive in an attribute are looked into where they are handed to a pool.
    """

    code = "RL604"
    name = "thread-primitive-in-process"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        holders = set()
        for primitive in ThreadPrimitives(program).found():
            holders.add(primitive.holder)
            yield self._kept(primitive) if primitive.uses else self._passed(primitive)
        for split in split_locks(program):
            if split.lock.short not in holders:
                yield self._split(split)

    def _passed(self, primitive: ThreadPrimitive) -> Finding:
        if primitive.holder:
            return self._pickled(primitive)
        return self.finding(
            primitive.function,
            primitive.span,
            message=f"a `{primitive.dotted}` is handed to a process, and works between threads alone",
            why="a spawned process cannot be given it, a forked one gets a copy that has nothing to do with this one",
            subject=primitive.dotted,
            evidence="thread",
            trace=[step("lock", f"a `{primitive.dotted}` is passed here", primitive.function, primitive.span)],
        )

    def _split(self, split: SplitLock) -> Finding:
        made, access, name = split.made, split.made.access, split.lock.short
        assert access is not None
        return self.finding(
            made.function,
            access.span,
            message=f"`{name}` works between threads, and only processes take it: each has one of its own",
            why=f"`{symbol_of(split.target)}`, which several processes run, takes it on line {split.span[0]}: a forked"
            " one has a copy, a spawned one makes it anew or cannot be given it, so it keeps nobody out",
            subject=split.lock.name,
            evidence="thread",
            trace=[
                step("lock", f"`{name}` is made here", made.function, access.span),
                step("lock", f"each process takes its own `{name}`", split.target, split.span),
            ],
        )

    def _pickled(self, primitive: ThreadPrimitive) -> Finding:
        return self.finding(
            primitive.function,
            primitive.span,
            message=f"`{primitive.holder}` is a `{primitive.dotted}`, and its object is handed to a pool of processes",
            why="tasks of a pool are pickled, and this cannot be: it raises TypeError",
            subject=primitive.holder,
            evidence="thread",
            trace=[
                step(
                    "lock", f"an object with a `{primitive.dotted}` is passed here", primitive.function, primitive.span
                )
            ],
        )

    def _kept(self, primitive: ThreadPrimitive) -> Finding:
        (child, there), (parent, here) = primitive.uses
        return self.finding(
            primitive.function,
            primitive.span,
            message=f"a `{primitive.dotted}` is used by a process and by its parent: each has one of its own",
            why=f"`{symbol_of(child)}` runs in the child (line {there[0]}), `{symbol_of(parent)}` does not"
            f" (line {here[0]}): neither sees what the other does",
            subject=primitive.dotted,
            confidence="medium",
            evidence="thread",
            trace=[
                step("lock", f"a `{primitive.dotted}` is made here", primitive.function, primitive.span),
                step("access", "is used in the child", child, there),
                step("conflict", "is used in the parent", parent, here),
            ],
        )
