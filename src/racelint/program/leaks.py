"""Where a lock taken by `acquire()` can stay held: a path from the acquire to an exit, without a release.

The must-lockset of `locksets` forgets a lock where paths join; this follows one acquisition forward over all paths
(a may-analysis started at the acquire), as the leak checkers of Infer and RAII lints do. Flags that say whether
the lock is held (`if locked: lock.release()`) are believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from racelint.knowledge.locks import RELEASES
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
    With,
)
from racelint.program.index import External, FunctionInfo
from racelint.program.locks import Lock
from racelint.program.locksets import LockFlows, may_fail
from racelint.program.values import nodes_of

_ENDS_PROCESS = frozenset({"sys.exit", "os._exit", "os.abort", "builtins.exit", "builtins.quit"})
_SWALLOWS = frozenset({"contextlib.suppress", "pytest.raises"})

State = bool | None
"""Whether the lock may be held; None where control does not come."""


class Leak(NamedTuple):
    """A way on which the lock stays held: by which node (None: off the end).

    `turn`: a loop comes to the acquire again.
    """

    kind: Literal["return", "raise", "turn", "break", "continue"]
    node: AnyNode | None


@dataclass
class Tenure:
    """What becomes of one `acquire()`: the leaks, the releases that end it, and whether the lock was handed on."""

    function: FunctionInfo
    call: Call
    lock: Lock
    leaks: list[Leak] = field(default_factory=list)
    releases: list[Call] = field(default_factory=list)
    handed_on: bool = False
    flagged: bool = False
    """Whether a flag decides on the release."""

    @property
    def conditional(self) -> bool:
        return may_fail(self.call)


def follow(flows: LockFlows, function: FunctionInfo, call: Call, lock: Lock) -> Tenure:
    """Follow the lock that `call` takes to all exits of the function."""
    tenure = Tenure(function, call, lock)
    walk = _Walk(flows, tenure)
    end = walk.block(function.ir.body, False)
    if end:
        walk.sinks.append(Leak("return", None))
    seen: set[tuple[str, int]] = set()
    for leak in walk.sinks:
        if (leak.kind, id(leak.node)) not in seen:
            seen.add((leak.kind, id(leak.node)))
            tenure.leaks.append(leak)
    return tenure


class _Walk:
    """One pass over the control-flow tree; `sinks` are abrupt exits, with the lock held, of the construct at hand."""

    def __init__(self, flows: LockFlows, tenure: Tenure) -> None:
        self.flows = flows
        self.tenure = tenure
        self.function = tenure.function
        self.location = tenure.lock.location
        self.path: Path = tenure.call.func[0][:-1]
        self.sinks: list[Leak] = []
        self.last_jump: AnyNode | None = None
        self.callees: dict[int, list[FunctionInfo]] = {}
        for site in flows.calls.outgoing[self.function.id]:
            self.callees.setdefault(site.event, []).append(site.callee)

    def block(self, nodes: Iterable[AnyNode], held: State) -> State:
        for node in nodes:
            if held is None:
                return None
            held = self._node(node, held)
        return held

    def _node(self, node: AnyNode, held: bool) -> State:
        match node:
            case Call():
                return self._call(node, held)
            case Branch():
                return self._branch(node, held)
            case Loop():
                return self._loop(node, held)
            case Try():
                return self._try(node, held)
            case With():
                return self._with(node, held)
            case Access() | Suspend() | Operation():
                return self._event(node, held)
            case Return():
                self._leave("return", node, held and not self._hands_over(node))
            case Raise():
                self._leave("raise", node, held)
            case Jump():
                self._leave(node.kind, node, held)
        return None

    def _leave(self, kind: Literal["return", "raise", "break", "continue"], node: AnyNode, held: bool) -> None:
        if held:
            self.sinks.append(Leak(kind, node))

    def _event(self, node: Access | Suspend | Operation, held: bool) -> State:
        if not held:
            return held
        if isinstance(node, Access):
            if node.kind == "write" and self.path in node.value:
                self.tenure.handed_on = True
                return False
            if not self.flows.raising.access(node, self.function):
                return held
        elif isinstance(node, Suspend) and node.kind == "await" and node.value == ((f"c:{self.tenure.call.id}",),):
            return held
        self._leave("raise", node, held)
        return held

    def _call(self, node: Call, held: bool) -> State:
        if node.id == self.tenure.call.id:
            if held and self.last_jump is not None:
                self.sinks.append(Leak("turn", self.last_jump))
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
                self._leave("raise", node, not all(self._releases_raising(callee) for callee in releasing))
            return False
        if held and self.tenure.call.id not in node.deps and self.flows.raising.call(node, self.function):
            self._leave("raise", node, held)
        return held

    def _releases(self, callee: FunctionInfo) -> bool:
        return callee is not self.function and self.location in self.flows.effect(callee)[1]

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
        """The lock, or its `release`, is given to something that may release it."""
        for argument in node.args:
            for path in argument.value:
                if path[-1] in RELEASES and self._is_ours(path[:-1]):
                    return True
                if path == self.path and not self._only_looks(node):
                    return True
        return False

    def _only_looks(self, node: Call) -> bool:
        callees = self.callees.get(node.id, ())
        return bool(callees) and not any(self.flows.of(callee).releases for callee in callees)

    def _hands_over(self, node: Return) -> bool:
        if any(path == self.path for path in node.value) or self.tenure.call.id in node.deps:
            self.tenure.handed_on = True
            return True
        return False

    def _branch(self, node: Branch, held: bool) -> State:
        taken: bool = held
        other: bool = held
        if node.call == self.tenure.call.id:
            taken, other = (False, held) if node.negated else (held, False)
        elif held and node.test in ("truth", "none", "other"):
            if self._gives_back(node.then):
                other = False
                self.tenure.flagged = True
            elif self._gives_back(node.orelse):
                taken = False
                self.tenure.flagged = True
        then = self.block(node.then, taken) if node.constant != "false" else None
        orelse = self.block(node.orelse, other) if node.constant != "true" else None
        return _either(then, orelse)

    def _gives_back(self, arm: tuple[AnyNode, ...]) -> bool:
        """An arm that releases the lock and goes on: its condition says whether the lock is held."""
        if arm and isinstance(arm[-1], (Return, Raise, Jump)):
            return False
        calls = [node for node in nodes_of(arm) if isinstance(node, Call)]
        return any(path[-1] in RELEASES and self._is_ours(path[:-1]) for call in calls for path in call.func)

    def _loop(self, node: Loop, held: bool) -> State:
        outer, self.sinks = self.sinks, []
        found: list[Leak] = []
        head: State = held
        after: State = None
        for _ in range(2):
            self.sinks = []
            test = self.block(node.head, head)
            inside, after = self._split(node, test)
            end = self.block(node.body, inside)
            going_on = [leak for leak in self.sinks if leak.kind == "continue"]
            if end or going_on:
                self.last_jump = going_on[0].node if going_on else node
                end = True
            found.extend(leak for leak in self.sinks if leak.kind != "continue")
            head = _either(held, end)
        self.last_jump = None
        self.sinks = []
        after = None if node.infinite else self.block(node.orelse, after)
        outer.extend(self.sinks)
        for leak in found:
            if leak.kind == "break":
                after = True
            else:
                outer.append(leak)
        if node.infinite and after is None and any(isinstance(n, Jump) for n in nodes_of(node.body)):
            after = False
        self.sinks = outer
        return after

    def _split(self, node: Loop, held: State) -> tuple[State, State]:
        if node.call == self.tenure.call.id and held is not None:
            return (False, held) if node.negated else (held, False)
        return held, held

    def _try(self, node: Try, held: bool) -> State:
        outer, self.sinks = self.sinks, []
        end = self.block(node.body, held)
        raised = [leak for leak in self.sinks if leak.kind == "raise"]
        pending = [leak for leak in self.sinks if leak.kind != "raise"]
        self.sinks = []
        end = self.block(node.orelse, end)
        for handler in node.handlers:
            end = _either(end, self.block(handler.body, bool(raised)))
        pending.extend(leak for leak in raised if not catches(node, leak.node))
        pending.extend(self.sinks)
        self.sinks = outer
        if not node.final:
            self.sinks.extend(pending)
            return end
        after = self.block(node.final, end if end is not None else False)
        if pending:
            mark = len(self.sinks)
            if self.block(node.final, True):
                self.sinks[mark:mark] = pending
        return after if end is not None else None

    def _with(self, node: With, held: bool) -> State:
        outer, self.sinks = self.sinks, []
        end = self.block(node.body, held)
        inner, self.sinks = self.sinks, outer
        for path in node.item.value[:1]:
            lock = self.flows.locks.of(path, self.function)
            if lock is not None and lock.location == self.location and not held:
                return None if end is None else False
            if self._swallows(path):
                end = True if any(leak.kind == "raise" for leak in inner) else end
                inner = [leak for leak in inner if leak.kind != "raise"]
        self.sinks.extend(inner)
        return end

    def _swallows(self, path: Path) -> bool:
        call = self.flows.stores.facts[self.function.id].call(int(path[0][2:])) if path[0].startswith("c:") else None
        if call is None:
            return False
        things = self.flows.types.of_value(call.func, self.function)
        return any(isinstance(thing, External) and thing.dotted in _SWALLOWS for thing in things)


_LOOKUPS = ("g:KeyError", "g:IndexError", "g:LookupError")


def catches(node: Try, raised: AnyNode | None) -> bool:
    """Whether some handler certainly catches what `raised` raises."""
    for handler in node.handlers:
        names = {path[-1] for path in handler.types}
        if not handler.types or names & {"g:BaseException", "g:Exception"}:
            return True
        if isinstance(raised, Access) and names & set(_LOOKUPS):
            return True
        if isinstance(raised, Raise) and any(path in handler.types for path in raised.types):
            return True
    return False


def _either(left: State, right: State) -> State:
    if left is None or right is None:
        return right if left is None else left
    return left or right
