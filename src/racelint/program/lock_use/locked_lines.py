"""Which lines of a function run with which lock certainly held, for showing critical sections in the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from racelint.model.overview import LockedLines
from racelint.model.summary import Access, Call, Raise, Return, Span, With
from racelint.program.flow.values import nodes_of
from racelint.program.linker import Program
from racelint.program.locking.lock_state import LockState
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location


def locked_lines(program: Program, places: Iterable[tuple[str, int]]) -> tuple[LockedLines, ...]:
    """The locked lines of the functions around `places` (files as shown, 1-based lines), by file and line."""
    functions = {_innermost(program, display, line) for display, line in places}
    found = {lines for function in functions if function is not None for lines in _of(program, function)}
    return tuple(sorted(found, key=lambda lines: (lines.path, lines.first, lines.last, lines.lock)))


def _innermost(program: Program, display: str, line: int) -> FunctionInfo | None:
    around = [
        function
        for function in program.index.functions
        if function.module.source.display == display
        and function.ir.kind not in ("module", "class")
        and function.ir.span[0] <= line <= function.ir.span[2]
    ]
    return max(around, key=lambda function: function.ir.span[:2], default=None)


def _of(program: Program, function: FunctionInfo) -> Iterator[LockedLines]:
    display = function.module.source.display
    first, _, last, column = function.ir.span
    for lock in _of_all_callers(program, function):
        yield LockedLines(display, first, last if column > 1 else last - 1, lock.short)
    places = list(_places(program, function))
    for region in {(hold.lock.location, hold.region) for _, _, state in places for hold in state.must}:
        inside, free = set[int](), set[int]()
        for event, span, state in places:
            held = event == region[1] >= 0 or region in {(hold.lock.location, hold.region) for hold in state.must}
            (inside if held else free).update(range(span[0], span[2] + 1))
        for first, last in _stretches(inside, free - inside):
            yield LockedLines(display, first, last, region[0].short)


def _of_all_callers(program: Program, function: FunctionInfo) -> frozenset[Location]:
    contexts = program.reach.of(function)
    if not contexts:
        return frozenset()
    return frozenset.intersection(*(frozenset(lock.location for lock in context.held) for context in contexts))


def _places(program: Program, function: FunctionInfo) -> Iterator[tuple[int, Span, LockState]]:
    """The events of a function and the ways out of it, with the state there."""
    flow = program.flows.of(function)
    for node in nodes_of(function.ir.body):
        if isinstance(node, (Access, Call)):
            yield node.id, node.span, flow.at(node.id)
        elif isinstance(node, With):
            yield node.id, node.item.span, flow.at(node.id)
    for way_out in flow.exits:
        if isinstance(way_out.node, (Return, Raise)):
            yield -1, way_out.node.span, way_out.state


def _stretches(lines: set[int], free: set[int]) -> Iterator[tuple[int, int]]:
    """The runs of `lines`; what lies between two of them belongs to the run unless one of the `free` does."""
    first = last = -1
    for line in sorted(lines):
        if first < 0 or any(between in free for between in range(last + 1, line)):
            if first > 0:
                yield first, last
            first = line
        last = line
    if first > 0:
        yield first, last
