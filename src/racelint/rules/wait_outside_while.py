"""RL301 wait-outside-while."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Confidence, Finding
from racelint.model.summary import Access, Branch, Call
from racelint.program import Program
from racelint.program.objects.spelling import spelled, spelled_call
from racelint.program.waiting.lost_notifies import LostNotifies
from racelint.program.waiting.waits import Wait, is_plain_sleep, waits_of
from racelint.rules.base import Rule, step
from racelint.rules.lock_names import holder_word, lock_name, lock_subject

_CONFIDENCE: dict[type, Confidence] = {Access: "high", Call: "high", Branch: "low"}
"""By what follows the wait: a use, or (Branch) a test that only leads to giving up early."""


class WaitOutsideWhile(Rule):
    """A `Condition.wait` after which nobody tests whether the condition holds.

    ## What it does
    Reports the `wait()` of a condition that stands in no `while` loop on its predicate, where what follows relies on
    the predicate without a test. `wait_for` has the loop inside. Helpers are judged through their callers.

    ## Why is this bad?
    A woken thread must first take the lock again: before it does, another thread may have taken what it waited for.
    `notify_all`, timeouts and a notify meant for another predicate wake it as well.

    ## Example
    ```python
    from threading import Condition

    changed = Condition()
    items = []


    def put(item):
        with changed:
            items.append(item)
            changed.notify()


    def take():
        with changed:
            if not items:
                changed.wait()  # RL301
            return items.pop()
    ```

    ## Use instead
    ```python
    from threading import Condition

    changed = Condition()
    items = []


    def put(item):
        with changed:
            items.append(item)
            changed.notify()


    def take():
        with changed:
            while not items:
                changed.wait()
            return items.pop()
    ```

    ## How it is confirmed
    Two waiters and one notify: a schedule in which the second finds nothing (an exception, a broken invariant).

    ## Known limits
    That the loop's condition is the right predicate is not checked. A wait whose function only waits, and that
    nobody in the scanned code calls, is left to its callers.
    """

    code = "RL301"
    name = "wait-outside-while"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        missed = {(found.use.function.id, found.use.call.id) for found in LostNotifies(program).found()}
        for wait in waits_of(program):
            if wait.outcome == "tested" or is_plain_sleep(wait) or (wait.function.id, wait.call.id) in missed:
                continue
            lock = program.locks.of(wait.path, wait.function)
            facts = program.stores.facts[wait.function.id]
            name = spelled(wait.path, facts) if lock is None else lock_name(lock, wait.call, facts)
            relies = _relies(program, wait)
            line = wait.node.span[0] if isinstance(wait.node, (Access, Branch, Call)) else wait.call.span[0]
            holder, link = holder_word(lock), ":" if isinstance(wait.node, Branch) else ", but"
            yield self.finding(
                wait.function,
                wait.call.span,
                message=f"`{name}.wait()` is not in a `while` loop that tests its condition again",
                why=f"{relies}{link} another {holder} may have changed the state before the woken one got the lock",
                subject=lock_subject(lock, wait.function, name) if lock is not None else name,
                confidence=_CONFIDENCE.get(type(wait.node), "medium"),
                trace=[
                    step("lock", f"waits on `{name}`", wait.function, wait.call.span),
                    step("access", relies, wait.function, (line, 1, line, 1), (name,)),
                ],
            )


def _relies(program: Program, wait: Wait) -> str:
    facts = program.stores.facts[wait.function.id]
    tested = f"tested once on line {wait.guard.span[0]}" if wait.guard is not None else "never tested"
    if isinstance(wait.node, Call):
        return (
            f"the condition is {tested} and `{spelled_call(wait.node, facts)}` on line {wait.node.span[0]} relies on it"
        )
    if isinstance(wait.node, Access):
        what = spelled(wait.node.path, facts)
        return f"the condition is {tested} and `{what}` on line {wait.node.span[0]} relies on it"
    if isinstance(wait.node, Branch):
        return f"it is tested on line {wait.node.span[0]}, from where nothing leads back to the wait"
    return f"the condition is {tested} and the caller relies on it"
