"""RL302 condition-without-lock."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.linked.condition_uses import Use
from racelint.program.objects.spelling import spelled
from racelint.rules.base import Rule, symbol_of
from racelint.rules.lock_names import lock_subject


class ConditionWithoutLock(Rule):
    """A condition is waited for or notified without its lock.

    ## What it does
    Reports `wait`, `wait_for`, `notify` and `notify_all` where the condition's lock is certainly not held, neither by
    the function nor by its callers.

    ## Why is this bad?
    It raises RuntimeError at run time. The lock is what ties the notification to the change that it tells of.

    ## Example
    ```python
    from threading import Condition

    changed = Condition()
    rows = []


    def put(row):
        with changed:
            rows.append(row)
        changed.notify()  # RL302
    ```

    ## Use instead
    ```python
    from threading import Condition

    changed = Condition()
    rows = []


    def put(row):
        with changed:
            rows.append(row)
            changed.notify()
    ```

    ## How it is confirmed
    The call raises RuntimeError ("cannot notify on un-acquired lock") on the first run.

    ## Known limits
    A function that nobody in the scanned code calls may be called with the lock held, where its class hands the lock
    out: such a one is left alone.
    """

    code = "RL302"
    name = "condition-without-lock"
    since = "0.1.0"
    severity = "error"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        for use in program.conditions.all:
            if program.conditions.holds(use) is not False or _hands_lock_out(program, use):
                continue
            name = spelled(use.path, program.stores.facts[use.function.id])
            here = program.flows.of(use.function).at(use.call.id)
            yield self.finding(
                use.function,
                use.call.span,
                message=f"`{name}.{use.method}()` is called without the condition's lock",
                why=f"`{symbol_of(use.function)}` has not taken it{_callers(program, use)}: it raises RuntimeError",
                subject=lock_subject(use.lock, use.function, name),
                confidence="high" if use.lock.location in here.dropped or not _public(program, use) else "medium",
            )


def _public(program: Program, use: Use) -> bool:
    """Whether users of the program may call the function, and know that they must hold the lock."""
    return any(context.parent is None for context in program.reach.of(use.function))


def _callers(program: Program, use: Use) -> str:
    """Who comes there without it."""
    for context in program.reach.of(use.function):
        if context.parent is not None and not any(lock.location == use.lock.location for lock in context.held):
            return f" when `{symbol_of(context.parent.function)}` calls it"
    return ""


def _hands_lock_out(program: Program, use: Use) -> bool:
    """The class lets its users take the lock: they may well have done so."""
    cls = use.function.cls
    if cls is None or not _public(program, use):
        return False
    for method in (m for owner in cls.mro for m in owner.own.values()):
        if method.ir.name in ("acquire", "__enter__", "lock") or method.is_property or method.is_contextmanager:
            effect = program.flows.effect(method)
            held = {hold.lock.location for hold in effect.held} | effect.perhaps
            returned = (
                program.locks.of(path, method) for n in program.stores.facts[method.id].returns for path in n.value
            )
            if use.lock.location in held or any(r is not None and r.location == use.lock.location for r in returned):
                return True
    return False
