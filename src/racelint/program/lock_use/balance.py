"""What a function takes and gives back of one lock, on every path through it.

What it gives back without having taken it here is its caller's affair; what it gives back once too often is not.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.locks import ACQUIRES, RELEASES
from racelint.model.summary import ELEMENT, Access, AnyNode, Branch, Call, Loop, Path, With
from racelint.program.calling.calls import CallSite
from racelint.program.flow.interpreter import Event, Exit, Interpreter
from racelint.program.flow.values import nodes_of
from racelint.program.linked.primitives import is_own_lock
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.locking.locksets import may_fail
from racelint.program.names.index import FunctionInfo

FRESH, THEIRS = -1, -2
_MOST = 3
_MAX_FIELDS = 3


class Balance(msgspec.Struct, frozen=True, order=True):
    """`depth`: how often the lock is held by what the function did, FRESH before it did anything, THEIRS where a
    caller took it or that cannot be said. `by` is the event that brought that about."""

    depth: int
    by: int


Balances = frozenset[Balance]


class LockBalance(msgspec.Struct):
    """What becomes of one lock in one function."""

    function: FunctionInfo
    lock: Lock
    path: Path
    releases: dict[int, tuple[Call, Balances]] = {}
    """By event: every release, and all balances with which it was come to."""
    emptied: dict[int, tuple[With, int]] = {}
    """`with` blocks of the lock that end after an event gave it back."""
    exits: list[Exit[Balances]] = []
    taken: Call | None = None
    """An `acquire()` that waits, before which the function did nothing to the lock: the caller does not hold it."""


def balances(program: Program) -> Iterator[LockBalance]:
    """Of each of Python's own locks that a function releases by hand, in source order."""
    for function in program.flows.releasers:
        seen = set()
        for lock, call, _ in program.flows.of(function).releases:
            path = call.func[0][:-1]
            plain = ELEMENT not in path and not path[0].startswith("l:") and len(path) <= _MAX_FIELDS
            plain = plain and len(call.func) == 1
            if lock.identity in seen or lock.opaque or not plain or not is_own_lock(program, path, function):
                continue
            seen.add(lock.identity)
            walk = _Walk(program, LockBalance(function, lock, path))
            walk.balance.exits = walk.run(function.ir.body, frozenset({Balance(FRESH, 0)}))
            yield walk.balance


class _Walk(Interpreter[Balances]):
    """The state: every balance that some path to here gives."""

    def __init__(self, program: Program, balance: LockBalance) -> None:
        super().__init__()
        self.program = program
        self.balance = balance
        self.function = balance.function
        self.refused: dict[int, Balances] = {}
        """By acquire that may fail: the balances before it."""
        self.sites: dict[int, CallSite] = {
            site.event: site
            for site in program.calls.outgoing[self.function.id]
            if not site.weak and site.callee is not self.function
        }

    def joined(self, left: Balances, right: Balances) -> Balances:
        return left | right

    def event(self, node: Event, state: Balances) -> Balances:
        if isinstance(node, Call):
            return self._call(node, state)
        if not isinstance(node, Access) or self.program.flows.raising.access(node, self.function):
            self.leave("raise", node, _unsure(state))
        return state

    def _call(self, node: Call, state: Balances) -> Balances:
        path = node.func[0] if node.func else ()
        if len(path) > 1 and path[-1] in ACQUIRES | RELEASES and any(self._is_ours(each[:-1]) for each in node.func):
            if len(node.func) > 1:
                return _theirs(node.id)  # of this lock or of another: `node = node.next` in a loop
            return self._acquired(node, state) if path[-1] in ACQUIRES else self._released(node, state)
        if self.program.flows.raising.call(node, self.function):
            self.leave("raise", node, _unsure(state))
        site = self.sites.get(node.id)
        return self._called(site, state) if site is not None else state

    def _called(self, site: CallSite, state: Balances) -> Balances:
        """A callee that takes the lock or gives it back does so for this function."""
        effect, location = self.program.flows.effect(site.callee), self.balance.lock.location
        held = {hold.lock.location for hold in effect.held}
        if location in effect.perhaps or (site.callee.ir.is_async and location in held | effect.dropped):
            return _theirs(site.event)
        if location in effect.dropped:
            state = frozenset(_less(balance, site.event) for balance in state)
        if location in held:
            state = frozenset(_more(balance, site.event) for balance in state)
        return state

    def _is_ours(self, path: Path) -> bool:
        lock = self.program.locks.of(path, self.function)
        return lock is not None and lock.identity == self.balance.lock.identity

    def _acquired(self, node: Call, state: Balances) -> Balances:
        facts = self.balance.lock.facts
        if facts is not None and facts.world == "async" and not node.awaited:
            return _theirs(node.id)
        taken = frozenset(_more(balance, node.id) for balance in state)
        if may_fail(node) and node.used:
            self.refused[node.id] = state
            return state | taken
        if any(balance.depth == FRESH for balance in state) and not may_fail(node):
            self.balance.taken = self.balance.taken or node
        return taken

    def _released(self, node: Call, state: Balances) -> Balances:
        _, before = self.balance.releases.get(node.id, (node, frozenset()))
        self.balance.releases[node.id] = (node, before | state)
        if node.args:
            return _theirs(node.id)
        return frozenset(_less(balance, node.id) for balance in state)

    def split(self, node: Branch | Loop, state: Balances) -> tuple[Balances | None, Balances | None]:
        """By the answer of an acquire, or by a flag: the arm that releases is there for where it is held."""
        before = self.refused.get(node.call)
        if before is not None:
            taken = frozenset(_more(balance, node.call) for balance in before)
            return taken, frozenset(b if b.depth > 0 else Balance(0, node.call) for b in before)
        if not isinstance(node, Branch):
            return state, state
        if any(balance.depth > 0 for balance in state):
            state = _unsure(state)  # what decided whether it was taken may decide here, too
        if any(self._asks(dep) for dep in node.deps):
            return _theirs(node.call), _theirs(node.call)
        arms = (node.orelse, node.then) if node.negated else (node.then, node.orelse)
        releasing = [self._releases(arm) for arm in arms]
        held = frozenset(balance for balance in state if balance.depth != 0)
        if held == state or releasing[0] == releasing[1]:
            return state, state
        return (held or None, state - held) if releasing[0] else (state - held, held or None)

    def _asks(self, event: int) -> bool:
        """`lock.locked()` and its like."""
        call = self.program.stores.facts[self.function.id].call(event)
        return call is not None and bool(call.func) and self._is_ours(call.func[0][:-1] or call.func[0])

    def _releases(self, arm: tuple[AnyNode, ...]) -> bool:
        """Whether the first that is done to the lock is to give it back."""
        for node in nodes_of(arm):
            if isinstance(node, With) and self._is_taken_by(node):
                return False
            path = node.func[0] if isinstance(node, Call) and node.func else ()
            if len(path) > 1 and path[-1] in ACQUIRES | RELEASES and self._is_ours(path[:-1]):
                return path[-1] in RELEASES
        return False

    def entered(self, node: With, state: Balances) -> Balances:
        return frozenset(_more(balance, node.id) for balance in state) if self._is_taken_by(node) else state

    def left(self, node: With, inside: Balances, before: Balances) -> Balances:
        if not self._is_taken_by(node):
            return inside
        gone = [balance for balance in inside if balance.depth == 0 and balance.by > node.id]
        if gone:
            self.balance.emptied.setdefault(node.id, (node, min(gone).by))
        return frozenset(_less(balance, node.id) for balance in inside)

    def _is_taken_by(self, node: With) -> bool:
        return any(self._is_ours(path) for path in node.item.value[:1])


def _more(balance: Balance, by: int) -> Balance:
    depth = 1 if balance.depth == FRESH else balance.depth + (balance.depth >= 0)
    return Balance(min(depth, _MOST), by)


def _less(balance: Balance, by: int) -> Balance:
    depth = THEIRS if balance.depth < 0 else max(0, balance.depth - 1)
    return Balance(depth, by)


def _unsure(state: Balances) -> Balances:
    """What nothing was done to so far is the caller's affair from here on."""
    return frozenset(Balance(THEIRS, b.by) if b.depth == FRESH else b for b in state)


def _theirs(by: int) -> Balances:
    return frozenset({Balance(THEIRS, by)})
