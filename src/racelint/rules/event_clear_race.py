"""RL308 event-clear-race."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Confidence, Evidence, Finding, Step
from racelint.program import Program
from racelint.program.objects.spelling import spelled
from racelint.program.waiting.early_wakeups import EarlyWakeup, EarlyWakeups
from racelint.program.waiting.event_races import EventRace, EventRaces, EventUse
from racelint.program.waiting.kept_signals import KeptSignal, KeptSignals
from racelint.program.waiting.late_callbacks import LateCallback, LateCallbacks
from racelint.program.waiting.lost_stops import LostStop, LostStops
from racelint.program.waiting.reused_events import ReusedEvent, ReusedEvents
from racelint.program.waiting.stale_signals import StaleSignal, StaleSignals
from racelint.program.waiting.undone_stops import UndoneStop, UndoneStops
from racelint.rules.base import Rule, step, symbol_of


class EventClearRace(Rule):
    """An event is cleared, or set, on the strength of what it was a moment ago.

    ## What it does
    Reports `clear()` after the data that the event tells of was looked at, and `is_set()` followed by `set()` or
    `clear()` in code that several threads run. So is a stop event that is cleared to start the next thread, where
    nobody joins the one before, and one that the thread itself clears when it begins; a plain flag that the thread
    itself sets when it begins, and others take back to stop it, is the same. So is an event that is set before
    what the thread that it wakes looks at is stored, where that thread then clears it and waits again, and one that is
    set by what was found a moment ago, while another thread clears the event and changes that. So is a wait that ends
    with `clear()` below a return which leaves the event as it is, and a callback that is called after a loop which its
    thread has left by another way than by the look at its stop event.

    ## Why is this bad?
    What is put in and signalled between the look and the `clear()` is forgotten: the signal is wiped out, the next
    `wait()` waits although there is something to do. And what two threads ask at once, both find.

    ## Example
    ```python
    from threading import Event


    class Inbox:
        def __init__(self):
            self.fresh = Event()
            self.letters = []

        def add(self, letter):
            self.letters.append(letter)
            self.fresh.set()

        def take(self):
            self.fresh.wait()
            letters = list(self.letters)
            self.fresh.clear()  # RL308
            return letters
    ```

    ## Use instead
    ```python
    from queue import SimpleQueue


    class Inbox:
        def __init__(self):
            self.letters = SimpleQueue()

        def add(self, letter):
            self.letters.put(letter)

        def take(self):
            return self.letters.get()
    ```

    ## How it is confirmed
    The other thread puts and sets just before the `clear()`: there is something to take, and the event is not set,
    which no serial order gives. For a stop that is not heard, a thread is started and told to stop, and the next one
    started where the event is cleared for it: the first never ends, though it does where it has had time in between.

    ## Known limits
    `wait()`, `clear()` and then the look is right for one waiting thread and is not reported, nor is data that is
    looked at again after the `clear()`.
    """

    code = "RL308"
    name = "event-clear-race"
    since = "0.1.0"
    severity = "warning"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        races = EventRaces(program)
        for found in races.found():
            use = found.use
            name = spelled(use.call.func[0][:-1], program.stores.facts[use.function.id])
            message, why = (_late if found.kind == "late" else _asked)(found, name)
            steps = [step("access", f"asks `{name}`", found.first.function, found.first.call.span)]
            if found.read is not None and found.setter is not None:
                read, setter = found.read, found.setter
                steps.append(step("access", f"looks at `{read.location.short}`", read.function, read.span))
                words = f"`{symbol_of(setter.function)}` sets it"
                steps.append(step("conflict", words, setter.function, setter.call.span))
            sure: Confidence = "low" if found.timed else "medium" if found.kind == "late" else "high"
            yield self.finding(
                use.function,
                use.call.span,
                message=message,
                why=why,
                subject=str(use.place),
                confidence=sure,
                trace=[*steps, step("access", f"then calls `{use.method}()`", use.function, use.call.span)],
            )

        for reused in ReusedEvents(program).found():
            yield self._reused(reused, program)
        for undone in UndoneStops(program).found():
            yield self._undone(undone, program)
        for lost in LostStops(program).found():
            yield self._lost(lost)
        for late in LateCallbacks(program, races.by_function).found():
            yield self._called_late(late, program)
        for stale in StaleSignals(program, races.by_function).found():
            yield self._stale(stale, program)
        for kept in KeptSignals(program, races.by_function).found():
            yield self._kept(kept, program)
        for early in EarlyWakeups(program, races.by_function).found():
            yield self._early(early, program)

    def _at(
        self, use: EventUse, *, message: str, why: str, trace: list[Step], evidence: Evidence | None = "thread"
    ) -> Finding:
        """What is said of one use of an event."""
        return self.finding(
            use.function,
            use.call.span,
            message=message,
            why=why,
            subject=str(use.place),
            confidence="medium",
            evidence=evidence,
            trace=trace,
        )

    def _reused(self, reused: ReusedEvent, program: Program) -> Finding:
        clear, look, stop = reused.clear, reused.look, reused.stop
        name = spelled(clear.call.func[0][:-1], program.stores.facts[clear.function.id])
        return self._at(
            clear,
            message=f"`{name}` is cleared for a new thread, and the one before may not have seen it yet",
            why=f"`{symbol_of(stop.function)}` sets it and joins nobody: a `{symbol_of(reused.root.target)}` that looks"
            f" after the `clear()` (line {look.call.span[0]}) goes on beside the new one: make a new Event for each",
            evidence=None,
            trace=[
                step("access", "clears the event", clear.function, clear.call.span),
                step("conflict", "the thread looks at it to end", look.function, look.call.span),
                step("access", "sets it, and joins nobody", stop.function, stop.call.span),
            ],
        )

    def _stale(self, stale: StaleSignal, program: Program) -> Finding:
        setter, clear, waiter = stale.setter, stale.clear, stale.waiter
        name = spelled(setter.call.func[0][:-1], program.stores.facts[setter.function.id])
        what = stale.look.access.location.short
        return self._at(
            setter,
            message=f"`{name}` is set by what `{what}` was before another thread changed it",
            why=f"`{symbol_of(clear.function)}` may clear the event and change it in between: the event stays set,"
            f" and `{symbol_of(waiter.function)}` goes by it alone; look and set under one lock",
            trace=[
                step("access", f"looks at `{what}`", stale.look.access.function, stale.look.access.span),
                step("conflict", "clears the event", clear.function, clear.call.span),
                step("conflict", f"changes `{what}`", stale.change.access.function, stale.change.access.span),
                step("access", "sets the event", setter.function, setter.call.span),
            ],
        )

    def _kept(self, kept: KeptSignal, program: Program) -> Finding:
        waiter, setter, look = kept.waiter, kept.setter, kept.look.access
        name = spelled(waiter.call.func[0][:-1], program.stores.facts[waiter.function.id])
        return self._at(
            waiter,
            message=f"`{name}` may be set still from a time when nobody had to wait for it",
            why=f"`{symbol_of(setter.function)}` may set it just before `{look.location.short}` is looked at: the"
            f" function returns on line {kept.left.span[0]} without `clear()`, and the next wait is over at once",
            trace=[
                step("conflict", f"changes `{look.location.short}`", setter.function, kept.change.access.span),
                step("conflict", "sets the event", setter.function, setter.call.span),
                step("access", f"looks at `{look.location.short}`", look.function, look.span),
                step("access", "waits for the next one", waiter.function, waiter.call.span),
            ],
        )

    def _early(self, early: EarlyWakeup, program: Program) -> Finding:
        setter, stored, waiter, clear = early.setter, early.stored, early.waiter, early.clear
        name = spelled(setter.call.func[0][:-1], program.stores.facts[setter.function.id])
        what = spelled(stored.path, program.stores.facts[stored.function.id])
        line = clear.call.span[0]
        return self._at(
            setter,
            message=f"`{name}` is set before `{what}`, which the woken thread looks at, is stored",
            why=f"`{symbol_of(waiter.function)}` wakes up, clears the event (line {line}), finds `{what}` as it was and"
            f" waits again: nobody sets the event after line {stored.span[0]}",
            trace=[
                step("access", "sets the event", setter.function, setter.call.span),
                step("conflict", "wakes up, and clears it", waiter.function, clear.call.span),
                step("conflict", f"looks at `{what}`", waiter.function, early.asked.span),
                step("access", f"stores `{what}`", stored.function, stored.span),
            ],
        )

    def _undone(self, undone: UndoneStop, program: Program) -> Finding:
        begin, look, stop = undone.begin, undone.look, undone.stop
        name = spelled(begin.call.func[0][:-1], program.stores.facts[begin.function.id])
        done, undo = ("cleared", "clears") if begin.method == "clear" else ("set", "sets")
        ends = {"clears": "sets", "sets": "clears"}[undo]
        return self._at(
            begin,
            message=f"`{name}` is {done} by the thread that it stops: a stop before that is not heard",
            why=f"`{symbol_of(stop.function)}` {ends} it, perhaps between the start of the thread and this line: the"
            f" loop on line {look.call.span[0]} then goes on for ever; do this before the start",
            trace=[
                step("root", f"{undone.root.title} runs this", begin.function, begin.function.ir.name_span),
                step("conflict", f"{ends} the event", stop.function, stop.call.span),
                step("access", f"{undo} it", begin.function, begin.call.span),
                step("access", "looks at it to end", look.function, look.call.span),
            ],
        )

    def _called_late(self, late: LateCallback, program: Program) -> Finding:
        look, stop = late.look, late.stop
        facts = program.stores.facts[late.function.id]
        name, event = spelled(late.call.func[0], facts), spelled(look.call.func[0][:-1], facts)
        calls = f"calls what `{symbol_of(late.giver)}` took as `{late.name}`"
        return self.finding(
            late.function,
            late.call.span,
            message=f"`{name}` is called with no look at `{event}` since the loop was left for something else",
            why=f"`{symbol_of(stop.function)}` may have set it in the same turn: who stops the thread and brings about"
            " himself what it waits for is called back all the same",
            subject=str(look.place),
            confidence="medium",
            evidence="thread",
            trace=[
                step("root", f"{late.root.title} comes here", late.root.target, late.root.target.ir.name_span),
                step("access", "the loop ends the thread where it is set", late.function, look.call.span),
                step("conflict", "sets it", stop.function, stop.call.span),
                step("call", calls, late.function, late.call.span),
            ],
        )

    def _lost(self, lost: LostStop) -> Finding:
        begin, look, stop = lost.begin, lost.look, lost.stop
        name, by, line = begin.location.short, symbol_of(stop.function), look.span[0]
        then = (
            f"finds on line {line} that nothing runs, and the thread then goes on for ever"
            if lost.asked
            else f"takes it back for nothing, and the loop on line {line} then goes on for ever"
        )
        looks = "looks whether the thread runs" if lost.asked else "the thread looks at it to end"
        return self.finding(
            begin.function,
            begin.span,
            message=f"`{name}` is set by the thread that it stops: a stop before that is not heard",
            why=f"between the start of the thread and this line `{by}` {then}; set it before the start",
            subject=str(begin.location),
            confidence="medium",
            evidence="thread",
            trace=[
                step("root", f"{lost.root.title} runs this", begin.function, begin.function.ir.name_span),
                step("conflict", f"`{by}` takes it back", stop.function, stop.span),
                step("access", f"sets `{name}`", begin.function, begin.span),
                step("access", looks, look.function, look.span),
            ],
        )


def _late(found: EventRace, name: str) -> tuple[str, str]:
    assert found.read is not None and found.setter is not None
    what, line = found.read.location.short, found.read.span[0]
    return (
        f"`{name}.clear()` wipes out a signal that came since `{what}` was looked at",
        f"`{symbol_of(found.setter.function)}` may change it and set the event after line {line}: the next wait "
        "waits all the same",
    )


def _asked(found: EventRace, name: str) -> tuple[str, str]:
    method = found.use.method
    return (
        f"several threads may pass `{name}.is_set()` before one of them comes to `{method}()`",
        f"`{symbol_of(found.use.function)}` runs in parallel with itself, and no lock spans lines "
        f"{found.first.call.span[0]} and {found.use.call.span[0]}: all of them go on",
    )
