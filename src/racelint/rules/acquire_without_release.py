"""RL201 acquire-without-release."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.model.summary import Access, Call, Raise, Return, Suspend
from racelint.program import Program
from racelint.program.lock_use.skipped_releases import SkippedRelease, skipped_releases
from racelint.program.lock_use.unprotected_yields import UnprotectedYield, unprotected_yields
from racelint.program.locking.leaks import Leak, Tenure
from racelint.program.objects.spelling import spelled, spelled_call
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.lock_names import holder_word, lock_name, lock_subject


class AcquireWithoutRelease(Rule):
    """A lock is acquired, and some path leaves the function without releasing it.

    ## What it does
    Follows every `acquire()` of a lock to all exits of the function: returns, raises, and exceptions of the calls,
    subscripts, awaits and yields on the way. `except Exception` does not catch what cancels a task in an await.
    Reports the acquire if one of them leaves the lock held. Where one function takes the lock for another to give back
    (`begin` / `commit`), reports the release that an exception skips.

    ## Why is this bad?
    The next thread that wants the lock waits for ever. The path is often an exception that never came in the tests.

    ## Example
    ```python
    import json
    from threading import Lock

    lock = Lock()
    rows = []


    def load(text):
        lock.acquire()  # RL201
        rows.extend(json.loads(text))
        lock.release()
    ```

    ## Use instead
    ```python
    import json
    from threading import Lock

    lock = Lock()
    rows = []


    def load(text):
        parsed = json.loads(text)
        with lock:
            rows.extend(parsed)
    ```

    ## How it is confirmed
    An exception is injected where the path leaves; the other thread's acquire never returns (deadlock).

    ## Known limits
    Plain attribute access and arithmetic count as unable to raise. A lock that another function releases
    (`begin` / `end`, a callback) is taken for a protocol between them, and one that some function releases whatever
    happens for safe. Of a permit that goes to the caller with something made for it, only the making may fail.
    """

    code = "RL201"
    name = "acquire-without-release"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        tenures = program.tenures
        told: set[tuple[str, int]] = set()
        for judged in (*tenures.judged(), *tenures.taken_by_callees()):
            if not judged.leaks:
                continue
            tenure = judged.tenure
            told.add((tenure.function.id, tenure.call.id))
            worst = min(judged.leaks, key=lambda leak: leak.kind == "raise" and not isinstance(leak.node, Raise))
            words, line = _said(program, tenure, worst)
            facts = program.stores.facts[tenure.function.id]
            name = tenure.lock.short if tenure.by_callee else lock_name(tenure.lock, tenure.call, facts)
            releases = tenure.releases
            rest = "no `release()` follows" if not releases else "the `release()` is skipped there"
            yield self.finding(
                tenure.function,
                tenure.call.span,
                message=f"`{name}` is acquired, but not released on every path",
                why=f"{words}, and {rest}: {_outcome(tenure)}",
                subject=lock_subject(tenure.lock, tenure.function, name),
                trace=[
                    step("lock", f"acquires `{name}`", tenure.function, tenure.call.span),
                    step("call", words, tenure.function, (line, 1, line, 1)),
                ],
            )
        for skipped in skipped_releases(program):
            told.add((skipped.function.id, skipped.release.id))
            yield self._skipped(program, skipped)
        for open_ in unprotected_yields(program):
            if not told & {(open_.function.id, open_.taking.id), (open_.function.id, open_.giving.id)}:
                yield self._over_yield(program, open_)

    def _over_yield(self, program: Program, found: UnprotectedYield) -> Finding:
        facts = program.stores.facts[found.function.id]
        taking, giving = (spelled_call(call, facts) for call in (found.taking, found.giving))
        line = found.giving.span[0]
        return self.finding(
            found.function,
            found.taking.span,
            message=f"what `{taking}` takes stays held where the block of this context manager raises",
            why=f"the exception comes out of the `yield` on line {found.switch[0]}, and `{giving}` on line {line} is"
            " skipped: put it into a `finally`",
            subject=spelled(found.taking.func[0], facts),
            trace=[
                step("lock", f"`{taking}`", found.function, found.taking.span),
                step("call", "the block runs here, and may raise", found.function, found.switch),
                step("lock", f"`{giving}` is skipped", found.function, found.giving.span),
            ],
        )

    def _skipped(self, program: Program, skipped: SkippedRelease) -> Finding:
        function, release, lock = skipped.function, skipped.release, skipped.lock
        facts = program.stores.facts[function.id]
        name = lock_name(lock, release, facts)
        words = f"`{spelled_call(skipped.raising, facts)}` on line {skipped.raising.span[0]} can raise"
        return self.finding(
            function,
            release.span,
            message=f"`{name}` stays held where an exception skips this `release()`",
            why=f"{words}, and what `{symbol_of(skipped.taker)}` took is given back by nobody else",
            subject=lock_subject(lock, function, name),
            confidence="high" if function.ir.name == "__exit__" else "medium",
            trace=[
                step("lock", f"takes `{name}` and leaves it held", skipped.taker, skipped.taker.ir.name_span),
                step("call", words, function, skipped.raising.span),
                step("lock", f"releases `{name}`", function, release.span),
            ],
        )


def _outcome(tenure: Tenure) -> str:
    if tenure.lock.facts is not None and tenure.lock.facts.by_key:
        return (
            f"the lock of this key stays held and the next {holder_word(tenure.lock)} that asks for it waits for ever"
        )
    if tenure.lock.facts is not None and tenure.lock.facts.family == "semaphore":
        return "the permit is lost, and once all are, who asks for one waits for ever"
    return f"the lock stays held and the next {holder_word(tenure.lock)} waits for ever"


def _said(program: Program, tenure: Tenure, leak: Leak) -> tuple[str, int]:
    """How the path leaves, in words, and its line."""
    node = leak.node
    facts = program.stores.facts[tenure.function.id]
    if node is None:
        line = tenure.function.ir.span[2]
        return f"the function ends on line {line}", line
    line = node.span[0] if not hasattr(node, "item") else tenure.call.span[0]
    if leak.kind == "refused":
        return f"`return` on line {line} says that nothing is held where the next lock is refused", line
    if leak.kind == "turn":
        return f"the loop goes on from line {line} to the next `acquire()`", line
    if isinstance(node, Return):
        return f"`return` on line {line} leaves the function", line
    if isinstance(node, Raise):
        return f"an exception is raised on line {line}", line
    if isinstance(node, Call):
        return f"`{spelled_call(node, facts)}` on line {line} can raise", line
    if isinstance(node, Access):
        return f"`{spelled(node.path, facts)}` on line {line} can raise", line
    if isinstance(node, Suspend):
        return f"`{node.kind}` on line {line} can raise", line
    return f"line {line} can raise", line
