"""How an execution is steered: serially, by a plan of decisions, or by chance."""

from __future__ import annotations

from _random import Random  # the module `random` belongs to the target
from bisect import bisect_right
from math import log

from .control import Control
from .execution import STOP
from .tasks import BLOCKED, Choice, Policy, Task, earliest, new

SETTLING_STEPS = 500
"""Accesses that threads in the background may make after the operations have ended."""
SLOTS = 16
LONGEST, MOST_RATIOS = 64, 1000
TIMEOUTS = 0.125
"""How likely a timeout passes although something else can go on."""


class Settling(Policy):
    """One thread after the other, and the harness, which comes last among the ready ones, as soon as none can go on."""

    awaits_are_instant = True

    def __init__(self) -> None:
        super().__init__()
        self._left = SETTLING_STEPS

    def at_point(self, control: Control, site: int, choice: Choice) -> Task:
        self._left -= 1
        return control.current if self._left > 0 else choice.ready[-1]


def settle(control: Control) -> None:
    """Let the threads that are left run until each of them ends, waits, or has gone on for too long."""
    steering, control.policy = control.policy, Settling()
    control.changed()
    ready = control.choices().ready
    if ready[0] is not control.main:
        control.switch(ready[0])
    control.policy = steering
    control.changed()


class SerialPolicy(Policy):
    """A serial order of operations: each runs until it ends or blocks.

    `order` names the thread of each operation, the first to run first; one that could not go on does so as soon as
    another ends or blocks. A sleep does not end a turn. `expire_at_once` is the variant in which every timeout passes
    before anything else.
    """

    sleep_is_instant = awaits_are_instant = True

    def __init__(self, order: tuple[int, ...], expire_at_once: bool = False) -> None:
        super().__init__()
        self._order = list(order)
        self.expire_at_once = expire_at_once

    def at_stop(self, control: Control, choice: Choice) -> Task:
        if not choice.ready:
            return super().at_stop(control, choice)
        return started_by(control.current, choice) or self._foremost(choice)

    def between(self, control: Control, choice: Choice) -> Task:
        if control.current.index in self._order:
            self._order.remove(control.current.index)
        return self._foremost(choice)

    def _foremost(self, choice: Choice) -> Task:
        rank: dict[int, int] = {}
        for place, index in enumerate(self._order):
            rank.setdefault(index, place)
        last = len(self._order)
        return min(choice.ready, key=lambda task: (rank.get(task.index, last + task.index % 1000), task.index))


def started_by(task: Task, choice: Choice) -> Task | None:
    """The thread that `task` has just started and waits for until it has begun: that is no wait for anybody's work."""
    if task.state != BLOCKED or task.index < 0:
        return None
    return next((other for other in choice.ready if other.fresh), None)


class Decision:
    """A choice that an execution came to at step `number`. `site` is `STOP` where the running thread could not go on.

    `events` counts the events that came before it.
    """

    __slots__ = ("choice", "default", "events", "number", "running", "site")

    number: int
    site: int
    running: int
    default: int
    choice: Choice
    events: int

    def others(self) -> list[tuple[int, int]]:
        """Each thread that was not the default, and what it costs to choose it.

        That is 1 for a preemption or for a timeout that passes while something else could run, else 0.
        """
        found, default, preempts = [], self.default, int(self.site != STOP)
        for task in self.choice.ready:
            if task.index != default:
                found.append((task.index, preempts))
        for task in self.choice.timed:
            if task.index != default:
                hurried = task.index != self.running and bool(self.choice.ready)
                found.append((task.index, preempts or int(hurried)))
        return found


def decision(number: int, site: int, running: int, default: int, choice: Choice, events: int) -> Decision:
    """A Decision, made without a call by the interpreter, as threads are."""
    made: Decision = new(Decision)
    made.number = number
    made.site = site
    made.running = running
    made.default = default
    made.choice = choice
    made.events = events
    return made


class PlanPolicy(Policy):
    """Follows `plan`, the step of a decision to the thread chosen there, and takes the default everywhere else.

    `trail` are the decisions that came after the last one of the plan.
    """

    def __init__(self, plan: dict[int, int]) -> None:
        self.plan = plan
        self.trail: list[Decision] = []
        self._last = max(plan, default=-1)

    def at_point(self, control: Control, site: int, choice: Choice) -> Task:
        number, task = control.steps, control.current
        if number > self._last:
            # As `_decide`, in fewer steps.
            running = task.index
            self.trail.append(decision(number, site, running, running, choice, len(control.events)))
            return task
        return self._decide(control, site, task, choice)

    def at_stop(self, control: Control, choice: Choice) -> Task:
        default = super().at_stop(control, choice)
        return self._decide(control, STOP, default, choice) if choice.several else default

    def _decide(self, control: Control, site: int, default: Task, choice: Choice) -> Task:
        number = control.steps
        if number > self._last:
            running = control.current.index
            self.trail.append(decision(number, site, running, default.index, choice, len(control.events)))
            return default
        wanted = self.plan.get(number)
        if wanted is not None:
            return choice.find(wanted, default)
        return default


class RegionPolicy(PlanPolicy):
    """As a plan, with the regions that a finding is about made atomic: no switch inside one, and a thread that had to
    wait inside one goes on as soon as it can. What can still happen then is not the finding's doing."""

    sleep_is_instant = True

    def at_point(self, control: Control, site: int, choice: Choice) -> Task:
        if control.current.in_region:
            return control.current
        for task in choice.ready:
            if task.in_region:
                return task
        return super().at_point(control, site, choice)

    def at_stop(self, control: Control, choice: Choice) -> Task:
        for task in choice.ready:
            if task.in_region and task is not control.main:
                return task
        begun = started_by(control.current, choice) if control.current.in_region else None
        return begun or super().at_stop(control, choice)


class RandomPolicy(Policy):
    """Chooses by chance, in proportion to the events that each thread has still to come; `plan` is what it chose.

    After SURW (Zhao, Wolff, Mathur and Roychoudhury, ASPLOS 2025): a uniform choice at each event favours short
    threads; weights by remaining events make interleavings about equally likely. How many events the chosen thread
    runs on is drawn with it.
    """

    def __init__(self, chance: Random, weights: list[int]) -> None:
        self._draw = chance.random
        self._weights = weights
        self.restart()

    def restart(self) -> None:
        """Another execution begins; the plan of the last one stays as it is."""
        self.plan = {}
        self._left = self._weights.copy()
        self._due = 0
        self._choice: Choice | None = None

    @staticmethod
    def weights(events: dict[int, int]) -> list[int]:
        """Of a thread with index n, at place n modulo the length: how many events it has, at least one."""
        found = [1] * SLOTS
        for index, count in events.items():
            found[index % SLOTS] = max(1, count)
        return found

    def at_point(self, control: Control, site: int, choice: Choice) -> Task:
        step, task = control.steps, control.current
        if step == self._due and choice is self._choice:
            if choice.is_pair:
                # Nearly always: there is but one to go on with. What `_choose` ends with is spelled out.
                there, other = choice.ready
                if there is task:
                    there = other
                draw, left, run = self._draw, self._left, 0
                place = there.index % SLOTS
                mine = left[place]
                ratio, drawn = mine / (mine + left[task.index % SLOTS]), draw()
                if drawn >= 1 - ratio:
                    run = bisect_right(_chances[ratio], drawn)
                    if run == LONGEST:
                        run = int(log(1 - drawn) / log(ratio))
                rest = mine - run - 1
                left[place] = rest if rest > 0 else 1
                control.alarm = last = step + run
                self._due = last + 1
                self.plan[step] = there.index
                return there
            there = self._choose(control, choice, task)
        else:
            there = self._choose(control, choice, None)
        if there is not task:
            self.plan[step] = there.index
        return there

    def at_stop(self, control: Control, choice: Choice) -> Task:
        ready = choice.ready
        default = ready[0] if ready else min(choice.timed, key=earliest)
        if not choice.several:
            return default
        chosen = self._choose(control, choice, None)
        if chosen is not default:
            self.plan[control.steps] = chosen.index
        return chosen

    def _choose(self, control: Control, choice: Choice, besides: Task | None) -> Task:
        """Any thread that can go on `besides` that one, and for how many events it is not asked again."""
        draw, left, ready = self._draw, self._left, choice.ready
        if choice.timed and (not ready or draw() < TIMEOUTS):
            control.alarm = 0
            return choice.timed[int(draw() * len(choice.timed))]
        if len(ready) == 2 and besides is None:
            # The same in fewer steps.
            task, other = ready
            place = task.index % SLOTS
            mine, others = left[place], left[other.index % SLOTS]
            total = mine + others
            if draw() * total >= mine:
                task, place = other, other.index % SLOTS
                mine, others = others, mine
        else:
            total = 0
            for task in ready:
                total += left[task.index % SLOTS]
            drawn = draw() * (total if besides is None else total - left[besides.index % SLOTS])
            for task in ready:
                if task is not besides:
                    drawn -= left[task.index % SLOTS]
                    if drawn < 0:
                        break
            place = task.index % SLOTS
            mine = left[place]
            others = total - mine
        ratio, drawn, run = mine / total, draw(), 0
        if drawn >= 1 - ratio and others:
            run = bisect_right(_chances[ratio], drawn)
            if run == LONGEST:
                run = int(log(1 - drawn) / log(ratio))
        rest = mine - run - 1
        left[place] = rest if rest > 0 else 1
        control.alarm = last = control.steps + run
        self._due, self._choice = last + 1, choice
        return task


class Chances(dict[float, list[float]]):
    """By the chance that a thread makes one event more: how likely it stops before the second, before the third, …"""

    def __missing__(self, ratio: float) -> list[float]:
        if len(self) == MOST_RATIOS:
            self.clear()
        chances = self[ratio] = [1 - ratio**events for events in range(1, LONGEST + 1)]
        return chances


_chances = Chances()
