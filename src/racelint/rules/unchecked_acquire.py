"""RL208 unchecked-acquire."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.knowledge.locks import RELEASES
from racelint.model.finding import Confidence, Finding
from racelint.model.summary import Call, Path
from racelint.program import Program
from racelint.program.flow.walk import following, place_of
from racelint.program.linked.primitives import is_own_lock, timeout_of
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.rules.base import Rule, step
from racelint.rules.lock_names import lock_name, lock_subject

_FALSE = frozenset({"k:False", "k:int:0"})


class UncheckedAcquire(Rule):
    """A lock is asked for without waiting for ever, and nobody looks at the answer.

    ## What it does
    Reports `acquire(timeout=…)` and `acquire(False)` as statements of their own: whether the lock was got is the value
    that they drop.

    ## Why is this bad?
    Where the lock was not got, the code goes on as if it were: two threads run through the section, and the `release()`
    that follows raises, or gives back what another thread holds.

    ## Example
    ```python
    from threading import Lock


    class Account:
        def __init__(self):
            self.lock = Lock()
            self.money = 0

        def deposit(self, amount):
            self.lock.acquire(timeout=1)  # RL208
            self.money += amount
            self.lock.release()
    ```

    ## Use instead
    ```python
    from threading import Lock


    class Account:
        def __init__(self):
            self.lock = Lock()
            self.money = 0

        def deposit(self, amount):
            if not self.lock.acquire(timeout=1):
                return False
            try:
                self.money += amount
            finally:
                self.lock.release()
            return True
    ```

    ## How it is confirmed
    The time runs out while another thread is in the section: an exception, or an outcome that no serial order gives.

    ## Known limits
    An answer that is kept in a variable that is read counts as looked at. Locks of libraries that raise instead of
    answering are left out, and so is `acquire(False)` whose lock the function does not release: it may only set it.
    """

    code = "RL208"
    name = "unchecked-acquire"
    since = "0.1.0"
    severity = "warning"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for function in program.flows.takers:
            for lock, node, _ in program.flows.of(function).acquisitions:
                if not isinstance(node, Call) or (node.used and _is_asked_for(program, function, node)):
                    continue
                if _is_unchecked(program, function, lock, node):
                    yield self._found(program, function, lock, node)

    def _found(self, program: Program, function: FunctionInfo, lock: Lock, call: Call) -> Finding:
        name = lock_name(lock, call, program.stores.facts[function.id])
        timed = timeout_of(call, 1)
        when = "is not free in time" if timed is not None else "is taken"
        known = timed is None or all(path[0].startswith("k:") for path in timed.value)
        sure: Confidence = "high" if known else "medium"
        return self.finding(
            function,
            call.span,
            message=f"nobody looks at whether `{name}` was acquired",
            why=f"where it {when}, line {call.span[0]} gives False and the code goes on without the lock",
            subject=lock_subject(lock, function, name),
            confidence=sure,
            trace=[step("lock", f"may give up on `{name}`", function, call.span)],
        )


def _is_unchecked(program: Program, function: FunctionInfo, lock: Lock, call: Call) -> bool:
    path = call.func[0][:-1]
    if lock.facts is None or lock.facts.declared or not is_own_lock(program, path, function):
        return False
    if timeout_of(call, 1) is None and not _is_nonblocking(call):
        return False
    releases = [node for node, other in _releases(program, function) if other == path]
    if not releases:
        return timeout_of(call, 1) is not None and lock.facts.family != "semaphore"
    return not _is_next(function, call, releases)


def _is_asked_for(program: Program, function: FunctionInfo, call: Call) -> bool:
    """Whether anything is made of the answer; a variable that nobody reads is nothing."""
    answer: Path = (f"c:{call.id}",)
    for node in program.stores.facts[function.id].nodes:
        if call.id in getattr(node, "deps", ()) or getattr(node, "call", -1) == call.id:
            return True
        if answer in getattr(node, "value", ()):
            return True
        if isinstance(node, Call) and any(answer in a.value or call.id in a.deps for a in node.args):
            return True
    return False


def _is_nonblocking(call: Call) -> bool:
    plain = [argument for argument in call.args if not argument.name][:1]
    given = [argument for argument in call.args if argument.name in ("blocking", "block")] or plain
    return any(path[0] in _FALSE for argument in given for path in argument.value)


def _releases(program: Program, function: FunctionInfo) -> Iterator[tuple[Call, Path]]:
    for call in program.stores.facts[function.id].calls:
        if call.func and call.func[0][-1] in RELEASES:
            yield call, call.func[0][:-1]


def _is_next(function: FunctionInfo, call: Call, releases: list[Call]) -> bool:
    """`lock.acquire(False); lock.release()`: it is made free, whoever held it."""
    path = call.func[0][:-1]
    after = following(place_of(function, call.id))
    return next((node for node in after if getattr(node, "path", ())[: len(path)] != path), None) in releases
