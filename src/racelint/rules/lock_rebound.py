"""RL207 lock-rebound."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.races.rebound_locks import Rebinding, ReboundLocks
from racelint.rules.base import Rule, step, symbol_of


class LockRebound(Rule):
    """A lock is replaced by a new one while others may hold or want the old one.

    ## What it does
    Reports a new lock that is stored, after construction, where other functions take the one that was there.

    ## Why is this bad?
    Who holds the old lock and who takes the new one are in the section together; who waits for the old one releases
    what is no longer there.

    ## Example
    ```python
    from threading import Lock


    class Counter:
        def __init__(self):
            self.lock = Lock()
            self.n = 0

        def up(self):
            with self.lock:
                self.n += 1

        def reset(self):
            self.lock = Lock()  # RL207
            with self.lock:
                self.n = 0
    ```

    ## Use instead
    ```python
    from threading import Lock


    class Counter:
        def __init__(self):
            self.lock = Lock()
            self.n = 0

        def up(self):
            with self.lock:
                self.n += 1

        def reset(self):
            with self.lock:
                self.n = 0
    ```

    ## How it is confirmed
    One thread is stopped in the section, the lock is replaced, and another comes in.

    ## Known limits
    What only constructors call, what runs in a forked child, and locks made on first use are left out.
    """

    code = "RL207"
    name = "lock-rebound"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for found in ReboundLocks(program).found():
            name = spelled(found.access.path, program.stores.facts[found.function.id])
            user = found.users[0] if found.users else found.function
            yield self.finding(
                found.function,
                found.access.span,
                message=f"`{name}` is replaced by a new lock while it is in use",
                why=_why(found),
                subject=str(found.location),
                confidence="high" if found.held else "medium",
                trace=[
                    step("access", f"puts a new lock into `{name}`", found.function, found.access.span),
                    step("lock", f"`{symbol_of(user)}` takes it", user, user.ir.name_span),
                ],
            )


def _why(found: Rebinding) -> str:
    if found.held:
        return "the old one is held at this very moment: who comes next takes the new one and is in there, too"
    user = symbol_of(found.users[0])
    return f"`{user}` may hold the old one: who takes the new one meanwhile is in the section with it"
