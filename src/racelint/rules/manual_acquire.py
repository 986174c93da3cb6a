"""RL211 manual-acquire."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.locking.leaks import Tenure
from racelint.program.objects.things import Instance
from racelint.rules.base import Rule
from racelint.rules.lock_names import lock_name, lock_subject


class ManualAcquire(Rule):
    """A correct acquire / release pair that `with` says better and safer.

    ## What it does
    Reports an `acquire()` whose lock is released in the same function on every path, where the pair nests properly,
    so that a `with` block could stand for it.

    ## Why is this bad?
    It is not, yet: the next line that somebody adds between the two may raise or return, and then the lock stays held.

    ## Example
    ```python
    from threading import Lock


    class Counter:
        def __init__(self):
            self.lock = Lock()
            self.n = 0

        def up(self):
            self.lock.acquire()  # RL211
            self.n += 1
            self.lock.release()
    ```

    ## Use instead
    ```python
    from threading import Lock


    class Counter:
        def __init__(self):
            self.lock = Lock()
            self.n = 0

        def up(self):
            with self.lock:
                self.n += 1
    ```

    ## How it is confirmed
    It is advice about code that works: there is nothing to confirm.

    ## Known limits
    Silent where `with` cannot say the same: an acquire with a timeout, pairs that overlap without nesting, a lock
    that another function releases.
    """

    code = "RL211"
    name = "manual-acquire"
    since = "0.1.0"
    severity = "info"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for judged in program.tenures.judged():
            tenure = judged.tenure
            if tenure.leaks or tenure.handed_on or not tenure.releases or tenure.conditional:
                continue
            if tenure.flagged or _overlaps(program, tenure) or not _is_entered(program, tenure):
                continue
            name = lock_name(tenure.lock, tenure.call, program.stores.facts[tenure.function.id])
            block = "async with" if tenure.call.awaited else "with"
            lines = sorted({str(call.span[0]) for call in tenure.releases}, key=int)
            yield self.finding(
                tenure.function,
                tenure.call.span,
                message=f"`{name}.{tenure.call.func[0][-1]}()` and its release would be safer as `{block} {name}:`",
                why=f"released on line {', '.join(lines)} on every path; `{block}` also does when the block grows",
                subject=lock_subject(tenure.lock, tenure.function, name),
            )


def _is_entered(program: Program, tenure: Tenure) -> bool:
    """`with` can take it: a class of the program needs methods for that, and `acquire_read` says what they cannot."""
    *lock, method = tenure.call.func[0]
    things = program.types.of(tuple(lock), tenure.function) if lock else ()
    return method == "acquire" and all(
        thing.cls.method("__enter__") or thing.cls.method("__aenter__") or thing.cls.all_external_bases()
        for thing in things
        if isinstance(thing, Instance)
    )


def _overlaps(program: Program, tenure: Tenure) -> bool:
    """Whether a lock taken later is still held where this one is released, or one taken earlier is released before."""
    flow = program.flows.of(tenure.function)
    released = {call.id for call in tenure.releases}
    mine = tenure.lock.location
    for lock, call, state in flow.releases:
        held = {hold.lock.location: hold.region for hold in state.must if hold.via == "acquire"}
        if call.id in released:
            later = [region for location, region in held.items() if location != mine and region > tenure.call.id]
            if later:
                return True
        elif held.get(mine) == tenure.call.id and held.get(lock.location, tenure.call.id) < tenure.call.id:
            return True
    return False
