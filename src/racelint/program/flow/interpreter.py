"""Interpretation of one function's control-flow tree over abstract states: what every path-sensitive analysis shares.

Python has no goto, so the tree is interpreted directly: every construct maps the state before it to the state after it
and to the states of its other exits (return, raise, break, continue). Loops run until nothing changes. An analysis says
what its states are, what events do to them and what holds where paths meet.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Generic, Literal, TypeVar

import msgspec

from racelint.knowledge.raising import CANCELLATIONS, LOOKUP_ERRORS
from racelint.model.summary import (
    Access,
    AnyNode,
    Branch,
    Call,
    Jump,
    Loop,
    Operation,
    Raise,
    Return,
    Suspend,
    Try,
    With,
)

State = TypeVar("State")
Event = Access | Call | Suspend | Operation
ExitKind = Literal["return", "raise", "break", "continue"]
_MAX_TURNS = 3


class Exit(msgspec.Struct, Generic[State], frozen=True):
    """How control leaves: by which node (None: off the end), in what state."""

    kind: ExitKind
    node: AnyNode | None
    state: State


class Interpreter(ABC, Generic[State]):
    """One interpretation; `sinks` are the abrupt exits of the construct at hand."""

    def __init__(self) -> None:
        self.sinks: list[Exit[State]] = []

    @abstractmethod
    def event(self, node: Event, state: State) -> State | None:
        """The state after an event, None where control never comes there; says itself where it can raise."""

    @abstractmethod
    def joined(self, left: State, right: State) -> State:
        """What holds where two paths meet."""

    def split(self, node: Branch | Loop, state: State) -> tuple[State | None, State | None]:
        """The states where a condition is true and where it is not, before `negated` is looked at."""
        return state, state

    def entered(self, node: With, state: State) -> State:
        """The state in the block of a `with`."""
        return state

    def left(self, node: With, inside: State, before: State) -> State:
        """The state after it, however it was left."""
        return inside

    def swallows(self, node: With) -> bool:
        """Whether the context manager lets no exception out."""
        return False

    def caught(self, raised: Sequence[Exit[State]], before: State) -> State | None:
        """The state in which a handler begins; without a known exception, that before the `try`."""
        return self._all_joined((exit_.state for exit_ in raised), None) if raised else before

    def returned(self, node: Return, state: State) -> State:
        """The state as the caller gets it."""
        return state

    def turned(self, node: Loop, jumps: Sequence[Exit[State]], end: State | None) -> None:
        """A turn of a loop is over: by `continue`, or at its end."""

    def run(self, body: Iterable[AnyNode], state: State) -> list[Exit[State]]:
        """All ways out of a function's body."""
        end = self.block(body, state)
        if end is not None:
            self.leave("return", None, end)
        return self.sinks

    def leave(self, kind: ExitKind, node: AnyNode | None, state: State) -> None:
        self.sinks.append(Exit(kind, node, state))

    def block(self, nodes: Iterable[AnyNode], state: State | None) -> State | None:
        for node in nodes:
            if state is None:
                return None
            state = self._node(node, state)
        return state

    def _node(self, node: AnyNode, state: State) -> State | None:
        match node:
            case Access() | Call() | Suspend() | Operation():
                return self.event(node, state)
            case Branch():
                return self._branch(node, state)
            case Loop():
                return self._loop(node, state)
            case Try():
                return self._try(node, state)
            case With():
                return self._with(node, state)
            case Return():
                self.leave("return", node, self.returned(node, state))
            case Raise():
                self.leave("raise", node, state)
            case Jump():
                self.leave(node.kind, node, state)
        return None

    def _arms(self, node: Branch | Loop, state: State | None) -> tuple[State | None, State | None]:
        if state is None:
            return None, None
        true, false = self.split(node, state)
        return (false, true) if node.negated else (true, false)

    def _branch(self, node: Branch, state: State) -> State | None:
        taken, other = self._arms(node, state)
        then = self.block(node.then, taken) if node.constant != "false" else None
        orelse = self.block(node.orelse, other) if node.constant != "true" else None
        return self._join(then, orelse)

    def _loop(self, node: Loop, state: State) -> State | None:
        outer, self.sinks = self.sinks, []
        head: State | None = state
        after: State | None = None
        for _ in range(_MAX_TURNS):
            self.sinks = []
            before = head
            inside, after = self._arms(node, self.block(node.head, head))
            end = self.block(node.body, inside)
            jumps = [exit_ for exit_ in self.sinks if exit_.kind == "continue"]
            self.turned(node, jumps, end)
            head = self._all_joined((exit_.state for exit_ in jumps), self._join(state, end))
            if head == before:
                break
        after = self.block(node.orelse, None if node.infinite else after)
        for exit_ in self.sinks:
            if exit_.kind == "break":
                after = self._join(after, exit_.state)
            elif exit_.kind != "continue":
                outer.append(exit_)
        self.sinks = outer
        return after

    def _try(self, node: Try, state: State) -> State | None:
        outer, self.sinks = self.sinks, []
        end = self.block(node.body, state)
        raised = [exit_ for exit_ in self.sinks if exit_.kind == "raise"]
        pending = [exit_ for exit_ in self.sinks if exit_.kind != "raise"]
        self.sinks = []
        end = self.block(node.orelse, end)
        for handler in node.handlers:
            end = self._join(end, self.block(handler.body, self.caught(raised, state)))
        pending.extend(exit_ for exit_ in raised if not catches(node, exit_.node))
        pending.extend(self.sinks)
        self.sinks = outer
        return self._finally(node, end, pending)

    def _finally(self, node: Try, end: State | None, pending: list[Exit[State]]) -> State | None:
        if not node.final:
            self.sinks.extend(pending)
            return end
        after = self.block(node.final, end)
        ends: dict[State, State | None] = {}
        for exit_ in pending:
            if exit_.state not in ends:
                ends[exit_.state] = self.block(node.final, exit_.state)
            state = ends[exit_.state]
            if state is not None:
                self.leave(exit_.kind, exit_.node, state)
        return after

    def _with(self, node: With, state: State) -> State | None:
        outer, self.sinks = self.sinks, []
        end = self.block(node.body, self.entered(node, state))
        inner, self.sinks = self.sinks, outer
        for exit_ in inner:
            if exit_.kind == "raise" and self.swallows(node):
                end = self._join(end, exit_.state)
            else:
                self.leave(exit_.kind, exit_.node, self.left(node, exit_.state, state))
        return self.left(node, end, state) if end is not None else None

    def _join(self, left: State | None, right: State | None) -> State | None:
        if left is None or right is None:
            return left if right is None else right
        return self.joined(left, right)

    def _all_joined(self, states: Iterable[State], result: State | None) -> State | None:
        for state in states:
            result = self._join(result, state)
        return result


def catches(node: Try, raised: AnyNode | None) -> bool:
    """Whether some handler certainly catches what `raised` raises.

    An await raises `CancelledError`, too, which is no `Exception`: it takes a handler of its own.
    """
    names = {path[-1] for handler in node.handlers for path in handler.types}
    if "g:BaseException" in names or any(not handler.types for handler in node.handlers):
        return True
    if "g:Exception" in names:
        return not (isinstance(raised, Suspend) and raised.kind == "await") or bool(names & CANCELLATIONS)
    if isinstance(raised, Access) and names & LOOKUP_ERRORS:
        return True
    return isinstance(raised, Raise) and any(
        path in handler.types for path in raised.types for handler in node.handlers
    )
