"""Calls of what nobody knows, which may come back for a lock or wait: no lock is to be held around them."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.knowledge.containers import MUTATING_METHODS, READING_METHODS
from racelint.model.summary import ELEMENT, Call, Path
from racelint.program import Program
from racelint.program.linked.foreign_callbacks import given_by, handed_in
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo

_WAITING = frozenset(
    {"recv", "recv_into", "recvfrom", "recvmsg", "accept", "connect", "sendall", "communicate", "select"}
    | {"wait", "wait_for", "sleep", "getresponse", "urlopen"}
)
"""What waits, whatever has such a method."""
_HARMLESS = (
    MUTATING_METHODS
    | READING_METHODS
    | {"set", "clear", "is_set", "is_alive", "notify", "notify_all", "cancel", "done", "locked", "acquire", "release"}
)


class Strangers:
    """Finds them in a call, and in the functions of the program that it runs; `lock` is the one to be held.

    What is called under the lock already is its author's affair.
    """

    def __init__(self, program: Program, lock: Lock | None) -> None:
        self.program = program
        self.lock = lock

    def reason(self, call: Call, function: FunctionInfo) -> str:
        """What speaks against the lock around a call; empty for nothing."""
        found = (self._own(inner, where) for inner, where in self._inside(call, function))
        return next((reason for reason in found if reason), "")

    def _inside(self, call: Call, function: FunctionInfo) -> Iterator[tuple[Call, FunctionInfo]]:
        yield call, function
        sites = self.program.calls.outgoing[function.id]
        pending = [site.callee for site in sites if site.event == call.id and not site.weak]
        seen = {callee.id for callee in pending}
        while pending:
            callee = pending.pop()
            for inner in self.program.stores.facts[callee.id].calls:
                yield inner, callee
            following = [site.callee for site in self.program.calls.outgoing[callee.id] if site.callee.id not in seen]
            seen |= {other.id for other in following}
            pending += following

    def _own(self, call: Call, function: FunctionInfo) -> str:
        flow = self.program.flows.of(function)
        if self.lock is not None and flow.at(call.id).hold(self.lock.location) is not None:
            return ""
        (path, *others) = call.func or ((),)
        whole = path
        while len(whole) > 1 and whole[-1] == ELEMENT:  # one of those in a tuple or list
            whole = whole[:-1]
        kept = not others and len(path) > 1 and given_by(self.program, whole, function) is not None
        if kept or handed_in(self.program, call, function) is not None:
            return "what was handed in, which might come back for the lock"
        return self._of_stranger(path, call, function) if not others and len(path) > 1 else ""

    def _of_stranger(self, path: Path, call: Call, function: FunctionInfo) -> str:
        """A method that waits, whatever it belongs to, or one of the objects that a container was given."""
        if path[-1] in _WAITING and not self._is_of_program(call, function):
            return f"`{path[-1]}()`, which may wait"
        given = path[-2] == ELEMENT and path[-1] not in _HARMLESS and given_by(self.program, path[:-1], function)
        return f"`{path[-1]}()` of objects from outside" if given else ""

    def _is_of_program(self, call: Call, function: FunctionInfo) -> bool:
        return any(site.event == call.id for site in self.program.calls.outgoing[function.id])
