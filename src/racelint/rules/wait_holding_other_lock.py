"""RL303 wait-holding-other-lock."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Confidence, Finding
from racelint.program import Program
from racelint.program.lock_use.held_waits import HeldWait, HeldWaits
from racelint.program.objects.spelling import spelled
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.call_chains import call_steps, chain_words, place_words


class WaitHoldingOtherLock(Rule):
    """A thread waits for a condition and keeps another lock meanwhile.

    ## What it does
    Reports `wait` and `wait_for` of a condition, also deep inside a call, while a lock is held that is not the
    condition's own.

    ## Why is this bad?
    `wait` gives back the condition's lock and no other. If whoever is to notify needs the other one first, both wait
    for ever; if not, all who want it still wait until somebody notifies.

    ## Example
    ```python
    from threading import Condition, Lock

    lock = Lock()
    changed = Condition()
    rows = []


    def take():
        with lock:
            with changed:
                while not rows:
                    changed.wait()  # RL303
                return rows.pop()


    def put(row):
        with lock:
            with changed:
                rows.append(row)
                changed.notify()
    ```

    ## Use instead
    ```python
    from threading import Condition

    changed = Condition()
    rows = []


    def take():
        with changed:
            while not rows:
                changed.wait()
            return rows.pop()


    def put(row):
        with changed:
            rows.append(row)
            changed.notify()
    ```

    ## How it is confirmed
    The waiter waits, the notifier stops at the other lock (deadlock).

    ## Known limits
    A lock that the caller outside of the scanned code holds is not seen. Where no notifier needs the lock, or the wait
    ends by itself, it is only a warning.
    """

    code = "RL303"
    name = "wait-holding-other-lock"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for found in HeldWaits(program).found():
            use, name = found.wait.fact.use, found.held.lock.short
            condition = spelled(use.path, program.stores.facts[use.function.id])
            yield self.finding(
                found.function,
                found.span,
                message=f"`{name}` stays held while `{condition}.{use.method}()` waits",
                why=_why(found),
                subject=found.held.lock.name,
                confidence=_confidence(found),
                severity="info" if found.needs is None and found.known and found.wait.chain else None,
                trace=[
                    step("lock", f"takes `{name}`", found.held.function, found.held.span),
                    *call_steps(found.wait.chain, (name,)),
                    step("lock", f"waits for `{condition}`", use.function, use.call.span, (name,)),
                ],
            )


def _confidence(found: HeldWait) -> Confidence:
    if found.wait.fact.use.timed or (found.known and found.needs is None):
        return "low"
    return "high" if found.needs is not None and found.wait.certain else "medium"


def _why(found: HeldWait) -> str:
    way = f" through {chain_words(found.wait.chain)}" if found.wait.chain else ""
    start = f"taken on {place_words(found.held.function, found.held.span, found.function)}, waits{way}"
    if found.needs is not None:
        return f"{start}; `{symbol_of(found.needs.function)}` needs it before it notifies: neither goes on"
    return f"{start}: `wait` gives back the condition's own lock alone, so nobody gets this one until it is notified"
