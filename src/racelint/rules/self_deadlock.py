"""RL203 self-deadlock."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.linked.takings import Nesting
from racelint.program.lock_use.foreign_imports import ForeignImport, foreign_imports
from racelint.program.lock_use.taken_twice import taken_twice
from racelint.program.threads.test_cases import arranges
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.call_chains import call_steps, chain_words, nesting_steps, place_words
from racelint.rules.lock_names import holder_word


class SelfDeadlock(Rule):
    """A lock that its holder cannot take twice is taken again by the thread that holds it.

    ## What it does
    Follows every call made while a non-reentrant lock is held, through any number of functions and files, to a place
    that takes the same lock of the same object.

    ## Why is this bad?
    `threading.Lock` does not know who holds it: the thread waits for itself, for ever, and so does every other
    thread that wants the lock.

    ## Example
    ```python
    from threading import Lock


    class Account:
        def __init__(self):
            self.lock = Lock()
            self.balance = 0

        def deposit(self, amount):
            with self.lock:
                self.balance += amount

        def transfer(self, amount):
            with self.lock:
                self.deposit(-amount)  # RL203
    ```

    ## Use instead
    ```python
    from threading import RLock


    class Account:
        def __init__(self):
            self.lock = RLock()
            self.balance = 0

        def deposit(self, amount):
            with self.lock:
                self.balance += amount

        def transfer(self, amount):
            with self.lock:
                self.deposit(-amount)
    ```

    ## How it is confirmed
    One thread is enough: the call never returns (deadlock).

    ## Known limits
    Objects are told apart by the access paths that lead to them; where two paths may mean one object, nothing is
    said. Of foreign code that a method runs under its lock, only the import of modules that its caller names counts,
    where the object is one that a module keeps for all to use. Lock classes of the project itself may be reentrant
    and are left out, as are locks chosen by a key.
    """

    code = "RL203"
    name = "self-deadlock"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for nesting in taken_twice(program):
            lock = nesting.held.lock
            yield self.finding(
                nesting.function,
                nesting.span,
                message=f"`{lock.short}` is taken again by the {holder_word(lock)} that holds it",
                why=_why(nesting),
                subject=lock.name,
                confidence="high" if nesting.then.certain else "medium",
                severity="info" if _is_arranged(nesting) else None,
                trace=nesting_steps(nesting),
            )
        for found in foreign_imports(program):
            yield self._importing(found)

    def _importing(self, found: ForeignImport) -> Finding:
        held, then = found.held, found.then
        back = symbol_of(found.function)
        return self.finding(
            found.function,
            found.span,
            message=f"`{held.lock.short}` is held while modules are imported that the caller of `{back}` names",
            why=f"importing runs their code in this thread: what comes back to `{back}` waits for itself",
            subject=held.lock.name,
            confidence="low",
            trace=[
                step("lock", f"takes `{held.lock.short}`", held.function, held.span),
                *call_steps(then.chain, (held.lock.short,)),
                step("access", "imports a module by its name", then.fact.function, then.fact.span),
            ],
        )


def _is_arranged(nesting: Nesting) -> bool:
    return arranges(nesting.held.function, nesting.held.lock.location.owner)


def _why(nesting: Nesting) -> str:
    held, taken = nesting.held, nesting.then.fact
    if _is_arranged(nesting):
        return f"held since {place_words(held.function, held.span, nesting.function)}; benign: a test arranges it"
    holder = holder_word(nesting.held.lock)
    since = f"held since {place_words(held.function, held.span, nesting.function)}"
    again = place_words(taken.function, taken.span, nesting.function)
    if not nesting.then.chain:
        return f"{since} and waited for on {again}: it is not reentrant, so the {holder} waits for itself"
    return f"{since}, and {chain_words(nesting.then.chain)} takes it on {again}: the {holder} waits for itself"
