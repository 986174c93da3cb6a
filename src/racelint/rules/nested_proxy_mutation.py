"""RL608 nested-proxy-mutation."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.process_use.proxy_copies import ProxyCopies, ProxyCopy
from racelint.rules.base import Rule, step, symbol_of


class NestedProxyMutation(Rule):
    """What a manager's container gave out is changed in place: it is a copy, and the change is lost.

    ## What it does
    Reports `managed["k"].append(x)`, `managed["k"]["n"] += 1` and their kin on the dicts, lists and namespaces of a
    `multiprocessing.Manager`, where the element is not itself made by the manager and is not stored again.

    ## Why is this bad?
    The container lives in the manager's process. Reading an element sends a copy of it: changing the copy tells the
    manager nothing, and the next one who reads gets the old value.

    ## Example
    ```python
    from multiprocessing import Manager, Process


    def work(found):
        found["rows"].append(1)  # RL608


    if __name__ == "__main__":
        with Manager() as manager:
            found = manager.dict(rows=[])
            p = Process(target=work, args=(found,))
            p.start()
            p.join()
            print(found["rows"])
    ```

    ## Use instead
    ```python
    from multiprocessing import Manager, Process


    def work(found):
        found["rows"] = [*found["rows"], 1]


    if __name__ == "__main__":
        with Manager() as manager:
            found = manager.dict(rows=[])
            p = Process(target=work, args=(found,))
            p.start()
            p.join()
            print(found["rows"])
    ```

    ## How it is confirmed
    Real processes run it: at the end the changed copy differs from what the manager still holds (lost-in-process).

    ## Known limits
    A copy that is passed on, returned or stored elsewhere counts as one that was wanted.
    """

    code = "RL608"
    name = "nested-proxy-mutation"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for copy in ProxyCopies(program).found():
            yield self._found(program, copy)

    def _found(self, program: Program, copy: ProxyCopy) -> Finding:
        facts = program.stores.facts[copy.function.id]
        base, element = spelled(copy.base, facts), spelled(copy.element, facts)
        return self.finding(
            copy.function,
            copy.span,
            message=f"`{element}` is a copy of what the manager holds: changing it in place is lost",
            why=f"`{base}` lives in the manager's process and gives out copies: change one and store it again, or put"
            " a list or dict of the manager there",
            subject=f"{copy.function.module.name}.{symbol_of(copy.function)}.{base}",
            confidence="high" if copy.known else "medium",
            evidence="thread",
            trace=[step("access", f"changes a copy of `{element}`", copy.function, copy.span)],
        )
