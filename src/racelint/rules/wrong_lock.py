"""RL103."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from racelint.model.finding import Confidence, Finding, Severity
from racelint.program import Program
from racelint.program.calling.calls import CallSite
from racelint.program.flow.values import event_span
from racelint.program.lock_use.dummy_locks import DummyLock, DummyLocks
from racelint.program.names.index import FunctionInfo
from racelint.program.races.suspects import Suspect
from racelint.rules.base import Rule, step, symbol_of
from racelint.rules.race_report import findings, foreign_locks, shown, suspects_of


class WrongLock(Rule):
    """Every access holds a lock, but not the same one.

    ## What it does
    Finds locations whose accesses hold different locks: two locks of one class, a lock per instance for state that the
    class or module shares, a lock that each caller passes in. So is a dummy: objects that are made with one in place of
    their lock, as a parameter has it, and kept where a thread uses them that the program starts, and others too.

    ## Why is this bad?
    Two threads that hold two different locks do not exclude each other: the critical sections overlap. A dummy excludes
    nobody.

    ## Example
    ```python
    import threading

    class Registry:
        def __init__(self):
            self.read_lock = threading.Lock()
            self.write_lock = threading.Lock()
            self.count = 0

        def add(self):
            with self.write_lock:
                self.count += 1  # RL103

        def drop(self):
            with self.read_lock:
                self.count -= 1
    ```

    ## Use instead
    ```python
    import threading

    class Registry:
        def __init__(self):
            self.lock = threading.Lock()
            self.count = 0

        def add(self):
            with self.lock:
                self.count += 1

        def drop(self):
            with self.lock:
                self.count -= 1
    ```

    ## How it is confirmed
    The two critical sections run on two threads; an outcome that no serial order gives is the proof.

    ## Known limits
    Locks chosen by a key (`locks[key]`) are taken to be the right ones.
    """

    code: ClassVar[str] = "RL103"
    name: ClassVar[str] = "wrong-lock"
    since: ClassVar[str] = "0.1.0"
    severity: ClassVar[Severity] = "error"
    confirmable: ClassVar[bool] = True

    def check(self, program: Program) -> Iterator[Finding]:
        yield from findings(self, suspects_of(program, "wrong-lock"), _message, _confidence)
        for dummy in DummyLocks(program).found():
            yield self._kept_by_nobody(dummy)

    def _kept_by_nobody(self, found: DummyLock) -> Finding:
        option, site, mine, other = found.option, found.site, found.mine, found.other
        lock, place = f"{option.cls.name}.{option.attribute}", found.place.short
        return self.finding(
            site.caller,
            event_span(site.caller, site.event),
            message=f"`{lock}` of `{place}` is a `{option.dummy}`, which keeps nobody out, and two threads use that",
            why=f"`{option.name}` is {'true' if option.truth else 'false'} here: {found.root.title} and"
            f" `{symbol_of(other.caller)}` may be in the sections of `{lock}` at once",
            subject=str(found.place),
            confidence="medium",
            severity="warning",
            evidence="thread",
            trace=[
                step("lock", f"`{place}` is made with a `{option.dummy}`", site.caller, event_span(*_at(site))),
                step("root", f"{found.root.title} is a thread", found.root.target, found.root.target.ir.name_span),
                step("access", f"calls `{symbol_of(mine.callee)}`", mine.caller, event_span(*_at(mine))),
                step("conflict", f"calls `{symbol_of(other.callee)}`", other.caller, event_span(*_at(other))),
            ],
        )


def _at(site: CallSite) -> tuple[FunctionInfo, int]:
    return site.caller, site.event


def _message(suspect: Suspect) -> str:
    name = shown(suspect.group.location)
    if suspect.record.foreign:
        return f"`{name}` is changed under {foreign_locks(suspect.record)}, of which another thread may hold another"
    return f"`{name}` is changed under a different lock than elsewhere"


def _confidence(suspect: Suspect) -> Confidence:
    return "high" if suspect.evidence == "thread" else "medium"
