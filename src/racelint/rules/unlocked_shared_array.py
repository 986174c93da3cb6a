"""RL605 unlocked-shared-array."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.linked.processes import Child
from racelint.program.objects.spelling import spelled
from racelint.program.process_use.unlocked_arrays import TornArray, UnlockedArrays
from racelint.rules.base import Rule, step, symbol_of


class UnlockedSharedArray(Rule):
    """A shared array without a lock is filled by one process while another reads it.

    ## What it does
    Reports a `RawArray`, an `Array(..., lock=False)` or shared memory of which one process writes several elements
    while another reads several, with no lock, event, queue or pipe between the two.

    ## Why is this bad?
    Each element is whole, the array is not: the reader gets some elements from before the write and some from after.

    ## Example
    ```python
    from multiprocessing import Process, RawArray


    def move(position):
        for step in range(100):
            position[0] = step  # RL605
            position[1] = step


    if __name__ == "__main__":
        position = RawArray("i", 2)
        p = Process(target=move, args=(position,))
        p.start()
        x, y = position[:]
        print(x == y)
        p.join()
    ```

    ## Use instead
    ```python
    from multiprocessing import Array, Process


    def move(position):
        for step in range(100):
            with position.get_lock():
                position[0] = step
                position[1] = step


    if __name__ == "__main__":
        position = Array("i", 2)
        p = Process(target=move, args=(position,))
        p.start()
        with position.get_lock():
            x, y = position[:]
        print(x == y)
        p.join()
    ```

    ## How it is confirmed
    The processes run for real, the writer stopped between two elements: what the reader gets, no serial order gives.

    ## Known limits
    An index that is passed to the process counts as a place of its own. Any event, queue or pipe of either side counts
    as an agreement who goes when.
    """

    code = "RL605"
    name = "unlocked-shared-array"
    since = "0.1.0"
    severity = "warning"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for torn in UnlockedArrays(program).found():
            yield self._found(program, torn)

    def _found(self, program: Program, torn: TornArray) -> Finding:
        write, read = torn.write, torn.read
        name = spelled(write.base, program.stores.facts[write.function.id])
        theirs = spelled(read.base, program.stores.facts[read.function.id])
        writer, reader = self._who(write.child), self._who(read.child)
        return self.finding(
            write.function,
            write.span,
            message=f"`{name}` is filled in one process while another reads it, and has no lock",
            why=f"{writer} writes its elements one by one, {reader} reads `{theirs}` meanwhile (line {read.span[0]}):"
            " it may get some from before and some from after",
            subject=f"{write.function.module.name}.{symbol_of(write.function)}.{name}",
            confidence="medium",
            evidence="thread",
            trace=[
                step("access", f"writes elements of `{name}`", write.function, write.span),
                step("conflict", f"reads elements of `{theirs}`", read.function, read.span),
            ],
        )

    @staticmethod
    def _who(child: Child | None) -> str:
        return f"process `{symbol_of(child.root.target)}`" if child is not None else "the process that started it"
