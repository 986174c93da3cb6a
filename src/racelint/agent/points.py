"""What the marks in instrumented code do: next to nothing on the fast path, more when a log or a trace is wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .control import Control
from .sites import SiteTable
from .spinning import turn

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from .tasks import Task

Marks = dict[str, Any]
Access = Callable[[int, Any], None]

LONG_LOOP = 100
TURNS = 3


class LoopCounts:
    """Shortens counted loops: a million turns show no more than three. Different counts keep their ratio."""

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        self.frozen: dict[int, int] | None = None
        self.base = TURNS

    def shorten(self, site: int, loop: Any) -> Any:
        if type(loop) is not range or len(loop) < LONG_LOOP:
            return loop
        count = len(loop)
        self.seen[site] = max(count, self.seen.get(site, 0))
        return loop[: self.turns(count)]

    def turns(self, count: int) -> int:
        if self.frozen is None:
            return self.base
        smallest = min(self.frozen.values())
        if max(self.frozen.values()) == smallest:
            return self.base
        return min(4 * self.base, max(1, round((self.base - 1) * count / smallest)))

    def freeze(self) -> None:
        """From now on the ratio of the counts seen so far is kept."""
        if self.seen:
            self.frozen = dict(self.seen)


def elements(point: Callable[[int, Any], Any]) -> Callable[[int, Iterable[Any]], Iterator[Any]]:
    def over(site: int, iterable: Iterable[Any]) -> Iterator[Any]:
        point(site, iterable)
        for element in iterable:
            yield element
            point(site, iterable)

    return over


def fast(control: Control, hot: list[int], counts: LoopCounts) -> Marks:
    """The marks of a search: only `hot` sites ask the controller."""
    at, ask, note = control.at, control.ask, control.events.append

    def point(site: int, obj: Any = None) -> Any:
        if hot[site]:
            # `Control.at`, spelled out: nothing is called more often.
            control.steps = step = control.steps + 1
            if step > control.alarm:
                ask(site)
            note((control.current.index, site, obj))
        return obj

    def name(site: int, obj: Any) -> Any:
        if hot[site]:
            control.current.pending[site] = obj
        return obj

    def late(site: int, value: Any) -> Any:
        if hot[site]:
            at(site, control.current.pending.get(site))
        return value

    return {**_marks(control, _nothing, counts), "_rl_p": point, "_rl_q": name, "_rl_c": late, "_rl_o": elements(point)}


def idle() -> Marks:
    """Marks that do nothing: for code that runs before there is anything to control."""
    nothing = {"_rl_q": _pass, "_rl_c": _pass, "_rl_n": _pass, "_rl_v": _pass, "_rl_w": _pass, "_rl_o": _pass}
    return {
        **nothing,
        "_rl_p": lambda site, obj=None: obj,
        "_rl_t": lambda site: True,
        "_rl_s": _nothing,
        "_rl_h": lambda callee, text: None,
    }


def counting(control: Control, hot: list[int], counts: LoopCounts) -> Marks:
    """As `fast`, and counts visits of sites by thread. No event keeps the object: a finaliser runs when it would."""
    at = control.at

    def access(site: int, obj: Any) -> None:
        task = control.current
        task.visits[site] = task.visits.get(site, 0) + 1
        task.last_site = site
        if hot[site]:
            at(site, None)

    return _marks(control, access, counts)


def logging(control: Control, hot: list[int], counts: LoopCounts, note: Access) -> Marks:
    """As `fast`, and `note(site, obj)` hears of every access after its yield point."""
    at = control.at

    def access(site: int, obj: Any) -> None:
        if hot[site]:
            at(site, obj)
        note(site, obj)

    return _marks(control, access, counts)


MOST_CALLERS = 4
"""Functions that return one after the other before the region that the innermost began is over."""


class Regions:
    """Where the atomic regions of a counterfactual begin and end, by site.

    A region begins at the first access of what the finding is about, and ends with the function that made it or with
    the last such access in its source, whichever is first. A turn of a loop is a unit of its own, unless `whole_loops`.
    What the function calls after that is outside, unless such an access was seen to be made there. Where the function
    returns first (`if not _is_known(key): ...`), its caller takes its place, and then the caller's.
    """

    def __init__(self, table: SiteTable, about: set[int], *, whole_loops: bool = False) -> None:
        self.whole_loops = whole_loops
        self.begins = bytearray(len(table))
        self.scopes = [""] + [f"{site.path}:{site.scope}" for site in table.sites]
        last: dict[str, int] = {}
        self._last_lines: dict[str, int] = {}
        self._last_calls: dict[CodeType, int] = {}
        for site in sorted(about):
            scope = self.scopes[site]
            self.begins[site] = 1
            last[scope] = site
            self._last_lines[scope] = max(table[site].last_line, self._last_lines.get(scope, 0))
        self.after_last = bytearray(len(table))
        for site in range(1, len(table)):
            scope = self.scopes[site]
            # The operand of `x += f()` is numbered after both accesses of `x`, and runs between them.
            behind = 0 < last.get(scope, 0) < site and table[site].line > self._last_lines[scope]
            self.after_last[site] = behind and not whole_loops

    def is_left(self, task: Task, frame: FrameType) -> bool:
        """Whether the function that began the region is past it, while what it calls runs in `frame`."""
        if self.whole_loops:
            return False
        line = _line_in_region(task, frame)
        if line:
            return line > self._last_lines.get(task.region_scope, line)
        caller = _caller_of_region(task, frame)
        return caller is None or caller.f_lineno > self._last_call(caller.f_code)

    def _last_call(self, code: CodeType) -> int:
        """The last line of the function that is known to come to such an access."""
        start, ends = f"{code.co_filename}:", (f":{code.co_name}", f".{code.co_name}")
        own = [line for scope, line in self._last_lines.items() if scope.startswith(start) and scope.endswith(ends)]
        return max(own, default=0) if own else self._last_calls.get(code, 0)

    def begin(self, task: Task, site: int, frame: FrameType) -> None:
        """The thread is inside a region from now on."""
        task.in_region = True
        self._is_of(task, site, frame)

    def _is_of(self, task: Task, site: int, frame: FrameType) -> None:
        """The function of `frame` is the one that the region ends with, if it does not return before."""
        task.region_scope = self.scopes[site]
        task.region_depth = _depth(frame)
        caller = frame.f_back
        callers: list[CodeType] = []
        if caller is not None:
            self._last_calls[caller.f_code] = max(caller.f_lineno, self._last_calls.get(caller.f_code, 0))
        while caller is not None and len(callers) < MOST_CALLERS:
            callers.append(caller.f_code)
            caller = caller.f_back
        task.region_callers = tuple(callers)

    def extend(self, task: Task, site: int, frame: FrameType) -> None:
        """What the region is about is accessed in `frame`: where its function is now belongs to it, next time too."""
        line = _line_in_region(task, frame)
        if line:
            self._last_lines[task.region_scope] = max(line, self._last_lines.get(task.region_scope, 0))
            return
        caller = _caller_of_region(task, frame)
        if caller is frame and task.in_region:
            self._is_of(task, site, frame)
        elif caller is not None:
            code = caller.f_code
            self._last_calls[code] = max(caller.f_lineno, self._last_calls.get(code, 0))


def with_regions(control: Control, hot: list[int], counts: LoopCounts, regions: Regions) -> Marks:
    """As `fast`, and keeps track of whether each thread is inside a region."""
    at = control.at
    begins, after_last, scopes = regions.begins, regions.after_last, regions.scopes

    def access(site: int, obj: Any) -> None:
        task = control.current
        outside = task.region_scope != scopes[site]
        if begins[site] and outside and task.region_scope:
            regions.extend(task, site, sys._getframe(2))
        elif task.in_region and not task.held:
            task.in_region = not (regions.is_left(task, sys._getframe(2)) if outside else after_last[site])
        if hot[site]:
            at(site, obj)
        if begins[site] and not task.in_region:
            regions.begin(task, site, sys._getframe(2))

    def begin_turn(site: int) -> bool:
        task = control.current
        ends = task.in_region and not task.held and not regions.whole_loops
        if ends and _depth(sys._getframe(1)) <= task.region_depth:
            # Unless the loop is all inside a critical section or inside the region.
            task.in_region = False
        turn(control, site)
        return True

    return {**_marks(control, access, counts), "_rl_t": begin_turn}


def _marks(control: Control, access: Access, counts: LoopCounts) -> Marks:
    """All marks, for one way to treat an access."""

    def point(site: int, obj: Any = None) -> Any:
        access(site, obj)
        return obj

    def name(site: int, obj: Any) -> Any:
        control.current.pending[site] = obj
        return obj

    def late(site: int, value: Any) -> Any:
        access(site, control.current.pending.get(site))
        return value

    def begin_turn(site: int) -> bool:
        turn(control, site)
        return True

    def woken(site: int, test: Callable[[], Any]) -> None:
        try:
            stale = bool(test())
        except Exception:
            return
        if stale and control.current.waited:
            control.stale.add(site)

    return {
        "_rl_p": point,
        "_rl_q": name,
        "_rl_c": late,
        "_rl_t": begin_turn,
        "_rl_o": elements(point),
        "_rl_n": counts.shorten,
        "_rl_h": control.stall,
        "_rl_s": woken,
        "_rl_v": _pass,
        "_rl_w": _pass,
    }


def _nothing(site: int, obj: Any) -> None:
    return None


def _depth(frame: Any) -> int:
    depth = 0
    while frame is not None:
        depth += 1
        frame = frame.f_back
    return depth


def _line_in_region(task: Task, frame: FrameType) -> int:
    """The line at which the function that began the task's region is while `frame` runs; 0 where it has returned."""
    above = _depth(frame) - task.region_depth
    caller: FrameType | None = frame
    for _ in range(above):
        caller = caller.f_back if caller is not None else None
    if above <= 0 or caller is None or not task.region_scope.endswith(caller.f_code.co_name):
        return 0
    return caller.f_lineno or 0


def _caller_of_region(task: Task, frame: FrameType) -> FrameType | None:
    """The frame below which the function ran that began the task's region: the innermost that has not returned."""
    caller: FrameType | None = frame
    outer = task.region_depth - _depth(frame) - 1
    while caller is not None and outer < 0:
        caller, outer = caller.f_back, outer + 1
    is_there = caller is not None and outer < len(task.region_callers) and caller.f_code is task.region_callers[outer]
    return caller if is_there else None


def _pass(site: int, value: Any) -> Any:
    return value


def traced(helpers: Marks, read: Any, wrote: Any) -> Marks:
    """The same marks, with values of reads and writes handed to `read(site, value)` and `wrote(site, value)`."""
    return {**helpers, "_rl_v": read, "_rl_w": wrote}


def all_hot(table: SiteTable) -> list[int]:
    return [1] * len(table)
