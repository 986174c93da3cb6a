"""Threads of which only one is ever there: they are started in arms of one branch that exclude each other.

Or one is started in an arm, and in another the same call does without: `if background: Thread(target=run).start()`.
"""

from __future__ import annotations

from racelint.model.summary import Access, AnyNode, Branch, Call, Loop, Try, With, leaves
from racelint.program.calling.calls import CallGraph
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.threads.context import Context

_MAX_LIFTS = 3
Arms = tuple[tuple[int, int], ...]
"""The branches around an event, outermost first: a number that names each, and which arm it is."""


class Alternatives:
    """Answers for pairs of roots."""

    def __init__(self, calls: CallGraph) -> None:
        self.calls = calls
        self._arms: dict[str, dict[int, Arms]] = {}
        self._known: dict[tuple[str, str], bool] = {}

    def exclude(self, first: ThreadRoot, second: ThreadRoot) -> bool:
        """Whether all starts of the two stand in one function, each in another arm of a branch than the other."""
        key = (min(first.id, second.id), max(first.id, second.id))
        if key not in self._known:
            mine, theirs = self._places(first), self._places(second)
            self._known[key] = any(
                self.apart(function, events, theirs[function])
                for function, events in mine.items()
                if function in theirs
            )
        return self._known[key]

    def does_without(self, root: ThreadRoot, context: Context, event: int) -> bool:
        """Whether the call of the starting function that leads to the event is one that does not start the thread."""
        starter, starts = root.site_function, {number for _, number in root.starts}
        if starter is None or not starts or any(function is not starter for function, _ in root.starts):
            return False
        if any(loops_around(starter).get(number) for number in starts):
            return False
        return any(
            function is starter and self.apart(starter, starts, {at}) for function, at in context.outwards(event)
        )

    def _places(self, root: ThreadRoot) -> dict[FunctionInfo, set[int]]:
        """Functions through which every start goes, each with the events that lead there."""
        starts = root.starts or ([(root.site_function, root.site.id)] if root.site_function and root.site else [])
        functions = {function for function, _ in starts}
        found: dict[FunctionInfo, set[int]] = {}
        for _ in range(_MAX_LIFTS):
            if len(functions) != 1:
                break
            function = functions.pop()
            found[function] = {event for _, event in starts}
            starts = [(s.caller, s.event) for s in self.calls.incoming.get(function.id, []) if not s.weak]
            functions = {caller for caller, _ in starts}
        return found

    def apart(self, function: FunctionInfo, mine: set[int], theirs: set[int]) -> bool:
        """Whether all events of the one set stand in other arms of a branch than those of the other."""
        if function.id not in self._arms:
            arms: dict[int, Arms] = {}
            _walk(function.ir.body, (), arms)
            self._arms[function.id] = arms
        arms = self._arms[function.id]
        return all(_excluding(arms.get(left, ()), arms.get(right, ())) for left in mine for right in theirs)


def _excluding(left: Arms, right: Arms) -> bool:
    """Whether two events stand in different arms of one branch."""
    mine = dict(left)
    return any(mine.get(branch, arm) != arm for branch, arm in right)


def _walk(nodes: tuple[AnyNode, ...], around: Arms, found: dict[int, Arms]) -> None:
    for node in nodes:
        if isinstance(node, (Access, Call)):
            found[node.id] = around
        elif isinstance(node, Branch):
            _walk(node.then, (*around, (id(node), 0)), found)
            _walk(node.orelse, (*around, (id(node), 1)), found)
            if leaves(node.then):
                around = (*around, (id(node), 1))
        elif isinstance(node, Loop):
            for block in (node.head, node.body, node.orelse):
                _walk(block, around, found)
        elif isinstance(node, Try):
            for block in (node.body, *(handler.body for handler in node.handlers), node.orelse, node.final):
                _walk(block, around, found)
        elif isinstance(node, With):
            _walk(node.body, around, found)
