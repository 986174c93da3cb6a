"""The sites that threads pass on a replay, with their frames: all that the model of preemption asks for."""

from __future__ import annotations

import sys
from typing import Any

from . import points
from .preemption import Entry, happens_on_gil
from .replay import run_all_hot
from .schedules import ReplayPolicy, Schedule
from .search import Search


class Passage:
    """Replays schedules of one search to see where they switch; cheaper than a traced replay, which shows values."""

    def __init__(self, search: Search) -> None:
        self.search = search

    def is_possible_on_gil(self, schedule: Schedule) -> bool:
        """Whether a GIL build of 3.10 or later can make every switch of the schedule."""
        search = self.search
        interesting = search.conflicting or set(range(len(search.table)))
        return happens_on_gil(search.table, interesting, self._entries(schedule), schedule)

    def _entries(self, schedule: Schedule) -> list[Entry]:
        search, control, entries = self.search, self.search.control, []
        marks = points.counting(control, points.all_hot(search.table), search.counts)

        def with_entry(mark: Any) -> Any:
            def passed(site: int, obj: Any = None) -> Any:
                result = mark(site, obj)
                entries.append(Entry(control.current.index, site, sys._getframe(1)))
                return result

            return passed

        turn = marks["_rl_t"]

        def begin_turn(site: int) -> Any:
            entries.append(Entry(control.current.index, site, sys._getframe(1)))
            return turn(site)

        point, late = with_entry(marks["_rl_p"]), with_entry(marks["_rl_c"])
        marks.update(_rl_p=point, _rl_c=late, _rl_t=begin_turn, _rl_o=points.elements(point))
        run_all_hot(search, ReplayPolicy(schedule, search.table), marks)
        return entries
