"""RL204 lock-order-inversion."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Confidence, Finding
from racelint.program import Program
from racelint.program.linked.takings import Nesting
from racelint.program.lock_use.lock_order import Edge, LockOrder
from racelint.program.threads.test_cases import arranges
from racelint.rules.base import Rule, symbol_of
from racelint.rules.call_chains import chain_words, nesting_steps
from racelint.rules.lock_names import holder_word


class LockOrderInversion(Rule):
    """Two locks are taken in one order here and in the other order elsewhere.

    ## What it does
    Notes, over all files and through all calls, which lock is taken while which other is held, and reports the cycles
    of that order. Two objects of one class whose locks are taken in the order that the caller names them are one, too.

    ## Why is this bad?
    Each thread can hold the lock that the other one waits for: neither goes on, nor does anybody who wants one of them.

    ## Example
    ```python
    from threading import Lock

    accounts = Lock()
    journal = Lock()


    def book():
        with accounts:
            with journal:
                print("booked")


    def audit():
        with journal:
            with accounts:  # RL204
                print("audited")
    ```

    ## Use instead
    ```python
    from threading import Lock

    accounts = Lock()
    journal = Lock()


    def book():
        with accounts:
            with journal:
                print("booked")


    def audit():
        with accounts:
            with journal:
                print("audited")
    ```

    ## How it is confirmed
    Both functions run on two threads, which are stopped between the two locks (deadlock).

    ## Known limits
    Instances of a class share one place in the order. Locks that are tried (`acquire(False)`, a timeout), semaphores,
    and orders that a further lock serialises do not count.
    """

    code = "RL204"
    name = "lock-order-inversion"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        order = program.lock_order
        for cycle in order.cycles():
            yield self._of_cycle(cycle, order)
        yield from self._of_peers(order)

    def _of_cycle(self, cycle: tuple[Edge, ...], order: LockOrder) -> Finding:
        """Reported where the order is the one less often taken."""
        odd = min(reversed(cycle), key=lambda edge: len(order.edges[edge.first, edge.second]))
        at = cycle.index(odd)
        turned = [edge.nesting for edge in (*cycle[at:], *cycle[:at])]
        locks = [nesting.held.lock for nesting in turned]
        apart = len({lock.short for lock in locks}) == len(locks)
        names = [f"`{lock.short if apart else lock.name}`" for lock in locks]
        orders = "both orders" if len(names) == 2 else "more than one order"
        arranged = any(arranges(nesting.held.function, nesting.held.lock.location.owner) for nesting in turned)
        holder = holder_word(odd.nesting.held.lock)
        end = "benign: a test arranges it" if arranged else f"each {holder} can hold the lock that another waits for"
        return self.finding(
            odd.nesting.function,
            odd.nesting.span,
            message=f"{', '.join(names[:-1])} and {names[-1]} are taken in {orders}",
            why=f"{'; '.join(map(_words, turned))}: {end}",
            subject=", ".join(lock.name for lock in locks),
            confidence=_confidence(turned),
            severity="info" if arranged else None,
            trace=[entry for nesting in turned for entry in nesting_steps(nesting)],
        )

    def _of_peers(self, order: LockOrder) -> Iterator[Finding]:
        seen = set()
        for nesting in order.peers:
            key = (nesting.function.id, nesting.held.lock.location)
            if key in seen:
                continue
            seen.add(key)
            name = nesting.held.lock.short
            yield self.finding(
                nesting.function,
                nesting.span,
                message=f"`{name}` of two objects is taken in the order that the caller names them",
                why=f"{_words(nesting)}, of another object: two calls with the objects swapped wait for each other",
                subject=nesting.held.lock.name,
                confidence="medium",
                trace=nesting_steps(nesting),
            )


def _confidence(turned: list[Nesting]) -> Confidence:
    calls = max(len(nesting.then.chain) for nesting in turned)
    if calls > 2 or len(turned) > 3:
        return "low"
    return "high" if calls < 2 and all(nesting.then.certain for nesting in turned) else "medium"


def _words(nesting: Nesting) -> str:
    first, second = nesting.held.lock.short, nesting.then.fact.lock.short
    way = f" through {chain_words(nesting.then.chain)}" if nesting.then.chain else ""
    return f"`{symbol_of(nesting.function)}` takes `{first}` (line {nesting.held.span[0]}), then{way} `{second}`"
