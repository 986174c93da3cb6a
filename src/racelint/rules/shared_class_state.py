"""RL108 shared-class-state."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.races.class_state import ClassState, ClassStates
from racelint.rules.base import Rule, step, symbol_of


class SharedClassState(Rule):
    """A mutable class attribute is changed through `self`, as if each instance had its own.

    ## What it does
    Reports a list, dict, set or other container bound in a class body that methods change in place through `self`,
    where threads run those methods, no instance gets a container of its own, and nobody names it through the class.

    ## Why is this bad?
    There is one container for all instances. Threads that each have their own instance still share it: what one puts
    in, the others find, and locks that belong to an instance do not protect it.

    ## Example
    ```python
    from threading import Thread


    class Session(Thread):
        headers = {}  # RL108

        def __init__(self, user):
            super().__init__()
            self.user = user

        def run(self):
            self.headers["user"] = self.user
            print(self.headers)
    ```

    ## Use instead
    ```python
    from threading import Thread


    class Session(Thread):
        def __init__(self, user):
            super().__init__()
            self.user = user
            self.headers = {}

        def run(self):
            self.headers["user"] = self.user
            print(self.headers)
    ```

    ## How it is confirmed
    By definition: that the container is one for all instances needs no schedule.

    ## Known limits
    State that is meant to be shared is told by how it is used or named: reached through the class, in capitals, or
    called a cache, registry, pool or the like. `ClassVar` in an annotation is not looked at.
    """

    code = "RL108"
    name = "shared-class-state"
    since = "0.1.0"
    severity = "warning"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for state in ClassStates(program).all():
            yield self.finding(
                state.body,
                state.declared.span,
                message=f"`{state.cls.name}.{state.name}` is one container for all instances",
                why=_why(state),
                subject=f"{state.cls.id.replace(':', '.')}.{state.name}",
                confidence="high" if state.evidence == "thread" else "medium",
                evidence=state.evidence,
                trace=(
                    step("access", f"`{symbol_of(state.method)}` changes it", state.method, state.changed.span),
                    step("conflict", "bound once, for all instances", state.body, state.declared.span),
                ),
            )


def _why(state: ClassState) -> str:
    return (
        f"`{symbol_of(state.method)}` changes it through `self` at line {state.changed.span[0]}, and threads with "
        "instances of their own do so at once: bind it in `__init__`"
    )
