"""RL305 notify-one-of-many."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.waiting.mixed_waiters import MixedNotify, mixed_notifies
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.lock_names import lock_subject


class NotifyOneOfMany(Rule):
    """`notify()` on a condition whose waiters wait for different things.

    ## What it does
    Reports `notify()` where some threads wait on the condition for one thing and some for another: the loops around
    their waits ask for different state, or one adds what the other takes away.

    ## Why is this bad?
    `notify()` wakes one thread, whichever. If that waits for something else it goes back to sleep, and the thread that
    could go on is never told: in the end all sleep.

    ## Example
    ```python
    from threading import Condition


    class Mailbox:
        def __init__(self):
            self.changed = Condition()
            self.letters = []

        def put(self, letter):
            with self.changed:
                while len(self.letters) == 1:
                    self.changed.wait()
                self.letters.append(letter)
                self.changed.notify()  # RL305

        def get(self):
            with self.changed:
                while not self.letters:
                    self.changed.wait()
                letter = self.letters.pop()
                self.changed.notify()  # RL305
                return letter
    ```

    ## Use instead
    ```python
    from threading import Condition


    class Mailbox:
        def __init__(self):
            self.changed = Condition()
            self.letters = []

        def put(self, letter):
            with self.changed:
                while len(self.letters) == 1:
                    self.changed.wait()
                self.letters.append(letter)
                self.changed.notify_all()

        def get(self):
            with self.changed:
                while not self.letters:
                    self.changed.wait()
                letter = self.letters.pop()
                self.changed.notify_all()
                return letter
    ```

    ## How it is confirmed
    Two threads of each kind run until all of them wait (deadlock).

    ## Known limits
    Two conditions on one lock, one for each thing, do as well and are not reported. Numbers that one waiter raises and
    the other lowers are told apart only where the loops ask for different variables.
    """

    code = "RL305"
    name = "notify-one-of-many"
    since = "0.1.0"
    severity = "warning"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for found in mixed_notifies(program):
            use = found.use
            name = spelled(use.path, program.stores.facts[use.function.id])
            waits = [
                step("conflict", f"`{symbol_of(waiter.use.function)}` waits", waiter.use.function, waiter.use.call.span)
                for waiter in (found.first, found.second)
            ]
            yield self.finding(
                use.function,
                use.call.span,
                message=f"`{name}.notify()` wakes one thread, which may wait for something else",
                why=_why(found),
                subject=lock_subject(use.lock, use.function, name),
                confidence="medium",
                trace=[step("lock", f"calls `{name}.notify()`", use.function, use.call.span), *waits],
            )


def _why(found: MixedNotify) -> str:
    first, second = found.first.use, found.second.use
    return (
        f"`{symbol_of(first.function)}` (line {first.call.span[0]}) and `{symbol_of(second.function)}` (line "
        f"{second.call.span[0]}) wait for different things: the wrong one goes back to sleep, the right one sleeps on"
    )
