"""Every `acquire()` of the program with what becomes of the lock, and whether taking it is the function's job.

A lock that one function takes and another gives back (`begin` / `end`, `__enter__` / `__exit__`, a slot that a
callback frees) is a protocol, not a leak: the release elsewhere tells.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.containers import TAKING_METHODS
from racelint.knowledge.locks import ACQUIRES, RELEASES
from racelint.model.summary import ELEMENT, Call, Path, Raise, Return, Suspend
from racelint.program.flow.values import FunctionFacts
from racelint.program.linker import Program
from racelint.program.locking.leaks import Leak, Tenure, follow
from racelint.program.locking.lock_state import LockState
from racelint.program.locking.locks import Lock
from racelint.program.locking.locksets import may_fail
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.threads.test_cases import is_of_test_case, is_own_of_test

_ACQUIRING_NAMES = frozenset({"lock", "enter", "take", "grab", "begin", "hold", "start_critical"}) | ACQUIRES


class Judged(msgspec.Struct, frozen=True):
    """A tenure and those of its leaks that nobody makes good."""

    tenure: Tenure
    leaks: tuple[Leak, ...]


class Tenures:
    """All manual acquisitions of known locks, in source order."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._given_back: dict[Location, set[str]] = {}
        self._given_back_names: dict[str, set[str]] = {}
        self._taken: dict[Location, set[str]] = {}
        for function in dict.fromkeys((*program.flows.takers, *program.flows.releasers)):
            self._note(function)
        for function in program.index.functions:
            for access in program.stores.facts[function.id].accesses:
                if access.path[-1] in RELEASES and access.kind == "read" and not access.called:
                    self._note_handed_out(access.path, function)

    def judged(self) -> Iterator[Judged]:
        """Every acquisition whose function is answerable for it."""
        for function in self.program.flows.takers:
            for lock, node, state in self.program.flows.of(function).acquisitions:
                if not isinstance(node, Call) or self._is_looked_at(node, function):
                    continue
                known = is_known(self.program, node.func[0][:-1], function)
                known = known and not is_own_of_test(node.func[0], function)
                if known and self._is_certain(lock, node, state, function):
                    tenure = follow(self.program.flows, function, node, lock)
                    yield Judged(tenure, tuple(self._unexcused(tenure)))

    def taken_by_callees(self) -> Iterator[Judged]:
        """Locks that a helper leaves held for the function, which gives them back itself unless an exception comes."""
        flows = self.program.flows
        leaving = {function.id for function in flows.acting if flows.effect(function).held}
        for function in self.program.index.functions if leaving else ():
            facts = self.program.stores.facts[function.id]
            for site in self.program.calls.outgoing[function.id]:
                call = facts.call(site.event) if site.callee.id in leaving else None
                if call is None or site.weak or site.callee is function or may_fail(call):
                    continue
                if is_own_of_test(call.func[0], function):
                    continue
                state = flows.of(function).at(call.id)
                for hold in flows.effect(site.callee).held:
                    if hold.lock.nameless or hold.lock.facts is None or hold.lock.location in state.dropped:
                        continue
                    tenure = follow(flows, function, call, flows.seen_from(site, hold.lock), by_callee=True)
                    if tenure.releases and not tenure.handed_on:
                        yield Judged(tenure, tuple(leak for leak in tenure.leaks if leak.kind == "raise"))

    def _is_looked_at(self, call: Call, function: FunctionInfo) -> bool:
        """Given to something else (`assertTrue(lock.acquire())`), or a coroutine that is yielded or kept."""
        facts = self.program.stores.facts[function.id]
        answer: Path = (f"c:{call.id}",)
        if any(answer in argument.value for other in facts.calls for argument in other.args):
            return True
        return any(answer in node.value for node in facts.yields)

    @staticmethod
    def _is_certain(lock: Lock, call: Call, state: LockState, function: FunctionInfo) -> bool:
        """A lock by its type; taken back after a release for the caller, its holder answers for it."""
        return not (
            lock.opaque or function.ir.kind == "class" or lock.location in state.dropped or "__exit__" in call.func[0]
        )

    def _note(self, function: FunctionInfo) -> None:
        """Remember the releases of locks that the releasing function does not take itself."""
        flow = self.program.flows.of(function)
        unbalanced = {location for exit_ in flow.exits if exit_.kind == "return" for location in exit_.state.dropped}
        calls = [node for _, node, _ in flow.acquisitions if isinstance(node, Call)]
        taken_names = {call.func[0][-2] for call in calls}
        by_hand = {lock.location for lock, node, _ in flow.acquisitions if isinstance(node, Call)}
        for lock, call, state in flow.releases:
            if lock.opaque:
                if call.func[0][-2] not in taken_names:
                    self._given_back_names.setdefault(call.func[0][-2], set()).add(function.id)
            elif (_is_inner(lock, state) and lock.location not in by_hand) or (
                lock.location not in state.may and (lock.location in unbalanced or function.ir.is_generator)
            ):
                self._given_back.setdefault(lock.location, set()).add(function.id)
        for lock, _, _ in flow.acquisitions:
            self._taken.setdefault(lock.location, set()).add(function.id)

    def _note_handed_out(self, path: Path, function: FunctionInfo) -> None:
        """`lock.release` is given away uncalled."""
        if len(path) < 2:
            return
        handed = self.program.locks.of(path[:-1], function)
        taken = {lock.location for lock, _, _ in self.program.flows.of(function).acquisitions}
        if handed is not None and handed.location in taken:
            return
        if handed is None or handed.opaque:
            self._given_back_names.setdefault(path[-2], set()).add(function.id)
        else:
            self._given_back.setdefault(handed.location, set()).add(function.id)

    def _unexcused(self, tenure: Tenure) -> Iterator[Leak]:
        path, facts = tenure.call.func[0][:-1], self.program.stores.facts[tenure.function.id]
        if tenure.lock.nameless and (is_private(path, facts) or is_of_test_case(tenure.function)):
            return
        yield from (leak for leak in tenure.leaks if leak.kind == "refused")
        if tenure.handed_on and not tenure.releases:
            if self._is_for_caller(tenure):  # who gets nothing where it raises
                yield from (leak for leak in tenure.leaks if leak.kind == "raise")
            return
        if tenure.called_back:  # who caught what may go wrong before that knows it, but for being cancelled
            yield from (leak for leak in tenure.leaks if leak.kind == "raise" and isinstance(leak.node, Suspend))
            return
        kept = [leak for leak in tenure.leaks if leak.kind == "return"]
        if kept and (self._is_protocol(tenure) or self._says_so(tenure, kept)):
            if tenure.function.ir.name == "__enter__":  # no `__exit__` follows where it raises
                yield from (leak for leak in tenure.leaks if leak.kind == "raise")
            else:
                yield from self._unmade(tenure, kept)
            return
        if kept and not tenure.releases and not self._is_missed(tenure):
            return
        if not tenure.releases and self._is_protocol(tenure) and any(leak.kind == "turn" for leak in tenure.leaks):
            return  # each turn waits until another function gives it back
        for leak in tenure.leaks:
            if leak.kind != "refused" and (leak.kind != "turn" or self._is_one_lock(tenure)):
                yield leak

    def _is_for_caller(self, tenure: Tenure) -> bool:
        """Whether what gives the lock back is returned: the lock, or what is made with it."""
        for node in self.program.stores.facts[tenure.function.id].returns:
            made = [self.program.stores.facts[tenure.function.id].made_by(path) for path in node.value]
            if tenure.path in node.value or any(
                call is not None and any(tenure.path in argument.value for argument in call.args) for call in made
            ):
                return True
        return False

    def _unmade(self, tenure: Tenure, kept: list[Leak]) -> Iterator[Leak]:
        """Where what is handed out together with the permit cannot be made: who gets nothing gives nothing back.

        A function that gives the permit back somewhere knows what can fail.
        """
        facts = self.program.stores.facts[tenure.function.id]
        made: set[int] = set()
        for leak in kept:
            values = leak.node.value if isinstance(leak.node, Return) else ()
            for call in (facts.made_by(path) for path in values if len(path) == 1):
                if call is not None and call.id > tenure.call.id:
                    made |= {call.id, *call.deps}
        counts = tenure.lock.facts is not None and tenure.lock.facts.family == "semaphore"
        if made and counts and not tenure.releases:
            for leak in tenure.leaks:
                given = isinstance(leak.node, Call) and leak.node.id in made and not _takes_kept(leak.node)
                if leak.kind == "raise" and (given or isinstance(leak.node, Raise)):
                    yield leak

    def _is_protocol(self, tenure: Tenure) -> bool:
        named = self._given_back_names.get(tenure.call.func[0][-2], set()) - {tenure.function.id}
        return bool(self._given_back.get(tenure.lock.location) or named) or tenure.handed_on

    @staticmethod
    def _says_so(tenure: Tenure, kept: list[Leak]) -> bool:
        """True for `held`, something else for not: the caller is told."""
        values = {leak.node.value if isinstance(leak.node, Return) else () for leak in kept}
        return tenure.conditional and values == {(("k:True",),)}

    def _is_missed(self, tenure: Tenure) -> bool:
        """A lock that is never given back: whether somebody can wait for it, and this is no helper to take it."""
        lock, function = tenure.lock, tenure.function
        name = function.ir.name.strip("_").lower()
        if lock.facts is None or lock.facts.family == "semaphore" or lock.location.kind == "captured":
            return False
        if any(word in name for word in _ACQUIRING_NAMES) or tenure.conditional or not self._is_one_lock(tenure):
            return False
        runs_once = function.ir.kind == "module" or name == "init"
        return not runs_once or bool(self._taken.get(lock.location, set()) - {function.id})

    @staticmethod
    def _is_one_lock(tenure: Tenure) -> bool:
        """Not one of a family, where each turn takes another, and nothing that counts."""
        facts = tenure.lock.facts
        path = tenure.call.func[0]
        return (
            ELEMENT not in path and not path[0].startswith("l:") and facts is not None and facts.family != "semaphore"
        )


def _is_inner(lock: Lock, state: LockState) -> bool:
    """`with rlock: …; rlock.release()` gives back what was taken before, once more than the `with` does."""
    return lock.reentrant and any(hold.lock.location == lock.location and hold.via == "with" for hold in state.must)


def _takes_kept(call: Call) -> bool:
    """An element of what holds as many as there are permits: it is there."""
    return len(call.func[0]) > 1 and call.func[0][-1] in TAKING_METHODS | {"get"}


def is_private(path: Path, facts: FunctionFacts) -> bool:
    """A lock or condition made in this very function that nobody else can hold, wait for or notify."""
    if len(path) != 1 or not path[0].startswith("c:") or facts.call(int(path[0][2:])) is None:
        return False
    if facts.looked_up(path) != path:
        return False  # kept under a key
    given = any(p[:1] == path for call in facts.calls for argument in call.args for p in argument.value)
    returned = any(path in node.value for node in facts.returns)
    return not given and not returned and not any(path in access.value for access in facts.accesses)


def is_known(program: Program, path: Path, function: FunctionInfo, depth: int = 0) -> bool:
    """Whether all that is passed for a parameter is of a known type: one lock among unknowns makes it none."""
    if len(path) != 1 or not path[0].startswith("p:") or depth > 3:
        return True
    for value, caller in program.types.arguments.get((function.id, path[0][2:]), []):
        for passed in value:
            if not program.types.of(passed, caller) or not is_known(program, passed, caller, depth + 1):
                return False
    return True
