"""RL213 callback-under-lock."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.foreign_callbacks import foreign_calls
from racelint.program.spelling import spelled_call
from racelint.rules.base import Rule, step, symbol_of


class CallbackUnderLock(Rule):
    """A function that somebody handed in is called with a lock held.

    ## What it does
    Reports calls of a parameter, of an attribute that a parameter was kept in, and of the elements of a list of such
    callbacks, while a lock is held.

    ## Why is this bad?
    Nobody here knows what the callback does: if it calls back into this object it waits for the lock that its own
    thread holds, if it takes a lock of its own the two orders may meet, if it is slow all others wait.

    ## Example
    ```python
    from threading import Lock


    class Topic:
        def __init__(self):
            self.lock = Lock()
            self.listeners = []

        def listen(self, listener):
            with self.lock:
                self.listeners.append(listener)

        def publish(self, message):
            with self.lock:
                for listener in self.listeners:
                    listener(message)  # RL213
    ```

    ## Use instead
    ```python
    from threading import Lock


    class Topic:
        def __init__(self):
            self.lock = Lock()
            self.listeners = []

        def listen(self, listener):
            with self.lock:
                self.listeners.append(listener)

        def publish(self, message):
            with self.lock:
                listeners = list(self.listeners)
            for listener in listeners:
                listener(message)
    ```

    ## How it is confirmed
    It depends on the callback, which is not known: there is nothing to run.

    ## Known limits
    Methods of objects that were handed in (`listener.notify()`) do not count. Where calling under the lock is the
    purpose, as in `update(function)`, say so with a comment; the rule is off unless it is selected.
    """

    code = "RL213"
    name = "callback-under-lock"
    since = "0.1.0"
    severity = "info"
    confirmable = False
    default_on = False

    def check(self, program: Program) -> Iterator[Finding]:
        for found in foreign_calls(program):
            name, lock = spelled_call(found.call, program.stores.facts[found.function.id]), found.held.lock.short
            yield self.finding(
                found.function,
                found.call.span,
                message=f"`{name}` comes from outside and is called with `{lock}` held",
                why=(
                    f"`{symbol_of(found.giver)}` takes it as `{found.name}`: if it comes back for `{lock}`, or waits"
                    f" for somebody who does, this waits {'with it' if found.held.lock.reentrant else 'for ever'}"
                ),
                subject=found.held.lock.name,
                trace=[
                    step("lock", f"takes `{lock}`", found.held.function, found.held.span),
                    step("call", f"calls `{name}`", found.function, found.call.span, [lock]),
                ],
            )
