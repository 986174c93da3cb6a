"""RL213 callback-under-lock."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.linked.foreign_callbacks import ForeignCall, foreign_calls
from racelint.program.linked.kept_callbacks import HeldNotice, KeptCallbacks
from racelint.program.objects.spelling import spelled_call
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.call_chains import call_steps


class CallbackUnderLock(Rule):
    """A function that somebody handed in is called with a lock held.

    ## What it does
    Reports callbacks that users registered, or gave where they need not, and that are told of something (nothing is
    made of what they return) while a lock is held that is not reentrant, through private helpers too, where what users
    call of the same object always waits for that lock.

    On request (`--min-severity info`) it mentions all calls of a parameter, of an attribute that a parameter was kept
    in, and of the elements of a list of such callbacks, while any lock is held.

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
    Methods of objects that were handed in (`listener.notify()`) do not count. What is called for its result, as in
    `update(function)`, is only mentioned on request, as is what is called under a lock that its holder may take again
    or that nothing waits for which users call.
    """

    code = "RL213"
    name = "callback-under-lock"
    since = "0.1.0"
    severity = "warning"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        told = set()
        for notice in KeptCallbacks(program).found():
            told.add((notice.then.fact.function.id, notice.then.fact.call.id))
            yield self._coming_back(notice, program)
        for found in foreign_calls(program):
            if (found.function.id, found.call.id) not in told:
                yield self._called(found, program)

    def _coming_back(self, found: HeldNotice, program: Program) -> Finding:
        """The callback may use the object that tells it."""
        notice, lock = found.then.fact, found.held.lock.short
        name = spelled_call(notice.call, program.stores.facts[notice.function.id])
        taken = (
            f"users set `{notice.name}`"
            if notice.is_set
            else f"`{symbol_of(notice.giver)}` takes it as `{notice.name}`"
        )
        return self.finding(
            found.function,
            found.span,
            message=f"`{name}` comes from outside and is called with `{lock}` held",
            why=(
                f"{taken}: if it calls `{symbol_of(found.back)}`, which waits for the lock, its thread waits for itself"
            ),
            subject=found.held.lock.name,
            confidence="medium",
            trace=[
                step("lock", f"takes `{lock}`", found.held.function, found.held.span),
                *call_steps(found.then.chain, (lock,)),
                step("call", f"calls `{name}`", notice.function, notice.call.span, [lock]),
            ],
        )

    def _called(self, found: ForeignCall, program: Program) -> Finding:
        name, lock = spelled_call(found.call, program.stores.facts[found.function.id]), found.held.lock.short
        return self.finding(
            found.function,
            found.call.span,
            message=f"`{name}` comes from outside and is called with `{lock}` held",
            why=(
                f"`{symbol_of(found.giver)}` takes it as `{found.name}`: if it comes back for `{lock}`, or waits"
                f" for somebody who does, this waits {'with it' if found.held.lock.reentrant else 'for ever'}"
            ),
            subject=found.held.lock.name,
            severity="info",
            trace=[
                step("lock", f"takes `{lock}`", found.held.function, found.held.span),
                step("call", f"calls `{name}`", found.function, found.call.span, [lock]),
            ],
        )
