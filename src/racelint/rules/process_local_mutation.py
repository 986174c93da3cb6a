"""RL601 process-local-mutation."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.process_use.private_copies import LostChange, PrivateCopies
from racelint.rules.base import Rule, step, symbol_of


class ProcessLocalMutation(Rule):
    """A plain object is changed in one process and read in another: each has its own copy.

    ## What it does
    Reports the change of a list, dict, set, attribute or module variable in code that a process runs, where the
    process that started it reads the object afterwards; and the change made by the starter after the start, where the
    child looks at the object again and again.

    ## Why is this bad?
    A process gets a copy of what it is given and of all module variables. The change never leaves it: the other side
    sees the old state, with no error.

    ## Example
    ```python
    from multiprocessing import Process

    results = []


    def work(n):
        results.append(n * n)  # RL601


    if __name__ == "__main__":
        p = Process(target=work, args=(3,))
        p.start()
        p.join()
        print(results)
    ```

    ## Use instead
    ```python
    from multiprocessing import Process, Queue


    def work(n, results):
        results.put(n * n)


    if __name__ == "__main__":
        results = Queue()
        p = Process(target=work, args=(3, results))
        p.start()
        print(results.get())
        p.join()
    ```

    ## How it is confirmed
    The program runs with real processes: the reader's snapshot lacks the change that was made (lost-in-process).

    ## Known limits
    Only reads that are seen to come after the start count. Objects of unknown type are taken to be shared.
    """

    code = "RL601"
    name = "process-local-mutation"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        seen: set[tuple[str, int]] = set()
        for lost in PrivateCopies(program).lost():
            key = (lost.change.function.id, lost.change.event)
            if key not in seen:
                seen.add(key)
                yield self._found(program, lost)

    def _found(self, program: Program, lost: LostChange) -> Finding:
        root = lost.child.root
        assert root.site_function is not None and root.site is not None
        change, read = lost.change, lost.read
        path = change.path if len(change.path) == 1 or change.path[-1] != "[*]" else change.path[:-1]
        name = spelled(path, program.stores.facts[change.function.id])
        child = symbol_of(root.target)
        if lost.by == "child":
            message = f"`{name}` is changed in a child process, and read by the process that started it"
            why = (
                f"process `{child}` changes its own copy; line {read.span[0]} reads the starter's, which stays the same"
            )
        else:
            message = f"`{name}` is changed after the start of a process that has a copy of it"
            why = f"process `{child}` reads a copy made at its start on line {read.span[0]}: it never sees the change"
        return self.finding(
            change.function,
            change.span,
            message=message,
            why=why,
            subject=lost.subject,
            confidence="high" if lost.by == "child" else "medium",
            evidence="thread",
            trace=[
                step("access", f"changes `{name}`", change.function, change.span),
                step("conflict", "reads another copy of it", read.function, read.span),
                step("root", f"process `{child}` starts here", root.site_function, root.site.span),
            ],
        )
