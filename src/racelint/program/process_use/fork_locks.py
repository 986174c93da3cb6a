"""Locks that fork-aware code takes in the child as the parent left them, perhaps held by a thread that is not there.

Code is aware of forks where it compares `os.getpid()` with a process id that it has kept, or registers a handler with
`os.register_at_fork`. It must make the lock anew in the child, or hold it across the fork.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.locks import ACQUIRES
from racelint.model.summary import Branch, Call, Path, Span, Value, With
from racelint.program.flow.values import Stored, nodes_of
from racelint.program.linked.makers import calls_of
from racelint.program.linked.processes import closure
from racelint.program.linker import Program
from racelint.program.locking.locks import Lock
from racelint.program.locking.locksets import may_fail
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Bound
from racelint.program.sharing.ownership import makes_self


class InheritedLock(msgspec.Struct, frozen=True):
    """`lock` is taken at `span`; `aware` is where the code notices the fork; `made`: where the lock was made."""

    function: FunctionInfo
    lock: Lock
    span: Span
    aware: tuple[FunctionInfo, Span]
    made: Stored | None


class ForkLocks:
    """All inherited locks of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[InheritedLock]:
        """Those beside a comparison of process ids, then those of fork handlers; each lock once in a function."""
        handlers = list(calls_of(self.program, "os.register_at_fork"))
        held: set[Location] = set()
        for handler in handlers:
            held |= self._held_before(handler.call, handler.function)
        for function in dict.fromkeys(named.function for named in self.program.callees.named(("os.getpid",))):
            check = self._compares_pid(function)
            if check is not None:
                yield from self._taken_in(function, (function, check), held)
        for handler in handlers:
            yield from self._of_handler(handler.call, handler.function, held)

    def _compares_pid(self, function: FunctionInfo) -> Span | None:
        """The condition that compares the process id with one that was kept."""
        facts = self.program.stores.facts[function.id]
        pids = {named.call.id for named in self.program.callees.outside(function) if named.dotted == "os.getpid"}
        for node in nodes_of(function.ir.body) if pids else ():
            if isinstance(node, Branch) and pids & set(node.deps):
                kept = (facts.events[dep] for dep in node.deps if dep in facts.events and dep not in pids)
                if any(not isinstance(event, Call) and len(event.path) > 1 for event in kept):
                    return node.span
        return None

    def _of_handler(self, call: Call, function: FunctionInfo, held: set[Location]) -> Iterator[InheritedLock]:
        for target in self._functions(_given(call, "after_in_child"), function):
            for reached in closure(self.program, [target]).values():
                yield from self._taken_in(reached, (function, call.span), held)

    def _held_before(self, call: Call, function: FunctionInfo) -> set[Location]:
        """The locks that the handler before the fork takes and keeps."""
        found: set[Location] = set()
        value = _given(call, "before")
        for path in value:
            lock = self.program.locks.of(path[:-1], function) if path[-1] in ACQUIRES and len(path) > 1 else None
            if lock is not None:
                found.add(lock.location)
        for target in self._functions(value, function):
            for reached in closure(self.program, [target]).values():
                found |= {hold.lock.location for hold in self.program.flows.effect(reached).held}
        return found

    def _functions(self, value: Value, function: FunctionInfo) -> list[FunctionInfo]:
        return [t.function for t in self.program.types.of_value(value, function) if isinstance(t, Bound)]

    def _taken_in(
        self, function: FunctionInfo, aware: tuple[FunctionInfo, Span], held: set[Location]
    ) -> Iterator[InheritedLock]:
        seen = set(held)
        for lock, node, _ in self.program.flows.of(function).acquisitions:
            waits = isinstance(node, With) or (isinstance(node, Call) and not may_fail(node))
            if lock.location in seen or lock.facts is None or lock.facts.world != "thread" or not waits:
                continue
            seen.add(lock.location)
            stores = self._stores_of(lock.location)
            if stores and all(self._is_first(entry) for entry in stores) and not self._starts_over(function):
                span = node.item.span if isinstance(node, With) else node.span
                yield InheritedLock(function, lock, span, aware, stores[0])

    def _stores_of(self, location: Location) -> list[Stored]:
        stores = self.program.stores
        if location.kind == "attribute":
            return stores.attributes.get((location.owner, location.fields[0]), [])
        return stores.variables.get((location.owner, location.fields[0]), []) if location.kind == "global" else []

    def _is_first(self, entry: Stored) -> bool:
        """The lock is made with the object or module, by its factory: anything else may look after forks."""
        if not makes_self(entry.function) and entry.function.ir.kind not in ("module", "class"):
            return False
        calls = [self.program.stores.facts[entry.function.id].call(int(p[0][2:])) for p in entry.value if _is_call(p)]
        things = [self.program.types.of_value(call.func, entry.function) for call in calls if call is not None]
        return bool(things) and all(any(isinstance(thing, External) for thing in found) for found in things)

    def _starts_over(self, function: FunctionInfo) -> bool:
        """`self.__init__()`: in the child everything is made anew."""
        return any(
            makes_self(site.callee) and site.receiver == (f"p:{function.self_name}",)
            for site in self.program.calls.outgoing[function.id]
        )


def _given(call: Call, name: str) -> Value:
    return next((argument.value for argument in call.args if argument.name == name), ())


def _is_call(path: Path) -> bool:
    return len(path) == 1 and path[0].startswith("c:")
