"""The search: serial orders, directed windows, iterative preemption bounding, a random tail."""

from __future__ import annotations

from _random import Random  # the module `random` belongs to the target
from collections.abc import Iterator
from typing import Any

from . import points
from . import sites as kinds
from .access_log import AccessLog
from .control import Control
from .counterfactual import Counterfactual
from .found import Found
from .known import Known
from .loader import InstrumentingFinder
from .oracle import (
    CREATED_FIRST,
    DECISIVE,
    GUARDING,
    HANGS_IN_SOME_ORDER,
    OF_CIRCLES,
    OF_FORKS,
    OF_ITERATION,
    OF_PAIRS,
    OF_WAITERS,
    REFUSED,
    Baseline,
    fails_for_going_on,
    hang_in_baseline,
    is_right_order,
    own_effect,
    releases_unheld,
)
from .order import Order
from .other_schedulers import switching
from .outcome import Outcome
from .policies import PlanPolicy, RandomPolicy, SerialPolicy
from .strategies.bounded import Frontier
from .strategies.serial import serial_orders
from .subject import Subject
from .tasks import Policy

SLOW_IMPORT = 0.2
"""Seconds that the first execution takes where much is imported."""

OF_STATE = ("not-serializable", "lost-update")
MAX_TURNS = 24
SITES_OF_ACCESS = frozenset(
    {kinds.READ, kinds.WRITE, kinds.ITEM_READ, kinds.ITEM_WRITE, kinds.CALL, kinds.NAME_READ, kinds.NAME_WRITE}
)
MAX_LOGS = 12
MAX_UNMARKED = 10
DIRECTED_SHARE = 400


class Search:
    """All the executions of one job that look for a wrong outcome."""

    def __init__(
        self, subject: Subject, control: Control, finder: InstrumentingFinder, job: dict[str, Any], clock: Any
    ) -> None:
        self.subject = subject
        self.control = control
        self.finder = finder
        self.table = finder.table
        self.budget = job["budget"]
        self.flagged = job["scenario"].get("flagged") or []
        self.code = job["scenario"].get("code") or ""
        self.counts = points.LoopCounts()
        self.clock = clock
        self.started = clock()
        self.schedules = 0
        self.bound_exhausted = -1
        self.baseline = Baseline()
        self.plain: Outcome | None = None
        self.coarse: Counterfactual | None = None
        self.order: Outcome | None = None
        self.explained = False
        self.open: dict[Any, Outcome] = {}
        self.cut = 0
        self.hot = self.all_hot = [0] * len(self.table)
        self.order_of_events = Order(finder.table)
        self.known = Known(self.order_of_events)
        finder.on_compiled = self._grow
        self._marks: dict[str, Any] = {}
        self._marks_for: list[int] | None = None
        self.logged: set[int] = set()
        self.flagged_sites: set[int] = set()
        self.region_sites: set[int] = set()
        self.events: dict[int, int] = {}
        self.conflicting: set[int] = set()
        self.shared: set[int] = set()
        self.threads = 0
        self.complete = False
        self.unmet = ""
        self.refuted: Outcome | None = None
        self._has_doubts = False

    # Budget

    def seconds(self) -> float:
        elapsed: float = self.clock() - self.started
        return elapsed

    def spent(self, share: float = 1.0) -> bool:
        late = self.seconds() > self.budget["seconds"] * share
        return bool(late or self.schedules >= self.budget["schedules"] * share)

    # One execution

    def run(self, policy: Policy, helpers: points.Marks, known: Known | None = None) -> Outcome:
        self.schedules += 1
        return self.subject.execute(policy, helpers, known)

    def run_fast(self, policy: Policy, known: Known | None) -> Outcome:
        """One of many: an execution whose order is `known` is not looked at again."""
        self.schedules += 1
        if self._marks_for is not self.hot:
            self._marks_for = self.hot
            self._marks = points.fast(self.control, self.hot, self.counts)
        return self.subject.execute(policy, self._marks, known)

    def run_logged(self, policy: Policy) -> tuple[Outcome, AccessLog]:
        log = AccessLog(self.control, self.table)
        self.schedules += 1
        outcome = self.subject.execute(policy, points.logging(self.control, self.hot, self.counts, log.note))
        return outcome, log

    # Phases

    def found(self) -> Iterator[Found]:
        """What is wrong, as it is found, until the budget ends."""
        self.serial()
        if self.unmet or self.wrong_by_itself() is not None:
            return
        for phase in (self._directed, self._bounded, self._random):
            yield from phase()
            if self.spent():
                return

    def _unmet(self) -> str:
        """Why the user's expression says nothing about interleavings, "" where it does: serial orders break it, too."""
        subject = self.subject
        if not subject.invariant:
            return ""
        if subject.unanswered:
            return f"the invariant `{subject.invariant}` raises {subject.unanswered}"
        if all(outcome.invariant for outcome in self.baseline.outcomes.values()):
            return ""
        return f"the invariant `{subject.invariant}` is false after the operations one after the other, too"

    def wrong_by_itself(self) -> Outcome | None:
        """An outcome that is wrong although no threads interleaved in it: see `oracle`."""
        if self.subject.is_own or self.refuted is not None:
            return self.refuted
        if self.code in CREATED_FIRST:
            return self.plain if self.plain is not None and self.differs(self.plain) else None
        return hang_in_baseline(self.baseline, self.code, self.subject.is_program)

    def differs(self, outcome: Outcome) -> str:
        """How an outcome differs from those that are right, "" where it does not."""
        effect = "" if self.baseline.knows(outcome) else self.baseline.effect(outcome)
        return effect if effect in ("exception", "not-serializable") else ""

    def serial(self) -> None:
        """The serial orders: the outcomes that are right, and the log that says which sites conflict."""
        self._grow()
        self.run_logged(SerialPolicy((0,)))
        self.counts.freeze()
        if self.seconds() > SLOW_IMPORT:
            # Once more for the record of the imported modules; the budget is for the search.
            self.run_logged(SerialPolicy((0,)))
            self.started = self.clock()
        logs = self._serial_orders()
        while self.counts.seen and self.counts.base < MAX_TURNS and not self._reaches_finding(logs):
            # Loops were shortened too much for the code of the finding to be reached.
            self.counts.base *= 2
            self.baseline = Baseline()
            logs = self._serial_orders()
        if self.code in OF_WAITERS:
            self.baseline = self.baseline.without_early_waiters()
        self.unmet = self._unmet()
        if self._has_doubts and not self.unmet:
            outcome, _ = self.run_logged(Policy())
            self.refuted = outcome if self.claimed_effect(outcome) else None
        self._heat(logs)

    def _serial_orders(self) -> list[AccessLog]:
        self.plain, log = self.run_logged(SerialPolicy((0,)))
        logs = [log]
        self.threads = len(self.control.tasks)
        if is_right_order(self.code, tuple(range(self.threads))):
            self._add(self.plain)
        for order, expire in serial_orders(self.subject.operations_of(self.threads)):
            if self.spent(0.3):
                break
            if not is_right_order(self.code, order):
                continue
            outcome, log = self.run_logged(SerialPolicy(order, expire))
            self._add(outcome)
            if len(logs) < MAX_LOGS:
                logs.append(log)
        return logs

    def _add(self, outcome: Outcome) -> None:
        """It is right, unless the user says what is, and it is wrong by that: where time passed it may be by design."""
        is_wrong = bool(self.claimed_effect(outcome))
        self._has_doubts = self._has_doubts or is_wrong
        if not is_wrong or self.control.clock:
            self.baseline.add(outcome)

    def claimed_effect(self, outcome: Outcome) -> str:
        """What is wrong with an outcome by what the user says of the whole, "" for nothing."""
        if self.subject.is_own:
            return own_effect(outcome)
        return "invariant" if self.subject.is_script and not outcome.invariant else ""

    def _reaches_finding(self, logs: list[AccessLog]) -> bool:
        """Whether each flagged line was reached, of those in functions that run at all."""
        visited = set().union(*(log.visited for log in logs))
        scopes = {(self.table[site].path, self.table[site].scope) for site in visited}
        sites = [self.table[number] for number in self._sites_of_finding()]
        accesses = [site for site in sites if (site.path, site.scope) in scopes and site.kind in SITES_OF_ACCESS]
        return all(kinds.lines_reached(accesses, visited).values())

    def _grow(self) -> None:
        """Files are compiled when they are imported: sites are added, in place, for marks that hold the array."""
        missing = len(self.table) - len(self.hot)
        if missing > 0:
            self.hot.extend([int(bool(self.logged))] * missing)

    def _heat(self, logs: list[AccessLog]) -> None:
        """Mark the conflicting sites hot, and find the sites of the finding and of what it is about."""
        conflicting: set[int] = set()
        about: set[int] = set()
        locking: set[int] = set()
        for log in logs:
            self.logged |= log.visited
            for location, accesses in log.conflicts().items():
                sites = {access.site for access in accesses}
                conflicting |= sites
                if location[0] == "lock":
                    locking |= sites
            self.shared |= log.shared_sites()
            for access in log.accesses:
                self.events[access.task] = self.events.get(access.task, 0) + (access.site in conflicting)
        if any(self.table[site].kind == kinds.ADVANCE for site in conflicting):
            # Who is inside of a shared generator can be interrupted there.
            conflicting.update(site.number for site in self.table.sites if site.kind == kinds.YIELD)
        self.conflicting = conflicting
        self.flagged_sites = self._sites_of_finding()
        for log in logs:
            places = {access.location for access in log.accesses if access.site in self.flagged_sites}
            about.update(access.site for access in log.accesses if access.location in places)
        self._grow()
        for site in conflicting:
            self.hot[site] = 1
        # Code that no serial order reached may hold conflicts too; a fork conflicts with all that others do.
        for site in range(1, len(self.table)):
            if site not in self.logged or self.code in OF_FORKS:
                self.hot[site] = 1
        self.region_sites = about & conflicting or about or conflicting
        if self.code in GUARDING:
            # Who is refused a lock and leaves it at that is right: taking it is no part of what it should guard.
            self.region_sites = conflicting - locking if self.code in REFUSED else conflicting
        elif self.code in OF_ITERATION:  # what is looked at before the loop begins is another matter
            self.region_sites = self.flagged_sites & conflicting or self.region_sites

    def _sites_of_finding(self) -> set[int]:
        lines = {(flag["path"], flag["line"]) for flag in self.flagged}
        exact = {site.number for site in self.table.sites if (site.path, site.line) in lines}
        if exact:
            return exact
        return {
            site.number
            for site in self.table.sites
            if any(site.path == path and site.line <= line <= site.last_line for path, line in lines)
        }

    def comes_to_finding(self, visited: set[int]) -> bool:
        """Whether an execution made an access that the finding is about (all, of a pair), as far as they have sites."""
        reached = kinds.lines_reached([self.table[number] for number in self._sites_of_finding()], visited).values()
        return not reached or (all(reached) if self.code in OF_PAIRS else any(reached))

    def _directed(self) -> Iterator[Found]:
        """Windows at the flagged sites only (after RaceFuzzer: Sen, PLDI 2008)."""
        targets = {site for site in self.flagged_sites if self.hot[site]} or self.flagged_sites
        if not targets:
            return
        hot = [0] * len(self.hot)
        for site in targets:
            hot[site] = 1
        self.hot = hot
        try:
            limit = self.schedules + min(DIRECTED_SHARE, self.budget["schedules"] // 4)
            frontier = Frontier()
            for bound in (0, 1, 2):
                for plan in frontier.plans(bound):
                    if self.schedules >= limit or self.spent(0.4):
                        return
                    yield from self._try(plan, frontier, None)
        finally:
            self.hot = self.all_hot

    def _bounded(self) -> Iterator[Found]:
        """Iterative preemption bounding (Musuvathi and Qadeer, PLDI 2007)."""
        frontier = Frontier(self.order_of_events)
        for bound in range(self.budget["bound"] + 1):
            for plan in frontier.plans(bound):
                if self.spent(0.8):
                    return
                yield from self._try(plan, frontier, self.known)
            self.bound_exhausted = bound
            if frontier.is_empty() and not frontier.overflow:
                self.bound_exhausted = self.budget["bound"]
                self.complete = True
                break

    def _try(self, plan: dict[int, int], frontier: Frontier, known: Known | None) -> Iterator[Found]:
        policy = PlanPolicy(plan)
        self.known.states = None
        outcome = self.run_fast(policy, known)
        frontier.extend(plan, policy.trail, self.control.events, self.known.states)
        found = self.judge(outcome, plan, max(frontier.cost, len(plan)))
        if found is not None:
            yield found

    def _random(self) -> Iterator[Found]:
        if self.complete:
            return
        policy = RandomPolicy(Random(self.budget["seed"]), RandomPolicy.weights(self.events))
        while not self.spent():
            policy.restart()
            outcome = self.run_fast(policy, self.known)
            found = self.judge(outcome, policy.plan, None)
            if found is not None:
                yield found

    def out_of_control(self) -> list[str]:
        """What ran without yield points or was changed for the search, in words."""
        spoken = []
        for site, count in sorted(self.counts.seen.items()):
            place = self.table[site]
            turns = self.counts.turns(count)
            spoken.append(f"the loop of {count} turns at {place.path}:{place.line} ran {turns} turns")
        visited = {self.table[site].path for site in self.logged}
        past = [f"{name} at {path}:{line}" for path, line, name in self.table.unmarked if path in visited]
        spoken.extend(f"{text} is not seen by the scheduler" for text in past[:MAX_UNMARKED])
        spoken.extend(switching())
        spoken.append("C code and the standard library run without yield points")
        return spoken

    # Judgement

    def judge(self, outcome: Outcome, plan: dict[int, int], preemptions: int | None) -> Found | None:
        """None if the outcome is right, harmless, or not the doing of what was flagged.

        `preemptions` are those that it took; None if they are too many to ask the counterfactual before they are fewer.
        """
        if self.baseline.knows(outcome) or not self.baseline.speaks_of(outcome, self.code) or outcome.key in self.open:
            return None
        effect = self.baseline.effect(outcome)
        if self.code in DECISIVE:
            return Found(outcome, plan, effect, self.hot) if effect in DECISIVE[self.code] else None
        if effect == "order":
            self.order = self.order or outcome
            return None
        if not effect:
            self.cut += 1
            return None
        if effect in ("not-serializable", "leak") and not self.subject.compares:
            return None
        if effect in OF_STATE and outcome.unsettled and self.baseline.tells(outcome):
            return None  # how far threads in the background are by then is a matter of time
        if self.code in HANGS_IN_SOME_ORDER and effect not in ("deadlock", "hang", "exception"):
            return None  # what a thread in the background comes to is a matter of time
        if self._is_certain(outcome, effect):
            return Found(outcome, plan, effect, self.hot)
        explained = self.explains(outcome, preemptions)
        return None if explained else Found(outcome, plan, effect, self.hot, in_doubt=explained is None)

    def _is_certain(self, outcome: Outcome, effect: str) -> bool:
        """Whether it is wrong whatever comes up without the race."""
        if effect in ("invariant", self.claimed_effect(outcome)) or self.baseline.goes_on_too_early(outcome):
            return True
        if effect != "exception":
            return effect == "deadlock" and self.code in OF_CIRCLES
        return fails_for_going_on(outcome) or (self.code in REFUSED and releases_unheld(outcome))

    def explains(self, outcome: Outcome, preemptions: int | None) -> bool | None:
        """The counterfactual: with the region made atomic, does the outcome still come up? None if that is open."""
        if self.coarse is None:
            self.coarse = Counterfactual(self)
        coarse = self.coarse
        explained = (coarse.gives(outcome) or None) if preemptions is None else coarse.explains(outcome, preemptions)
        if explained:
            self.explained = True
            self.baseline.add(outcome)
        return explained
