"""What decides that an outcome is wrong, in order of trust: exception, deadlock or hang, state no serial order gives.

Serializability against the serial orders of the same scenario (Papadimitriou 1979; Wang and Stoller's atomicity).
"""

from __future__ import annotations

from typing import Any

from .outcome import Outcome
from .snapshot import text_of

HANGS_BY_ITSELF = frozenset(
    [
        "RL201",
        "RL203",
        "RL205",
        "RL206",
        "RL207",
        "RL210",
        "RL305",
        "RL306",
        "RL307",
        "RL506",
        "RL507",
        "RL607",
    ]
)
"""Rules whose defect can hang every order of a scenario, the serial ones included."""

GUARDING = frozenset(["RL206", "RL207", "RL208"])
"""Rules about a lock that guards nothing: what they are about is all that it should guard."""

REFUSED = frozenset(["RL202", "RL208", "RL302", "RL307"])
"""Rules about code that goes on without the lock that it was refused."""

RELEASE_REFUSED = ("release unlocked lock", "release un-acquired lock", "released too many times")
"""What a lock or semaphore says that is released by who does not hold it."""

HANGS_WAITERS = frozenset({"RL303", "RL304"})
"""Rules whose defect hangs who waits first, or last: where every order hangs, nobody gives what is waited for."""

HANGS_IN_SOME_ORDER = frozenset({"RL703"})
"""Rules whose defect hangs a serial order while another ends: nobody wakes the loop up."""

WAITS_IN_VAIN = HANGS_WAITERS | {"RL305", "RL306", "RL307"}
"""Rules about threads that wait for each other: nobody else is to come."""

OF_WAITERS = frozenset({"RL301"})
"""Rules about waits that do not test their condition again."""

OF_CIRCLES = frozenset({"", "RL204"})
"""Asked about circles of locks, or about whatever goes wrong: such a circle is wrong whatever else comes up."""

OF_FORKS = frozenset({"RL606"})
"""Rules about locks that a thread holds when the process is forked: the child waits for them for ever."""

OF_PAIRS = frozenset({"RL103"})
"""Rules about two accesses under locks that do not meet: what goes wrong without one of them is another matter."""

OF_ITERATION = frozenset({"RL106"})
"""Rules about loops whose container must not change from the first turn to the last."""

ITERATION = "during iteration"
"""What CPython says of a dict, set or deque that was changed so."""

CREATOR_FIRST = frozenset({"RL109"})
"""Rules about threads that raise because an object is not complete: right is what comes if its creator goes first."""

DECISIVE = {"RL109": ("exception",), "RL606": ("deadlock", "hang")}
"""Effects that are wrong by what a rule says, whatever comes up without the race; others say nothing for it."""

CREATED_FIRST = frozenset({"RL505"})
"""Rules about variables that have changed when a thread reads them: right is what comes if it runs when it starts."""


def is_right_order(code: str, order: tuple[int, ...]) -> bool:
    """Whether what a serial order gives is right by what a rule says; `order` are threads in the order of creation."""
    if code in CREATOR_FIRST:
        return list(order) == sorted(order)
    return code not in CREATED_FIRST or list(order) == sorted(order, reverse=True)


class Baseline:
    """The outcomes that are right because some order without a race gives them. What it knows it never forgets."""

    def __init__(self) -> None:
        self.outcomes: dict[Any, Outcome] = {}
        self._loose: tuple[set[Any], set[Any]] = (set(), set())
        self.raised: set[str] = set()
        self.completes = False
        self.hangs = False
        self.holds = False
        self.stale: set[str] = set()
        self._left: dict[str, int] = {}
        self._started = 0

    def add(self, outcome: Outcome) -> None:
        self._started = max(self._started, outcome.started)
        for kind, texts in outcome.left.items():
            self._left[kind] = max(self._left.get(kind, 0), len(texts))
        self.stale.update(outcome.stale)
        if outcome.key in self.outcomes or fails_for_going_on(outcome):
            return
        self.outcomes[outcome.key] = outcome
        for loose, key in zip(self._loose, outcome.unordered_keys(), strict=True):
            loose.add(key)
        self.raised.update(kind for _, kind in outcome.raised)
        self.completes = self.completes or not outcome.hang
        self.hangs = self.hangs or bool(outcome.hang)
        self.holds = self.holds or outcome.invariant

    def without_early_waiters(self) -> Baseline:
        """The same without orders in which a waiter goes on too early and leaves a state that no other order leaves.

        A notification that wakes all waiters does so in a serial order, too.
        """
        known = list(self.outcomes.values())
        states = {outcome.state for outcome in known if not outcome.stale}
        kept = [outcome for outcome in known if not outcome.stale or outcome.state in states]
        if not states or len(kept) == len(known):
            return self
        fresh = Baseline()
        for outcome in kept:
            fresh.add(outcome)
        return fresh

    def speaks_of(self, outcome: Outcome, code: str) -> bool:
        """Whether serial orders say what is right for it: nobody is refused a lock in them.

        Where the rule is about loops, what raises for another reason is another defect.
        """
        if code in OF_ITERATION and self._raises_anew(outcome) and not _says(outcome, (ITERATION,)):
            return False
        return not outcome.refused or bool(outcome.hang) or code in REFUSED

    def _raises_anew(self, outcome: Outcome) -> bool:
        return not {kind for _, kind in outcome.raised} <= self.raised

    def knows(self, outcome: Outcome) -> bool:
        if outcome.known_to is self:
            return True
        known = outcome.key in self.outcomes and not self.leaks(outcome)
        if known:
            outcome.known_to = self
        return known

    def tells(self, outcome: Outcome) -> bool:
        """Whether the operations of some serial order returned and raised the same."""
        return any(known.told == outcome.told for known in self.outcomes.values())

    def answers(self, outcome: Outcome) -> bool:
        """Whether each operation returned or raised the same in some serial order, if not all in one.

        Where threads in the background have their say, what operations answer together is a matter of time, too.
        """
        return set(outcome.asked) <= {part for known in self.outcomes.values() for part in known.asked}

    def leaks(self, outcome: Outcome) -> bool:
        """Whether more is left of something than in any serial order; of threads, more than any of them starts."""
        return any(
            len(texts) > (self._started if kind == "thread" else self._left.get(kind, 0))
            for kind, texts in outcome.left.items()
        )

    def differs_in_order_only(self, outcome: Outcome) -> bool:
        return any(key in loose for loose, key in zip(self._loose, outcome.unordered_keys(), strict=True))

    def goes_on_too_early(self, outcome: Outcome) -> bool:
        """Whether a waiter acts on a condition that does not hold, as in no serial order."""
        return bool(set(outcome.stale) - self.stale)

    def effect(self, outcome: Outcome) -> str:
        """Why an outcome that is not known is wrong: an `Effect`, "order" if it is harmless, "" if it says nothing."""
        if outcome.hang == "steps":
            return ""
        if self._raises_anew(outcome):
            return "exception"
        if outcome.hang and not self.hangs:
            return "deadlock" if outcome.cycle else "hang"
        if (not outcome.invariant and self.holds) or self.goes_on_too_early(outcome):
            return "invariant"
        if self.leaks(outcome):
            return "leak"
        if self.differs_in_order_only(outcome):
            return "order"
        if outcome.hang and not any(known.blocked == outcome.blocked for known in self.outcomes.values()):
            return "deadlock" if outcome.cycle else "hang"
        return "not-serializable"


def fails_for_going_on(outcome: Outcome) -> bool:
    """Whether something is raised where a waiter went on although what it waited for had not come."""
    return bool(outcome.stale and outcome.raised)


def releases_unheld(outcome: Outcome) -> bool:
    """Whether something is raised by the release of a lock that is not held, in the words of the standard library."""
    return _says(outcome, RELEASE_REFUSED)


def _says(outcome: Outcome, words: tuple[str, ...]) -> bool:
    """Whether one of the texts is in what an operation raised."""
    raised = [text_of(tree) for label, tree in outcome.told if label.endswith(" raised")]
    return any(one in text for text in raised for one in words)


def hang_in_baseline(baseline: Baseline, code: str, is_program: bool) -> Outcome | None:
    """A hang that needs no race: every order of a program hangs, or the rule that asked is about hangs.

    A thread that was started to serve, and was not told to stop, is none; what waits in vain for other threads may be.
    """
    known = baseline.outcomes.values()
    hung = [one for one in known if one.hang not in ("", "steps") and not (one.serves and _may_serve(one, code))]
    if not hung:
        return None
    if code in HANGS_BY_ITSELF or (is_program and (not code or code in HANGS_WAITERS)):
        return hung[0]
    return hung[0] if code in HANGS_IN_SOME_ORDER | HANGS_WAITERS and baseline.completes else None


def _may_serve(outcome: Outcome, code: str) -> bool:
    return outcome.hang == "spins" or code not in WAITS_IN_VAIN


def own_effect(outcome: Outcome) -> str:
    """What is wrong with an outcome whatever the others are, "" for nothing."""
    if outcome.hang == "steps":
        return ""
    if outcome.hang:
        return "deadlock" if outcome.cycle else "hang"
    if outcome.raised:
        return "exception"
    return "" if outcome.invariant else "invariant"
