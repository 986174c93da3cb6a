"""RL304 lost-notify."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Confidence, Finding
from racelint.model.summary import Access, Branch, Loop
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.waiting.lost_notifies import LostNotifies, MissedNotify
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.lock_names import lock_subject


class LostNotify(Rule):
    """A notification that comes before the wait is missed.

    ## What it does
    Reports a `wait()` before which nobody asks, under the condition's lock, whether it already happened, and a
    `notify()` after which what the waiters ask for is changed without the lock.

    ## Why is this bad?
    A condition remembers nothing: who waits after the notification waits for the next one, for ever if there is none.

    ## Example
    ```python
    from threading import Condition

    finished = Condition()
    results = []


    def work():
        with finished:
            results.append(42)
            finished.notify_all()


    def wait():
        with finished:
            finished.wait()  # RL304
    ```

    ## Use instead
    ```python
    from threading import Condition

    finished = Condition()
    results = []


    def work():
        with finished:
            results.append(42)
            finished.notify_all()


    def wait():
        with finished:
            while not results:
                finished.wait()
    ```

    ## How it is confirmed
    The notifier runs first: the waiter never returns (hang).

    ## Known limits
    Silent where something is said or changed in the same section before the wait: others can then only answer once the
    waiter waits. A wait with a timeout is only late, which is a warning.
    """

    code = "RL304"
    name = "lost-notify"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for found in LostNotifies(program).found():
            use = found.use
            name = spelled(use.path, program.stores.facts[use.function.id])
            trace = [step("lock", f"calls `{name}.{use.method}()`", use.function, use.call.span)]
            if isinstance(found.node, (Access, Branch, Loop)):
                trace.append(step("access", _node_words(found), use.function, found.node.span))
            if found.notifier is not None:
                notifier = found.notifier
                words = f"`{symbol_of(notifier.function)}` notifies"
                trace.append(step("conflict", words, notifier.function, notifier.call.span))
            yield self.finding(
                use.function,
                use.call.span,
                message=_message(found, name),
                why=_why(program, found),
                subject=lock_subject(use.lock, use.function, name),
                confidence=_confidence(found),
                trace=trace,
            )


def _message(found: MissedNotify, name: str) -> str:
    if found.kind == "late":
        return f"`{name}.{found.use.method}()` comes before the change that it tells of"
    return f"`{name}.wait()` misses a notification that came before it"


def _node_words(found: MissedNotify) -> str:
    return "changes it after that" if found.kind == "late" else "asks before the lock is taken"


def _why(program: Program, found: MissedNotify) -> str:
    line = found.node.span[0] if isinstance(found.node, (Access, Branch, Loop)) else 0
    if found.kind == "late" and isinstance(found.node, Access):
        what = spelled(found.node.path, program.stores.facts[found.use.function.id])
        return f"`{what}` changes on line {line} without the lock: a waiter woken before that sees nothing and waits on"
    who = f"`{symbol_of(found.notifier.function)}`" if found.notifier is not None else "the notifier"
    late = "until its time is up" if found.use.timed else "for ever"
    if found.kind == "before":
        return f"line {line} asks before the lock is taken: if {who} notifies in between, this waits {late}"
    return f"nothing is asked under the lock before it: if {who} was there first, this waits {late}"


def _confidence(found: MissedNotify) -> Confidence:
    return "low" if found.use.timed else "high" if found.kind == "before" else "medium"
