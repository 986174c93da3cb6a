"""RL602 shared-value-rmw."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.knowledge.processes import PROXIES, SHARED_MEMORY
from racelint.model.finding import Finding
from racelint.model.summary import ELEMENT
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.objects.things import Object
from racelint.program.process_use.shared_values import SharedValues, Update
from racelint.rules.base import Rule, step, symbol_of


class SharedValueRmw(Rule):
    """A number that processes share is read, changed and written back by several of them without a lock.

    ## What it does
    Reports `value.value += 1`, `array[i] += 1` and their long forms on what `multiprocessing` shares, a manager's
    dictionaries, lists and namespaces among them, where two processes may run them at once and no lock between
    processes is held.

    ## Why is this bad?
    The value's own lock covers one read or one write, not the pair: two processes read the same number, and one of
    the two updates is lost.

    ## Example
    ```python
    from multiprocessing import Process, Value


    def count(value):
        for _ in range(1000):
            value.value += 1  # RL602


    if __name__ == "__main__":
        total = Value("i", 0)
        workers = [Process(target=count, args=(total,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    ```

    ## Use instead
    ```python
    from multiprocessing import Process, Value


    def count(value):
        for _ in range(1000):
            with value.get_lock():
                value.value += 1


    if __name__ == "__main__":
        total = Value("i", 0)
        workers = [Process(target=count, args=(total,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    ```

    ## How it is confirmed
    The processes run for real, one stopped between the read and the write: the final value is smaller than after any
    serial order (lost-update).

    ## Known limits
    Two elements of one array are not told apart, two values in a list are taken to be different. Confirmation does not
    stop processes between two calls of a manager's container yet.
    """

    code = "RL602"
    name = "shared-value-rmw"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        seen: set[tuple[str, int]] = set()
        for updates in SharedValues(program).raced():
            first, *rest = sorted(updates, key=lambda update: (update.function.order, update.access.id))
            if (first.function.id, first.access.id) not in seen:
                seen.add((first.function.id, first.access.id))
                yield self._found(program, first, rest)

    def _found(self, program: Program, first: Update, rest: list[Update]) -> Finding:
        name = spelled(first.access.path, program.stores.facts[first.function.id])
        runners = [child.root for update in (first, *rest) for child in update.children]
        several = "several processes run" if len(runners) < 2 else "two processes run"
        base = spelled(first.access.path[:-1], program.stores.facts[first.function.id])
        location = program.locations.of(first.access.path[:-1], first.function)
        subject = (
            str(location)
            if location is not None
            else f"{first.function.module.name}.{symbol_of(first.function)}.{base}"
        )
        things = program.types.of(first.access.path[:-1], first.function)
        proxied = any(isinstance(thing, Object) and thing.dotted in PROXIES for thing in things)
        bare = first.access.path[-2:-1] == ("buf",) or any(
            isinstance(thing, Object) and (thing.dotted in SHARED_MEMORY or "Raw" in thing.dotted) for thing in things
        )
        lock = "a lock" if proxied or bare else f"`{base}.get_lock()`"
        place = "an element" if first.access.path[-1] == ELEMENT else "the value"
        free = "the manager does one after the other, and others come" if proxied else "its lock is free"
        free = "nothing keeps the others out" if bare else free
        return self.finding(
            first.function,
            first.access.span,
            message=f"`{name}` is read and written back by more than one process without {lock}",
            why=f"{several} `{symbol_of(runners[0].target)}`; {free} between the read and the write"
            f" of {place}, so that an update in between is lost",
            subject=subject,
            evidence="thread",
            trace=[
                step("access", f"changes `{name}`", first.function, first.access.span),
                *(step("conflict", "changes it too", update.function, update.access.span) for update in rest),
                *(
                    step("root", f"process `{symbol_of(root.target)}` starts here", root.site_function, root.site.span)
                    for root in runners
                    if root.site_function is not None and root.site is not None
                ),
            ],
        )
