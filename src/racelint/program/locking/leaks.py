"""Where a lock taken by `acquire()` can stay held: a path from the acquire to an exit, without a release.

The must-lockset of `locksets` forgets a lock where paths join; this follows one acquisition forward over all paths
(a may-analysis started at the acquire), as the leak checkers of Infer and RAII lints do. Flags that say whether
the lock is held (`if locked: lock.release()`) are believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from racelint.knowledge.locks import ACQUIRES, RELEASES
from racelint.model.summary import (
    Access,
    AnyNode,
    Branch,
    Call,
    Jump,
    Loop,
    Path,
    Raise,
    Return,
    Suspend,
    With,
)
from racelint.program.flow.interpreter import Event, Exit, Interpreter
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import contains
from racelint.program.locking.locks import Lock
from racelint.program.locking.locksets import LockFlows, may_fail
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.things import Bound, Thing

_ENDS_PROCESS = frozenset({"sys.exit", "os._exit", "os.abort", "builtins.exit", "builtins.quit"})
_SWALLOWS = frozenset({"contextlib.suppress", "pytest.raises"})


class Leak(msgspec.Struct, frozen=True):
    """A way on which the lock stays held: by which node (None: off the end).

    `turn`: a loop comes to the acquire again. `refused`: another acquire failed, and the function says that it has
    nothing, as if this one had, too.
    """

    kind: Literal["return", "raise", "turn", "refused", "break", "continue"]
    node: AnyNode | None


class Tenure(msgspec.Struct):
    """What becomes of one `acquire()`: the leaks, the releases that end it, and whether the lock was handed on."""

    function: FunctionInfo
    call: Call
    lock: Lock
    leaks: list[Leak] = []
    releases: list[Call] = []
    handed_on: bool = False
    called_back: bool = False
    """Whether a callback that was handed out gives it back."""
    flagged: bool = False
    """Whether a flag decides on the release."""
    by_callee: bool = False
    """Whether `call` runs a helper that takes the lock and leaves it held."""

    @property
    def path(self) -> Path:
        """The lock as the function knows it."""
        return (*self.lock.base, *self.lock.location.fields) if self.by_callee else self.call.func[0][:-1]

    @property
    def conditional(self) -> bool:
        return may_fail(self.call, self.lock)


def follow(flows: LockFlows, function: FunctionInfo, call: Call, lock: Lock, *, by_callee: bool = False) -> Tenure:
    """Follow the lock that `call` takes to all exits of the function."""
    tenure = Tenure(function, call, lock, by_callee=by_callee)
    walk = _Walk(flows, tenure)
    ways = [Leak(walk.kind_of(way), way.node) for way in walk.run(function.ir.body, False) if way.state]
    seen: set[tuple[str, int]] = set()
    for leak in (*walk.turns, *ways):
        if (leak.kind, id(leak.node)) not in seen:
            seen.add((leak.kind, id(leak.node)))
            tenure.leaks.append(leak)
    return tenure


class _Walk(Interpreter[bool]):
    """The state: whether the lock may be held."""

    def __init__(self, flows: LockFlows, tenure: Tenure) -> None:
        super().__init__()
        self.flows = flows
        self.tenure = tenure
        self.function = tenure.function
        self.location = tenure.lock.location
        self.path = tenure.path
        self.turns: list[Leak] = []
        self._last_jump: AnyNode | None = None
        self.callees: dict[int, list[FunctionInfo]] = {}
        for site in flows.calls.outgoing[self.function.id]:
            self.callees.setdefault(site.event, []).append(site.callee)

    def joined(self, left: bool, right: bool) -> bool:
        return left or right

    def caught(self, raised: Sequence[Exit[bool]], before: bool) -> bool:
        return any(exit_.state for exit_ in raised)

    def returned(self, node: Return, state: bool) -> bool:
        return state and not self._hands_over(node)

    def turned(self, node: Loop, jumps: Sequence[Exit[bool]], end: bool | None) -> None:
        if contains(node, self.tenure.call.id):
            self._last_jump = next((jump.node for jump in jumps if jump.state), node)

    def event(self, node: Event, state: bool) -> bool | None:
        if isinstance(node, Call):
            return self._call(node, state)
        if not state:
            return state
        if isinstance(node, Access):
            if node.kind == "write" and self.path in node.value:
                self.tenure.handed_on = True
                return False
            if not self.flows.raising.access(node, self.function):
                return state
        elif isinstance(node, Suspend) and node.kind == "await" and node.value == ((f"c:{self.tenure.call.id}",),):
            return state
        self.leave("raise", node, state)
        return state

    def _call(self, node: Call, held: bool) -> bool | None:
        if node.id == self.tenure.call.id:
            if held:
                self.turns.append(Leak("turn", self._last_jump))
            return node.used or not self.tenure.conditional
        if any(path[-1] in RELEASES and len(path) > 1 and self._is_ours(path[:-1]) for path in node.func):
            if held:
                self.tenure.releases.append(node)
            return False
        if self._ends_process(node):
            return None
        if held and self._passes_on(node):
            self.tenure.handed_on = True
            return False
        releasing = [callee for callee in self.callees.get(node.id, ()) if self._releases(callee)]
        if releasing:
            if held:
                self.tenure.releases.append(node)
                self.leave("raise", node, not all(self._releases_raising(callee) for callee in releasing))
            return False
        if held and self.tenure.call.id not in node.deps and self.flows.raising.call(node, self.function):
            self.leave("raise", node, held)
        return held

    def _releases(self, callee: FunctionInfo) -> bool:
        return callee is not self.function and self.location in self.flows.effect(callee).dropped

    def _releases_raising(self, callee: FunctionInfo) -> bool:
        """Whether the callee releases where it raises, too."""
        raised = [exit_ for exit_ in self.flows.of(callee).exits if exit_.kind == "raise"]
        return all(self.location in exit_.state.dropped for exit_ in raised)

    def _is_ours(self, path: Path) -> bool:
        """Whether a released lock is this one, or may be under a name that is not known."""
        lock = self.flows.locks.of(path, self.function)
        if lock is not None and lock.location == self.location:
            return True
        return (lock is None or lock.opaque) and path[-1] == self.path[-1]

    def _ends_process(self, node: Call) -> bool:
        things = self.flows.types.of_value(node.func, self.function)
        return any(isinstance(thing, External) and thing.dotted in _ENDS_PROCESS for thing in things)

    def _passes_on(self, node: Call) -> bool:
        """The lock, its `release`, or a function that releases it is given to something that may do so."""
        for argument in node.args:
            for path in argument.value:
                if any(map(self._gives_back, self.flows.types.of(path, self.function))):
                    self.tenure.called_back = True
                    return True
                if path[-1] in RELEASES and self._is_ours(path[:-1]):
                    return True
                if path == self.path and not self._only_looks(node):
                    return True
        return False

    def _gives_back(self, thing: Thing) -> bool:
        return isinstance(thing, Bound) and self._releases(thing.function)

    def _only_looks(self, node: Call) -> bool:
        callees = self.callees.get(node.id, ())
        return bool(callees) and not any(self.flows.of(callee).releases or self._keeps(callee) for callee in callees)

    def _keeps(self, callee: FunctionInfo) -> bool:
        """Whether a callee stores what it is given: it, or who has it, may release the lock later."""
        given = {(f"p:{param.name}",) for param in callee.ir.params} - {(f"p:{callee.self_name}",)}
        return any(a.kind == "write" and given & set(a.value) for a in self.flows.stores.facts[callee.id].accesses)

    def kind_of(self, way: Exit[bool]) -> Literal["return", "raise", "refused", "break", "continue"]:
        """How a path leaves: `return False` after another acquire was asked says that nothing is held."""
        node = way.node
        if way.kind != "return" or not isinstance(node, Return) or not self.tenure.conditional:
            return way.kind
        told = self._is_asked_with_another(node) or (node.value == (("k:False",),) and self._tells_success())
        return "refused" if told else way.kind

    def _is_asked_with_another(self, node: Return) -> bool:
        """`return a.acquire(timeout=1) and b.acquire(timeout=1)`."""
        return self.tenure.call.id in node.deps and any(
            call.id in node.deps and call.id > self.tenure.call.id and self._is_another(call)
            for call in self.flows.stores.facts[self.function.id].calls
        )

    def _is_another(self, call: Call) -> bool:
        """An acquire of another lock, which may fail, with this one held."""
        path = call.func[0] if call.func else ()
        lock = self.flows.locks.of(path[:-1], self.function) if len(path) > 1 and path[-1] in ACQUIRES else None
        if lock is None or lock.opaque or lock.location == self.location or not may_fail(call):
            return False
        return self.flows.of(self.function).at(call.id).hold(self.location) is not None

    def _tells_success(self) -> bool:
        facts = self.flows.stores.facts[self.function.id]
        return any(node.value == (("k:True",),) for node in facts.returns) and any(map(self._is_another, facts.calls))

    def _hands_over(self, node: Return) -> bool:
        if self._is_asked_with_another(node):
            return False
        if any(path == self.path for path in node.value) or self.tenure.call.id in node.deps:
            self.tenure.handed_on = True
            return True
        return False

    def split(self, node: Branch | Loop, state: bool) -> tuple[bool, bool]:
        """By the answer of the acquire itself, or by a flag: an arm that releases says that it is held there."""
        if node.call == self.tenure.call.id or self._is_one_of_answers(node):
            return state, False
        if not state or not isinstance(node, Branch) or node.test not in ("truth", "none", "other"):
            return state, state
        arms = (node.orelse, node.then) if node.negated else (node.then, node.orelse)
        if self._is_returned_in(arms[0]):
            self.tenure.flagged = True
            return state, False
        if self._is_returned_in(arms[1]):
            self.tenure.flagged = True
            return False, state
        return state, state

    def _is_one_of_answers(self, node: Branch | Loop) -> bool:
        """`if not acquired:` after branches that each ask for the lock in another way."""
        if self.tenure.call.id not in node.deps or (isinstance(node, Branch) and node.test != "truth"):
            return False
        events = [self.flows.stores.facts[self.function.id].events.get(dep) for dep in node.deps]
        asked = {call.func[0] for call in events if isinstance(call, Call) and call.func}
        read = {event.path for event in events if isinstance(event, Access)}
        return all(path[-1] in ACQUIRES for path in asked) and read <= asked | {path[:-1] for path in asked}

    def _is_returned_in(self, arm: tuple[AnyNode, ...]) -> bool:
        """An arm that releases the lock and goes on: its condition says whether the lock is held."""
        if arm and isinstance(arm[-1], (Return, Raise, Jump)):
            return False
        calls = [node for node in nodes_of(arm) if isinstance(node, Call)]
        return any(path[-1] in RELEASES and self._is_ours(path[:-1]) for call in calls for path in call.func)

    def left(self, node: With, inside: bool, before: bool) -> bool:
        """A `with` of this very lock gives it back."""
        for path in node.item.value[:1]:
            lock = self.flows.locks.of(path, self.function)
            if lock is not None and lock.location == self.location and not before:
                return False
        return inside

    def swallows(self, node: With) -> bool:
        path = node.item.value[0] if node.item.value else ("",)
        call = self.flows.stores.facts[self.function.id].made_by(path)
        if call is None:
            return False
        things = self.flows.types.of_value(call.func, self.function)
        return any(isinstance(thing, External) and thing.dotted in _SWALLOWS for thing in things)
