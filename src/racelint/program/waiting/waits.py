"""Whether what a `Condition.wait` waits for is tested again after it, before anything relies on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from racelint.knowledge.raising import LOOKUP_ERRORS
from racelint.model.summary import (
    Access,
    AnyNode,
    Branch,
    Call,
    Jump,
    Loop,
    Operation,
    Path,
    Raise,
    Return,
    Suspend,
    Try,
)
from racelint.program.flow.values import blocks_of, nodes_of
from racelint.program.flow.walk import Place, contains, enclosing, following, place_of
from racelint.program.linked.condition_uses import is_condition
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo

_HARMLESS = frozenset(
    {"notify", "notify_all", "notifyAll", "wait", "wait_for", "acquire", "release", "time", "monotonic", "is_set"}
)
_TIME_IS_UP = ("TimeoutError", "Timeout", "Empty", "Full")
_NOTHING_THERE = LOOKUP_ERRORS | {"Empty", "g:Empty"}
Outcome = Literal["tested", "used", "ends"]


class Wait(msgspec.Struct, frozen=True):
    """A `wait()` of a condition; `node` is what relies on it untested (None: the function's caller)."""

    function: FunctionInfo
    call: Call
    path: Path
    outcome: Outcome
    node: AnyNode | None
    guard: Branch | None
    timed: bool
    holds: bool
    """Whether this function took the condition's lock."""


class _Point(msgspec.Struct, frozen=True):
    outcome: Outcome
    node: AnyNode | None


def waits_of(program: Program) -> Iterator[Wait]:
    """Every wait on something that is certainly a condition."""
    for function, call in program.callees.written("wait"):
        for path in call.func:
            if len(path) > 1 and path[-1] == "wait" and is_condition(program, path[:-1], function):
                yield _Judge(program, function, call, path[:-1]).wait()
                break


class _Judge:
    def __init__(self, program: Program, function: FunctionInfo, call: Call, path: Path) -> None:
        self.program = program
        self.function = function
        self.call = call
        self.path = path
        self.facts = program.stores.facts[function.id]
        lock = program.locks.of(path, function)
        hold = program.flows.of(function).at(call.id).hold(lock.location) if lock is not None else None
        self.region = hold.region if hold is not None else 0
        self.holds = hold is not None

    def wait(self) -> Wait:
        places = place_of(self.function, self.call.id)
        around = enclosing(places)
        timed = bool(self.call.args)
        guard = next((node for node in reversed(around) if isinstance(node, Branch) and self._is_inside(node)), None)
        point = _Point("tested", None)
        if not self._in_testing_loop(around, timed):
            point = self._after(places, guard)
        if point.outcome == "ends" and self._callers_test(self.function, 0):
            point = _Point("tested", None)
        return Wait(self.function, self.call, self.path, point.outcome, point.node, guard, timed, self.holds)

    def _is_inside(self, node: AnyNode) -> bool:
        """Whether the lock stays held over all of `node`."""
        return self.region <= 0 or not (contains(node, self.region) or getattr(node, "id", 0) == self.region)

    def _in_testing_loop(self, around: list[AnyNode], timed: bool) -> bool:
        for node in around:
            if isinstance(node, Loop) and node.kind == "while":
                if timed and not node.infinite:
                    return True
                if self._is_inside(node) and (not node.infinite or _may_stop(node)):
                    return True
        return False

    def _after(self, places: list[Place], guard: Branch | None) -> _Point:
        """What comes first after the wait: a test, or something that relies on what was waited for."""
        relied = {
            self.facts.events[dep] for dep in (guard.deps if guard is not None else ()) if dep in self.facts.events
        }
        paths = {event.path for event in relied if isinstance(event, Access)}
        pending: list[Access | Call] = []
        looped = any(isinstance(node, Loop) for node in enclosing(places))
        for node in self._linear(following(places)):
            if isinstance(node, (Access, Call)):
                if not self._is_harmless(node, paths):
                    pending.append(node)
                elif isinstance(node, Call):
                    pending = [event for event in pending if not _leads_to(event, node)]
            elif _is_while(node) and contains(node, self.call.id) and not pending:
                if isinstance(node, Loop) and not node.infinite:
                    return _Point("tested", node)
            elif isinstance(node, (Branch, Loop)):
                deps = {dep for dep in node.deps if dep > self.call.id} - {self.call.id}
                heads = (
                    {n.id for n in nodes_of(node.head) if isinstance(n, (Access, Call))}
                    if isinstance(node, Loop)
                    else set()
                )
                untested = [event for event in pending if event.id not in deps | heads | set(node.deps)]
                if untested:
                    return _Point("used", untested[0])
                if node.deps and set(node.deps) != {self.call.id} and not isinstance(node, Loop):
                    told = self.call.args and self._looked_before(node) and self._gives_up((node, *following(places)))
                    return _Point("tested" if looped or told else "used", node)
            elif isinstance(node, Try) and not pending and _minds_nothing_there(node):
                return _Point("tested", node)
            elif isinstance(node, Return):
                if pending and not node.value and all(isinstance(e, Access) and e.id in node.deps for e in pending):
                    return _Point("tested", node)  # `return self.done is not None`: the caller is told
                if pending:
                    return _Point("used", pending[0])
                return _Point("ends", node)
            elif isinstance(node, Raise):
                return _Point("ends", node)
            elif isinstance(node, (Operation, Suspend)) and not self._is_own(node):
                return _Point("used", node)
        return _Point("used", pending[0]) if pending else _Point("ends", None)

    def _looked_before(self, test: Branch) -> bool:
        """Whether the wait was only begun because the same test had failed."""
        events = (self.facts.events.get(dep) for dep in test.deps)
        paths = {event.path for event in events if isinstance(event, Access)}
        return any(access.path in paths and access.id < self.call.id for access in self.facts.accesses)

    def _gives_up(self, nodes: Iterable[AnyNode]) -> bool:
        """Whether what comes after the second test raises what says that the time was up."""
        for node in nodes_of(tuple(nodes)):
            if isinstance(node, Raise) and any(p[-1].endswith(_TIME_IS_UP) for p in self.facts.raised_by(node)):
                return True
        return False

    def _is_own(self, node: Operation | Suspend) -> bool:
        return isinstance(node, Suspend) and node.value == ((f"c:{self.call.id}",),)

    def _linear(self, nodes: Iterable[AnyNode]) -> Iterator[AnyNode]:
        """Blocks that always run are opened; a loop come back to is run from its start."""
        for node in nodes:
            if isinstance(node, Loop) and contains(node, self.call.id):
                yield node
                for inner in self._opened((*node.head, *node.body)):
                    if isinstance(inner, Call) and inner.id == self.call.id:
                        return
                    yield inner
            else:
                yield from self._opened((node,))

    def _opened(self, nodes: Iterable[AnyNode]) -> Iterator[AnyNode]:
        for node in nodes:
            yield node
            if isinstance(node, (Branch, Loop, Jump)):
                continue
            for block in blocks_of(node)[:1]:
                yield from self._opened(block)

    def _is_harmless(self, event: Access | Call, relied: set[Path]) -> bool:
        if isinstance(event, Call):
            return bool(event.func) and event.func[0][-1] in _HARMLESS
        if event.called or event.path == self.path or self._is_lock(event.path):
            return True
        if relied and event.path not in relied and self._is_counted(event):
            return True
        return event.path[0].startswith(("v:", "k:"))

    def _is_lock(self, path: Path) -> bool:
        lock = self.program.locks.of(path, self.function)
        return lock is not None and not lock.opaque

    def _is_counted(self, event: Access) -> bool:
        """The read or the write of `self.waiters -= 1`."""
        return any(
            other.augmented and other.path == event.path and other.span == event.span for other in self.facts.accesses
        )

    def _callers_test(self, function: FunctionInfo, depth: int) -> bool:
        """Whether all that call the function do so in a loop; nobody known to call a mere wrapper answers for it."""
        sites = self.program.calls.incoming.get(function.id, [])
        if not sites:
            return depth > 0 or not self.holds
        for site in sites:
            around = enclosing(place_of(site.caller, site.event))
            if any(_is_while(node) for node in around):
                continue
            if self._holds(site.caller, site.event):
                return False
            if depth >= 3 or site.caller is function or not self._callers_test(site.caller, depth + 1):
                return False
        return True

    def _holds(self, caller: FunctionInfo, event: int) -> bool:
        """Whether a caller took the condition's lock: it is the one that must test again."""
        lock = self.program.locks.of(self.path, self.function)
        return lock is not None and self.program.flows.of(caller).at(event).hold(lock.location) is not None


def _minds_nothing_there(node: Try) -> bool:
    """`try: item = items.popleft()` / `except IndexError:` is a test of its own."""
    return any(path[-1] in _NOTHING_THERE for handler in node.handlers for path in handler.types)


def _leads_to(event: Access | Call, call: Call) -> bool:
    """`self.owner` of `self.owner.lock.release()`."""
    return (
        isinstance(event, Access) and event.span[:2] == call.span[:2] and event.path == call.func[0][: len(event.path)]
    )


def _is_while(node: AnyNode) -> bool:
    return isinstance(node, Loop) and node.kind == "while"


def _may_stop(loop: Loop) -> bool:
    """Whether a test in the body of `while True` ends it."""
    for node in nodes_of(loop.body):
        if isinstance(node, Branch) and any(
            isinstance(inner, (Return, Raise)) or (isinstance(inner, Jump) and inner.kind == "break")
            for inner in nodes_of((*node.then, *node.orelse))
        ):
            return True
    return False


def is_plain_sleep(wait: Wait) -> bool:
    """A wait with a timeout that tests nothing and after which nothing is done: an interruptible sleep."""
    return wait.timed and wait.guard is None and wait.outcome == "ends"
