"""Real processes that run the functions which the user's program hands to `racelint.explore(processes=…)`.

The program runs once, up to the call. Each run is a fork from there: it calls the set-up, starts one process for each
function, waits for them and asks the invariant. One process is held at one access while the others run.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NoReturn

from . import fake_thread, points
from . import sites as kinds
from .answer import Answer, answer_of
from .capture import Capture, nothing, silence
from .carriers import ThreadCarrier
from .control import Control
from .entry import Entry
from .live import Request, accepted, labels_of
from .measuring import everywhere
from .process_control import RUN_LIMIT, Controller, Pause, Run
from .process_side import CONFIGURATION, ProcessSide, install
from .process_values import is_plain
from .snapshot import Snapshot, text_of
from .subject import search_path

GATES = frozenset({kinds.READ, kinds.WRITE, kinds.ITEM_READ, kinds.ITEM_WRITE, kinds.CALL})
MOST_ORDERS = 24
PATIENCE = 2.0
"""Seconds after which processes that only wait count as stuck, at least."""

TIMES = 10
"""How many times as long as the plain order."""

UNCONTROLLED = "files, sockets and signals are the operating system's: processes meet there in real time"
Outcome = tuple[tuple[str, str], ...]


def run_call(job: dict[str, Any], folder: str, deliver: Callable[[Answer], None]) -> Answer:
    """Run the program up to the call, and answer there through `deliver`. Returns only where it is not reached."""
    scenario = job["scenario"]
    search_path(scenario)
    control = Control(ThreadCarrier())
    fake_thread.build(control)
    silence(Capture(nothing))
    settings = {"gates": [], "flagged": [], "turns": 3}
    side = install({**settings, "paths": [scenario["path"], *scenario["instrument"]], "roots": scenario["sys_path"]})
    return ProcessEntry(job, folder, control, side, deliver).run()


class ProcessEntry(Entry):
    """As `Entry`, for functions that run in processes."""

    def __init__(
        self, job: dict[str, Any], folder: str, control: Control, side: ProcessSide, deliver: Callable[[Answer], None]
    ) -> None:
        super().__init__(job["scenario"], control, side.finder, lambda _: {}, deliver)
        self._search = partial(CalledProcesses, job, folder, side)

    def answer_to(self, request: Request) -> Answer:
        return self._search(request).answer()


class CalledProcesses:
    """Looks for an order of the processes, or an access to hold one of them at, that goes wrong."""

    def __init__(self, job: dict[str, Any], folder: str, side: ProcessSide, request: Request) -> None:
        self.job = job
        self.side = side
        self.request = request
        self.table = side.finder.table
        self.labels = _numbered(labels_of(request.threads))
        gates = [site.name for site in self.table.sites if site.kind in GATES]
        self.controller = Controller(job, gates, folder, self._begin)
        self.deadline = time.monotonic() + job["budget"]["seconds"]
        self.expected: dict[Outcome, str] = {}
        self.limit = RUN_LIMIT

    # One run, in a fork

    def _begin(self, scenario: dict[str, Any], configuration: dict[str, Any], folder: str) -> NoReturn:
        os.environ[CONFIGURATION] = json.dumps(configuration)
        side = self.side
        side.configuration, side.gates = configuration, frozenset(configuration["gates"])
        error = ""
        try:
            self._run_all()
        except BaseException as problem:
            error = f"the set-up failed: {type(problem).__name__}: {problem}"
        try:
            side.send({"type": "end", **side.last_words(), "result": "", "error": error})
        finally:
            os._exit(0)

    def _run_all(self) -> None:
        import multiprocessing

        request, side = self.request, self.side
        shared = () if request.setup is None else (request.setup(),)
        for label, value in _tracked(shared):
            side.track(label, value)
        side.send({"type": "begin"}, wait=True)
        side.finder.use(side.marks())
        fork: Any = multiprocessing.get_context("fork")
        processes = [
            fork.Process(target=self._run_one(function, shared), name=label)
            for label, function in zip(self.labels, request.threads, strict=True)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        side.finder.use(points.idle())
        ends = [(f"{process.name} ended with", str(process.exitcode)) for process in processes if process.exitcode]
        side.said = [*ends, *self._asked(shared)]

    def _run_one(self, function: Callable[..., Any], shared: tuple[Any, ...]) -> Callable[[], None]:
        def run() -> None:
            try:
                result = text_of(Snapshot().tree(function(*accepted(function, shared))))
            except Exception as error:
                self.side.said = [("raised", f"{type(error).__qualname__}: {error}")]
            else:
                self.side.said = [("returned", result)]

        return run

    def _asked(self, shared: tuple[Any, ...]) -> list[tuple[str, str]]:
        """What the invariant says in the process that started the others, empty where it holds."""
        invariant = self.request.invariant
        if invariant is None:
            return []
        try:
            answer = invariant(*accepted(invariant, shared))
        except Exception as error:
            return [("the invariant", f"raises {type(error).__qualname__}: {error}")]
        return [] if answer is None or answer else [("the invariant", "is false")]

    # The search

    def answer(self) -> Answer:
        """Run the orders, then hold each process at each of its accesses; or replay the job's schedule."""
        began = time.monotonic()
        plain = self._run(0)
        if plain.error:
            return self._answer("unsupported", reason=plain.error)
        self.limit = min(RUN_LIMIT, max(PATIENCE, TIMES * (time.monotonic() - began)))
        effect = self._own_effect(plain)
        if effect or (_is_stuck(plain) and not plain.idle):
            return self._judged(0, None, plain, effect, "it goes wrong in the plain order of the processes, too")
        wanted = self.job.get("schedule")
        found = next(self._wrong_orders(plain), None)
        if wanted:
            return self._replayed(wanted)
        return found or next(self._wrong_holds(), None) or self._not_found()

    def _wrong_orders(self, plain: Run) -> Iterator[Answer]:
        self._expect(plain)
        numbers = range(1, len(self.labels) + 1)
        for order in itertools.islice(itertools.permutations(numbers), 1, MOST_ORDERS):
            if time.monotonic() > self.deadline:
                return
            run = self.controller.run((0, *order), None, self.limit)
            effect = self._own_effect(run)
            if effect and list(order[1:]) == sorted(order[1:]):
                yield self._judged(order[0], None, run, effect)
            if not effect:
                self._expect(run)

    def _wrong_holds(self) -> Iterator[Answer]:
        self.held = 0
        for number in range(1, len(self.labels) + 1):
            gates = [gate for gate in self._run(number).order if gate[0] == number]
            writes = [gate for gate in gates if self.table.by_name[gate[1]].kind.endswith("write")]
            for gate in dict.fromkeys([*writes, *gates]):
                if time.monotonic() > self.deadline:
                    yield self._answer("inconclusive", reason=f"the budget ended: {self._held()}")
                self.held += 1
                pause = Pause(*gate)
                run = self._run(number, pause)
                effect = self._effect(run, pause)
                if effect:
                    yield self._judged(number, pause, run, effect)

    def _replayed(self, schedule: dict[str, Any]) -> Answer:
        pauses = [Pause(switch["thread"], switch["site"], switch["visit"]) for switch in schedule["switches"]]
        pause = pauses[0] if pauses else None
        run = self._run(schedule["first"], pause)
        effect = self._effect(run, pause)
        if effect:
            return self._judged(schedule["first"], pause, run, effect)
        text = _spoken(self._outcome(run), set())
        return self._answer("not-reproduced", outcome=text, expected=sorted(set(self.expected.values())))

    def _run(self, first: int, pause: Pause | None = None) -> Run:
        """One run in which process `first` goes first, until it is held at `pause`."""
        others = [number for number in range(1, len(self.labels) + 1) if number != first]
        return self.controller.run((0, *filter(None, [first]), *others), pause, self.limit)

    def _outcome(self, run: Run) -> Outcome:
        own = [(f"{self.labels[n - 1]} {what}", text) for n in sorted(run.said) if n for what, text in run.said[n]]
        return (*own, *run.said.get(0, ()), *run.shared()[1:])

    def _expect(self, run: Run) -> None:
        outcome = self._outcome(run)
        self.expected[outcome] = _spoken(outcome, set())

    def _own_effect(self, run: Run) -> str:
        if _is_stuck(run):
            return "deadlock" if run.idle else ""
        said = [what for number in run.said for what, _ in run.said[number]]
        if any(what == "raised" or what.endswith(" ended with") for what in said):
            return "exception"
        return "invariant" if "the invariant" in said else ""

    def _effect(self, run: Run, pause: Pause | None) -> str:
        own = self._own_effect(run)
        if own or _is_stuck(run) or not self.request.compares or self._outcome(run) in self.expected:
            return own
        stale = pause is not None and self.table.by_name[pause.site].kind.endswith("write") and run.switch_used
        return "lost-update" if stale else "not-serializable"

    def _judged(self, first: int, pause: Pause | None, run: Run, effect: str, note: str = "") -> Answer:
        """The answer for what went wrong, if it does so once more."""
        if not effect:
            return self._answer("inconclusive", reason=f"not over after {self.limit:.0f} s, and still at work")
        again = self._run(first, pause)
        if self._outcome(again) != self._outcome(run) or _is_stuck(again) != _is_stuck(run):
            return self._answer("inconclusive", reason="two runs of one schedule differ")
        switches = [{"thread": pause.process, "site": pause.site, "visit": pause.visit, "to": -1}] if pause else []
        same = set.intersection(*map(set, [self._outcome(run), *self.expected])) if self.expected else set()
        stuck = ", ".join(run.labels[number] for number in sorted(set(run.labels) - set(run.reports)) if number)
        return self._answer(
            "confirmed",
            effect=effect,
            schedule={"first": first, "switches": switches},
            interpreters=everywhere(),
            outcome=f"{stuck} never end" if effect == "deadlock" else _spoken(self._outcome(run), same),
            expected=sorted({_spoken(outcome, same) for outcome in self.expected} - {""}) or ["all processes end"],
            witness=run.witness(10),
            reason=note,
        )

    def _held(self) -> str:
        return f"processes were held at {self.held} accesses while the others ran, one at a time"

    def _not_found(self) -> Answer:
        return self._answer("not-reproduced", reason=f"{self._held()}; what takes two switches was not tried")

    def _answer(self, status: str, **fields: Any) -> Answer:
        runs = self.controller.runs
        return answer_of(status=status, schedules_run=runs, out_of_control=[UNCONTROLLED], **fields)


def _is_stuck(run: Run) -> bool:
    """Whether the process that started the others did not come to its end."""
    return 0 not in run.reports


def _numbered(labels: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        found.append(f"{label} #{seen[label]}" if labels.count(label) > 1 else label)
    return found


def _tracked(shared: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """What the set-up returned, and what that holds."""
    for state in shared:
        yield "state", state
        if isinstance(state, (tuple, list)):
            parts = [(f"state[{index}]", value) for index, value in enumerate(state)]
        else:
            parts = [(f"state[{key!r}]", value) for key, value in state.items()] if isinstance(state, dict) else []
            parts += [(f"state.{name}", value) for name, value in getattr(state, "__dict__", {}).items()]
        yield from ((label, value) for label, value in parts if is_plain(value) and not label.startswith("state._"))


def _spoken(outcome: Outcome, same: set[tuple[str, str]]) -> str:
    """The outcome in a line, without what is the `same` in all of them."""
    told = [(label, text) for label, text in outcome if (label, text) not in same] or list(outcome)
    return "; ".join(f"{label} {text}" if label.split()[-1] in SAYING else f"{label} = {text}" for label, text in told)


SAYING = frozenset({"returned", "raised", "with", "invariant"})
"""How labels end that make a sentence with what follows."""
