"""RL110 guarded-reference-escape."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Confidence, Finding
from racelint.model.summary import Return
from racelint.program import Program
from racelint.program.races.escaping_references import EscapingReference, EscapingReferences
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.race_report import runner, shown, subject


class GuardedReferenceEscape(Rule):
    """A mutable container that a lock guards is handed out itself, or as a view that follows it.

    ## What it does
    Reports a public method or function that returns a list, dict, set or deque guarded by a lock (or its `keys()`,
    `values()`, `items()`, an iterator over it), or stores it in another object, where it is changed in place under
    that lock. A live view is reported without any lock, too, where a thread of the program resizes the container.

    ## Why is this bad?
    The lock ends with the method; the caller reads and iterates the live container without it, while others change it.
    The usual symptom is `RuntimeError: dictionary changed size during iteration`, in code that owns no lock.

    ## Example
    ```python
    import threading


    class Members:
        def __init__(self):
            self._lock = threading.Lock()
            self._names = set()

        def join(self, name):
            with self._lock:
                self._names.add(name)

        def names(self):
            with self._lock:
                return self._names  # RL110
    ```

    ## Use instead
    ```python
    import threading


    class Members:
        def __init__(self):
            self._lock = threading.Lock()
            self._names = set()

        def join(self, name):
            with self._lock:
                self._names.add(name)

        def names(self):
            with self._lock:
                return set(self._names)
    ```

    ## How it is confirmed
    It is not: the defect shows in what callers do with the container.

    ## Known limits
    Containers that are swapped for a new one in the same function are nobody else's and fine. Elements that are
    themselves mutable, and containers passed to a callback, are not followed.
    """

    code = "RL110"
    name = "guarded-reference-escape"
    since = "0.1.0"
    severity = "warning"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        found = EscapingReferences(program).all()
        for escape in sorted(found, key=lambda e: (e.function.order, e.node.span, e.location)):
            changed = escape.changed.access
            yield self.finding(
                escape.function,
                escape.node.span,
                message=_message(escape),
                why=_why(escape),
                subject=subject(escape.location),
                confidence=_confidence(escape),
                evidence=escape.evidence,
                trace=(
                    step("access", f"hands out `{shown(escape.location)}`", escape.function, escape.node.span),
                    step(
                        *("conflict", f"changes `{shown(escape.location)}`", changed.function, changed.span),
                        (escape.guard.attribute,) if escape.guard is not None else (),
                    ),
                ),
            )


def _message(escape: EscapingReference) -> str:
    what = "" if escape.shape == "itself" else "a live view of "
    verb = "returned" if isinstance(escape.node, Return) else "stored elsewhere"
    if escape.guard is None:
        return f"{what}`{shown(escape.location)}` is {verb}, while a thread goes on changing it"
    return f"{what}`{shown(escape.location)}` is {verb}, out of reach of `{escape.guard.attribute}`"


def _why(escape: EscapingReference) -> str:
    changed = escape.changed.access
    if escape.guard is None:
        line = changed.span[0]
        return f"{runner(escape.changed)} resizes it at line {line}, and who got it goes through it: hand out a copy"
    return (
        f"`{symbol_of(changed.function)}` changes it in place at line {changed.span[0]} "
        f"with `{escape.guard.attribute}` held, and who got it here reads it without: hand out a copy"
    )


def _confidence(escape: EscapingReference) -> Confidence:
    """A lock with a public name is there for callers to take."""
    if escape.guard is None:
        return "high"
    return "high" if escape.guard.attribute.startswith("_") else "medium"
