"""Where the interpreters may really switch threads, applied to a confirmed schedule.

Up to CPython 3.9 a thread may be switched between almost any two bytecodes, and in a free-threaded build anywhere. From
3.10 on with the GIL only (a) on entry to a Python function, (b) after a call of a C function or type and on leaving
`with`, (c) on a taken backward jump (python/cpython pull requests 18334, 30826, 31404, 116817). Calls that hot code
specialises count, because cold code checks.

Our own switches happen at yield points, which are Python calls: so a schedule counts as `observed` on the running
interpreter only where this model finds such a point of the *original* code in each window that the schedule uses.
"""

from __future__ import annotations

import ast
import itertools
import sys
from typing import Any

from . import sites as kinds
from .answer import is_free_threaded
from .eval_order import ACCESS, Event, functions
from .sites import Site, SiteTable

WRITES = (kinds.WRITE, kinds.ITEM_WRITE, kinds.NAME_WRITE)


class Entry:
    """A site that a thread passed, with the depth and identity of the frame that it ran in."""

    __slots__ = ("depth", "frame", "site", "task")

    def __init__(self, task: int, site: int, frame: Any) -> None:
        self.task = task
        self.site = site
        self.frame = id(frame)
        depth = 0
        while frame is not None:
            depth += 1
            frame = frame.f_back
        self.depth = depth


class PreemptionModel:
    """Answers for one target which windows a GIL build of 3.10 or later can be switched in."""

    def __init__(self, table: SiteTable) -> None:
        self.table = table
        self._functions: dict[str, dict[str, list[Event]]] = {}

    def _events(self, site: Site) -> list[Event]:
        if site.path not in self._functions:
            try:
                with open(site.path, "rb") as file:
                    self._functions[site.path] = functions(ast.parse(file.read()))
            except (OSError, SyntaxError, ValueError):
                self._functions[site.path] = {}
        return self._functions[site.path].get(site.scope, [])

    def window_has_point(self, entries: list[Entry]) -> bool:
        """Whether some switch point lies between the first and the last of these entries of one thread."""
        return any(self._step_has_point(one, other) for one, other in itertools.pairwise(entries))

    def _step_has_point(self, one: Entry, other: Entry) -> bool:
        if other.depth > one.depth or (other.depth == one.depth and other.frame != one.frame):
            return True  # a Python function was entered
        here, there = self.table[one.site], self.table[other.site]
        if kinds.TURN in (here.kind, there.kind) and there.kind == kinds.TURN and one.depth == other.depth:
            return self._is_before(there, here)
        if other.depth < one.depth:
            return self._points_after(here) or self._points_on_return(there)
        return self._points_between(here, there)

    def _is_before(self, turn: Site, site: Site) -> bool:
        return site.line >= turn.line

    def _position(self, site: Site, events: list[Event]) -> int | None:
        for number, event in enumerate(events):
            same_place = event.line == site.line and event.column == site.column
            if event.kind == ACCESS and same_place and event.write == (site.kind in WRITES):
                return number
        return None

    def _points_between(self, here: Site, there: Site) -> bool:
        events = self._events(here)
        start, end = self._position(here, events), self._position(there, events)
        if start is None or end is None:
            return here.kind == kinds.CALL
        if end < start or here is there:
            return True  # only a backward jump leads there
        return any(_certain(event, events[start], events[end]) for event in events[start + 1 : end])

    def _points_after(self, here: Site) -> bool:
        """Whether a point follows in the same statement, before the function can return."""
        events = self._events(here)
        start = self._position(here, events)
        if start is None:
            return here.kind == kinds.CALL
        rest = [event for event in events[start + 1 :] if event.line <= here.last_line]
        return any(_certain(event, events[start], events[start]) for event in rest)

    def _points_on_return(self, there: Site) -> bool:
        """Whether a point lies between the call that returned and the site: calls after the first one on its line."""
        events = self._events(there)
        end = self._position(there, events)
        if end is None:
            return False
        called = [event for event in events[:end] if event.line >= there.line and event.kind != ACCESS]
        return len(called) > 1


def _certain(event: Event, start: Event, end: Event) -> bool:
    """A point that was passed for certain: not in a block that neither end of the window is in."""
    if event.kind == ACCESS:
        return False
    return event.branch == start.branch[: len(event.branch)] or event.branch == end.branch[: len(event.branch)]


def happens_on_gil(table: SiteTable, interesting: set[int], entries: list[Entry], schedule: dict[str, Any]) -> bool:
    """Whether a GIL build of 3.10 or later can make every switch of the schedule."""
    model = PreemptionModel(table)
    return all(_possible(model, switch, interesting, entries) for switch in schedule["switches"])


def is_possible_on_gil(interpreters: dict[str, str]) -> bool:
    """What `possibilities` found for GIL builds of 3.10 and later; True where nothing is known."""
    return interpreters.get("gil-3.10+") != "impossible"


def possibilities(
    table: SiteTable, interesting: set[int], entries: list[Entry], schedule: dict[str, Any]
) -> dict[str, str]:
    """How the schedule can happen on each family of interpreters: "observed", "modelled" or "impossible"."""
    on_gil = happens_on_gil(table, interesting, entries, schedule)
    running = "free-threaded" if is_free_threaded() else "gil-3.10+"
    found = {"gil-3.9": "modelled", "gil-3.10+": "modelled" if on_gil else "impossible", "free-threaded": "modelled"}
    if found[running] != "impossible" and sys.implementation.name == "cpython":
        found[running] = "observed"
    return found


def _possible(model: PreemptionModel, switch: dict[str, Any], interesting: set[int], entries: list[Entry]) -> bool:
    """Whether a GIL build of 3.10 or later can switch in the window that this switch lies in."""
    if switch["site"].startswith("~"):
        return True  # the thread had to wait, or had ended or just begun
    site = model.table.by_name.get(switch["site"])
    if site is None:
        return False
    mine = [entry for entry in entries if entry.task == switch["thread"]]
    visits = [number for number, entry in enumerate(mine) if entry.site == site.number]
    if len(visits) < switch["visit"]:
        return True  # it never came back
    place = visits[switch["visit"] - 1]
    before = [number for number in range(place) if mine[number].site in interesting]
    after = [number for number in range(place, len(mine)) if mine[number].site in interesting]
    if not before or not after:
        return True  # nothing that matters was done before, or after: starting later is the same
    return model.window_has_point(mine[before[-1] : after[0] + 1])
