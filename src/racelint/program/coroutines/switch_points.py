"""Where a coroutine lets other tasks run, and which of its reads are old news by then.

Between two awaits a coroutine runs alone on its event loop. An await of a coroutine that itself never comes to wait
for anything is no switch point either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from racelint.model.summary import (
    Access,
    AnyNode,
    Branch,
    Call,
    Jump,
    Loop,
    Raise,
    Return,
    Span,
    Suspend,
    Try,
    With,
)
from racelint.program.flow.values import nodes_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Bound, Instance

Seen = dict[int, Span | None]
"""The watched events that have run, each with the first switch point after it; None where none came yet."""


class SwitchPoints:
    """Answers for every coroutine function which awaits let others run."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._waits: dict[str, bool] = {}

    def since(
        self, function: FunctionInfo, watched: frozenset[int], superseded: Mapping[int, frozenset[int]]
    ) -> dict[int, Seen]:
        """For each event of a coroutine, which of the watched ones had run before it and the switch points since.

        `superseded`: the watched events that no longer count once an event has run.
        """
        walk = _Walk(self, function, watched, superseded)
        walk.block(function.ir.body, {})
        return walk.before

    def waits(self, function: FunctionInfo) -> bool:
        """Whether awaiting a coroutine of this function may let others run."""
        known = self._waits.get(function.id)
        if known is None:
            self._waits[function.id] = False
            if not function.ir.is_async:
                known = True  # a plain function that returns an awaitable
            else:
                body = list(nodes_of(function.ir.body))
                known = self._is_abstract(body) or any(self.lets_run(node, function) for node in body)
            self._waits[function.id] = known
        return known

    @staticmethod
    def _is_abstract(body: list[AnyNode]) -> bool:
        """Raises or does nothing: others override it."""
        return all(isinstance(node, Raise) or (isinstance(node, Call) and not node.used) for node in body)

    def lets_run(self, node: AnyNode, function: FunctionInfo) -> bool:
        """Whether a node by itself, its blocks left out, is a switch point."""
        if type(node) is Suspend:
            return node.kind == "yield" or self._await(node, function)
        if type(node) is Loop:
            return node.is_async
        return type(node) is With and node.is_async and self._entering(node, function)

    def _await(self, node: Suspend, function: FunctionInfo) -> bool:
        for path in node.value[:1]:
            call = self.program.stores.facts[function.id].made_by(path)
            if call is None or len(path) > 1:
                continue
            sites = [s for s in self.program.calls.outgoing[function.id] if s.event == call.id]
            if sites and not any(site.weak for site in sites):
                return any(self.waits(site.callee) for site in sites)
        return True

    def _entering(self, node: With, function: FunctionInfo) -> bool:
        """Unless it is known to come in without waiting."""
        for thing in self.program.types.of_value(node.item.value, function):
            if isinstance(thing, Instance):
                enter = thing.cls.method("__aenter__")
                if enter is not None and not self.waits(enter):
                    return False
        for path in node.item.value[:1]:
            call = self.program.stores.facts[function.id].made_by(path)
            for thing in self.program.types.of_value(call.func, function) if call is not None else ():
                if isinstance(thing, Bound) and thing.function.is_contextmanager:
                    return self._waits_before_yield(thing.function)
        return True

    def _waits_before_yield(self, manager: FunctionInfo) -> bool:
        for node in nodes_of(manager.ir.body):
            if isinstance(node, Suspend) and node.kind == "yield":
                return False
            if self.lets_run(node, manager):
                return True
        return False


def span_of_switch(node: AnyNode) -> Span:
    """Where a node lets others run: at the context manager of a `with`."""
    return node.item.span if isinstance(node, With) else node.span


class _Walk(msgspec.Struct):
    """One interpretation of a body; `jumps` are the states in which the loop at hand is left or turned."""

    points: SwitchPoints
    function: FunctionInfo
    watched: frozenset[int]
    superseded: Mapping[int, frozenset[int]]
    before: dict[int, Seen] = {}
    jumps: list[tuple[str, Seen]] = []

    def block(self, nodes: Iterable[AnyNode], seen: Seen | None) -> Seen | None:
        for node in nodes:
            if seen is None:
                return None
            seen = self._node(node, seen)
        return seen

    def _node(self, node: AnyNode, seen: Seen) -> Seen | None:
        match node:
            case Access() | Call():
                self.before[node.id] = _joined(self.before.get(node.id), seen)
                return self._after(node.id, seen)
            case Suspend():
                return self._switched(node, seen)
            case Branch():
                then = self.block(node.then, seen) if node.constant != "false" else None
                orelse = self.block(node.orelse, seen) if node.constant != "true" else None
                return _either(then, orelse)
            case Loop():
                return self._loop(node, seen)
            case Try():
                return self._try(node, seen)
            case With():
                return self.block(node.body, self._switched(node, seen))
            case Return() | Raise():
                return None
            case Jump():
                self.jumps.append((node.kind, seen))
                return None
        return seen

    def _after(self, event: int, seen: Seen) -> Seen:
        gone = self.superseded.get(event)
        if gone:
            seen = {watched: switch for watched, switch in seen.items() if watched not in gone}
        return {**seen, event: None} if event in self.watched else seen

    def _switched(self, node: AnyNode, seen: Seen) -> Seen:
        if not self.points.lets_run(node, self.function):
            return seen
        span = span_of_switch(node)
        return {event: since or span for event, since in seen.items()}

    def _loop(self, node: Loop, seen: Seen) -> Seen | None:
        outer, self.jumps = self.jumps, []
        head: Seen = seen
        after: Seen | None = None
        for _ in range(2):
            at_test = self.block(node.head, self._switched(node, head))
            after = None if node.infinite else at_test
            end = self.block(node.body, at_test)
            for kind, state in self.jumps:
                if kind == "continue":
                    end = _either(end, state)
            head = _either(seen, end) or seen
        after = self.block(node.orelse, after)
        for kind, state in self.jumps:
            if kind == "break":
                after = _either(after, state)
        self.jumps = outer
        return after

    def _try(self, node: Try, seen: Seen) -> Seen | None:
        """A handler may be come to from anywhere in the body: what its end knows, and what was known before."""
        end = self.block(node.body, seen)
        raised = _either(seen, self._all_of(node, seen))
        end = self.block(node.orelse, end)
        for handler in node.handlers:
            end = _either(end, self.block(handler.body, raised))
        if not node.final:
            return end
        after = self.block(node.final, end if end is not None else raised)
        return after if end is not None else None

    def _all_of(self, node: Try, seen: Seen) -> Seen:
        """The state after all that stands in a try's body, whichever way it went."""
        state = dict(seen)
        for inner in nodes_of(node.body):
            if isinstance(inner, (Access, Call)):
                state = self._after(inner.id, state)
            else:
                state = self._switched(inner, state)
        return state


def _either(left: Seen | None, right: Seen | None) -> Seen | None:
    if left is None or right is None:
        return left if right is None else right
    return _joined(left, right)


def _joined(left: Seen | None, right: Seen) -> Seen:
    """What may have happened on either path: a switch on one of them counts."""
    if left is None:
        return right
    return {event: left.get(event) or right.get(event) for event in left.keys() | right.keys()}
