"""The failing schedule once more with a traced copy of the code: who read and wrote which value, in which order."""

from __future__ import annotations

import linecache
import sys
from typing import Any

from . import points
from . import sites as kinds
from .access_log import AccessLog
from .control import Control
from .outcome import Outcome
from .preemption import Entry
from .replay import run_all_hot
from .schedules import ReplayPolicy
from .search import Search
from .sites import Site
from .snapshot import Snapshot, text_of
from .tasks import BLOCKED, Choice, Task

LEAD, MAX_STEPS = 8, 60


class TracedReplay(ReplayPolicy):
    """A replay that tells the recorder when a thread has to wait."""

    recorder: Recorder

    def at_point(self, control: Control, site: int, choice: Choice) -> Task:
        chosen = super().at_point(control, site, choice)
        if chosen is not control.current:
            self.recorder.switched.append(len(self.recorder.steps))
        return chosen

    def at_stop(self, control: Control, choice: Choice) -> Task:
        self.recorder.stopped()
        return super().at_stop(control, choice)

    def at_dead_end(self, control: Control) -> None:
        self.recorder.stopped()


class Recorder:
    """Collects steps, and the log of accesses with them."""

    def __init__(self, search: Search, schedule: dict[str, Any]) -> None:
        self.search = search
        self.control = search.control
        self.log = AccessLog(search.control, search.table)
        self.steps: list[dict[str, Any]] = []
        self.entries: list[Entry] = []
        self.interesting = search.conflicting or set(range(len(search.table)))
        self.told = (search.shared | search.conflicting) or self.interesting
        self.switched: list[int] = []
        self.policy = TracedReplay(schedule, search.table)
        self.policy.recorder = self

    def run(self) -> Outcome:
        search = self.search
        base = points.counting(self.control, points.all_hot(search.table), search.counts)
        point, late, turn = base["_rl_p"], base["_rl_c"], base["_rl_t"]

        def traced_point(site: int, obj: Any = None) -> Any:
            point(site, obj)
            self._accessed(site, obj, sys._getframe(1))
            return obj

        def traced_late(site: int, value: Any) -> Any:
            late(site, value)
            self._accessed(site, self.control.current.pending.get(site), sys._getframe(1))
            return value

        def traced_turn(site: int) -> bool:
            self.entries.append(Entry(self.control.current.index, site, sys._getframe(1)))
            return bool(turn(site))

        def name(site: int, obj: Any) -> Any:
            self.control.current.pending[site] = obj
            return obj

        marks = {**base, "_rl_p": traced_point, "_rl_c": traced_late, "_rl_q": name, "_rl_t": traced_turn}
        marks["_rl_o"] = points.elements(traced_point)
        helpers = points.traced(marks, self._read, self._wrote)
        search.subject.trace(True)
        try:
            outcome = run_all_hot(search, self.policy, helpers)
        finally:
            search.subject.trace(False)
        self._raised()
        return outcome

    # What is recorded

    def _accessed(self, number: int, obj: Any, frame: Any) -> None:
        self.log.note(number, obj)
        task = self.control.current
        self.entries.append(Entry(task.index, number, frame))
        site = self.search.table[number]
        if site.kind in (kinds.WRITE, kinds.ITEM_WRITE):
            if -number in task.pending:
                self._step(site, f"wrote {_name(site)} = {_value(task.pending.pop(-number))}")
            else:
                self._step(site, f"wrote {_name(site)}")
        elif site.kind == kinds.NAME_WRITE:
            self._step(site, f"wrote {site.what} = {_value(obj)}")
        elif site.kind == kinds.CONTENTS:
            self._step(site, f"read {site.text} = {_value(obj)}")
        elif site.kind == kinds.CHANGE:
            self._step(site, f"called {site.text}")
        elif site.kind == kinds.ENTER:
            self._step(site, f"entered {site.text}")

    def _read(self, number: int, value: Any) -> Any:
        site = self.search.table[number]
        if site.kind == kinds.CALL:
            result = "" if value is None else f" = {_value(value)}"
            self._step(site, f"called {site.text}{result}")
        else:
            self._step(site, f"read {_name(site)} = {_value(value)}")
        return value

    def _wrote(self, number: int, value: Any) -> Any:
        self.control.current.pending[-number] = value
        return value

    def stopped(self) -> None:
        task = self.control.current
        if task.index >= 0 and task.state == BLOCKED and task.last_site:
            site = self.search.table[task.last_site]
            if site.what == "start" or site.path.startswith("<"):
                return  # the library's own wait for a new thread to begin, or a task's for its first step
            verb = "sleeps" if task.sleeping else "waits"
            self._step(site, f"{verb} in {task.stalled or site.text}", always=True)

    def _raised(self) -> None:
        for task in self.control.tasks:
            if task.error is None:
                continue
            place = _innermost(task.error, {site.path for site in self.search.table.sites})
            if place is not None:
                path, line = place
                text = f"raised {type(task.error).__name__}: {task.error}".rstrip(": ")
                self.steps.append(_row(task.index, path, line, text))

    def _step(self, site: Site, action: str, always: bool = False) -> None:
        task = self.control.current
        if task.index >= 0 and (always or site.number in self.told):
            self.steps.append(_row(task.index, site.path, site.line, action))

    # What is handed on

    def witness(self) -> dict[str, Any]:
        names = tuple(task.label or f"thread {task.index}" for task in self.control.tasks)
        steps = self.steps
        if len(steps) > MAX_STEPS:
            # What matters begins shortly before the first switch that the schedule asks for.
            first = max(0, self.switched[0] - LEAD) if self.switched else 0
            steps = steps[first : first + MAX_STEPS]
        return {"threads": names, "steps": steps}

    def shows_lost_update(self) -> bool:
        """A thread wrote what it had read before another thread's write of the same location."""
        last_read: dict[tuple[int, Any], int] = {}
        last_write: dict[Any, tuple[int, int]] = {}
        for number, access in enumerate(self.log.accesses):
            if access.location[0] == "lock":
                continue
            if not access.write:
                last_read[access.task, access.location] = number
                continue
            read = last_read.get((access.task, access.location))
            written = last_write.get(access.location)
            if read is not None and written is not None and written[1] != access.task and written[0] > read:
                return True
            last_write[access.location] = (number, access.task)
        return False


def _row(thread: int, path: str, line: int, action: str) -> dict[str, Any]:
    return {
        "thread": thread,
        "path": path,
        "line": line,
        "source": linecache.getline(path, line).strip(),
        "action": action,
    }


def _name(site: Site) -> str:
    return site.text if site.kind in (kinds.ITEM_READ, kinds.ITEM_WRITE) else site.what


def _value(value: Any) -> str:
    return text_of(Snapshot().tree(value), 60)


def _innermost(error: BaseException, paths: set[str]) -> tuple[str, int] | None:
    place = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in paths:
            place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return place
