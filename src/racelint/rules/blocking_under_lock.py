"""RL205 blocking-under-lock."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding, Severity
from racelint.program import Program
from racelint.program.lock_use.lock_waits import HeldWait, LockWaits
from racelint.program.threads.test_cases import arranges
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.call_chains import call_steps, chain_words, place_words

_DOES = {
    "sleep": "sleeps",
    "network": "waits for the network",
    "process": "waits for a process",
    "wait": "waits for another thread",
    "database": "waits for a database",
    "input": "waits for a person",
    "file": "reads or writes files",
}


class BlockingUnderLock(Rule):
    """A thread sleeps, does slow I/O or waits for another thread while it holds a lock that others need.

    ## What it does
    Follows calls made under a lock to sleeps, network and database calls, child processes, `join`, `Future.result`,
    `Queue.get` and `Event.wait`. It is an error where who is waited for takes the very same lock.

    ## Why is this bad?
    Everybody who wants the lock waits as long, even for a mere look. If the thread that is waited for wants it, too,
    neither ever goes on.

    ## Example
    ```python
    import time
    from threading import Lock


    class Meter:
        def __init__(self):
            self.lock = Lock()
            self.readings = []

        def sample(self, read):
            with self.lock:
                time.sleep(0.5)  # RL205
                self.readings.append(read())

        def count(self):
            with self.lock:
                return len(self.readings)

        def clear(self):
            with self.lock:
                self.readings.clear()
    ```

    ## Use instead
    ```python
    import time
    from threading import Lock


    class Meter:
        def __init__(self):
            self.lock = Lock()
            self.readings = []

        def sample(self, read):
            time.sleep(0.5)
            reading = read()
            with self.lock:
                self.readings.append(reading)

        def count(self):
            with self.lock:
                return len(self.readings)

        def clear(self):
            with self.lock:
                self.readings.clear()
    ```

    ## How it is confirmed
    The call is made to wait for ever, as if nobody answered, and another thread asks for the lock: it never gets it.
    That shows that the lock is held meanwhile, not how long the call takes.

    ## Known limits
    A lock most of whose users block is taken to be there to keep the slow things in order: that is only mentioned on
    request, as are files, waits with a timeout (that is never None), what is done but once, and sleeps that are awaited
    under a lock of asyncio, while the loop goes on. Of objects that nothing is known of, `join()`, `future.result()`,
    `self.server.wait()` and `fetch_async(…).get()` count as waits.
    """

    code = "RL205"
    name = "blocking-under-lock"
    since = "0.1.0"
    severity = "warning"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for found in LockWaits(program).found():
            wait, name = found.wait.fact, found.held.lock.short
            yield self.finding(
                found.function,
                found.span,
                message=f"`{name}` is held while `{wait.name}` {_DOES[wait.kind]}",
                why=_why(found),
                subject=found.held.lock.name,
                confidence="high" if not found.wait.chain or found.wait.certain else "medium",
                severity=_severity(found),
                trace=[
                    step("lock", f"takes `{name}`", found.held.function, found.held.span),
                    *call_steps(found.wait.chain, (name,)),
                    step("access", f"`{wait.name}` {_DOES[wait.kind]}", wait.function, wait.call.span, (name,)),
                ],
            )


def _severity(found: HeldWait) -> Severity:
    if arranges(found.held.function, found.held.lock.location.owner):
        return "info"
    if found.needed is not None:
        return "error"
    wait = found.wait.fact
    bounded = wait.kind == "wait" and wait.timed
    facts = found.held.lock.facts
    awaited = wait.kind == "sleep" and facts is not None and facts.world == "async"
    if bounded or awaited or wait.kind == "file" or found.once or found.quick is None or not found.mostly:
        return "info"
    return "info" if len(found.wait.chain) > 3 and not found.wait.certain else "warning"


def _why(found: HeldWait) -> str:
    way = f" through {chain_words(found.wait.chain)}" if found.wait.chain else ""
    start = f"taken on {place_words(found.held.function, found.held.span, found.function)}, waits{way}"
    if arranges(found.held.function, found.held.lock.location.owner):
        return f"{start}: benign: a test arranges it, to see what comes of it"
    if found.needed is not None:
        return f"{start}: but `{symbol_of(found.needed)}` needs the lock to get that far, so neither goes on"
    who = f"`{symbol_of(found.quick)}` waits for the lock" if found.quick is not None else "all who want the lock wait"
    return f"{start}: {who} as long"
