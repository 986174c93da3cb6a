"""Flags by which a thread is told to stop, and which it sets itself when it begins: who said stop before is not heard.

`def run(self): self.running = True` / `while self.running: …`, and `def stop(self): self.running = False`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Branch, Call, Loop, Value, leaves
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import contains, enclosing, place_of
from racelint.program.linked.processes import closure
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.objects.locations import Location
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import SharedAccess
from racelint.program.threads.test_cases import is_of_tests

_OPPOSITE: dict[Value, Value] = {
    ((one,),): ((other,),)
    for pair in (("k:True", "k:False"), ("k:int:1", "k:int:0"))
    for one, other in (pair, pair[::-1])
}
_TELLING = frozenset({"put", "put_nowait"})
_CLOSING = ("close", "shutdown", "terminate", "kill")
_WAITS = frozenset({"wait", "wait_for", "get", "join", "acquire", "result"})


class LostStop(msgspec.Struct, frozen=True):
    """The thread of `root` begins with `begin`, and `stop` writes the opposite, for `look` to see.

    Where `asked`, the look is one of `stop`'s own function, which does nothing before the thread has begun.
    """

    root: ThreadRoot
    begin: SharedAccess
    look: SharedAccess
    stop: SharedAccess
    asked: bool


class LostStops:
    """All of them, one for each target of a thread."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[LostStop]:
        """In the order of the threads."""
        seen: set[str] = set()
        for root in self.program.roots:
            if root.kind == "thread" and root.target.id not in seen and not self._is_waited_for(root):
                seen.add(root.target.id)
                yield from list(self._of(root))[:1]

    def _of(self, root: ThreadRoot) -> Iterator[LostStop]:
        run: dict[str, FunctionInfo] = {}
        for begin in self._beginnings(root.target):
            run = run or closure(self.program, [root.target])
            look = next((look for f in run.values() for look in self._looks(f, begin)), None)
            for stop in self._stops(root, begin):
                asked = self._asked(stop)
                if look is not None and not self._is_told_besides(stop):
                    yield LostStop(root, begin, look, stop, False)
                elif look is None and asked is not None and self._goes_on(root.target):
                    yield LostStop(root, begin, asked, stop, True)

    def _beginnings(self, target: FunctionInfo) -> Iterator[SharedAccess]:
        """Flags that the function sets before it looks at them, whatever they are, and once."""
        known: set[Location] = set()
        for access in self.program.shared.of(target):
            first = access.location not in known
            known.add(access.location)
            plain = access.deed == "write" and access.value in _OPPOSITE and not access.location.content
            if first and plain and not loops_around(target).get(access.event):
                around = enclosing(place_of(target, access.event))
                if not any(isinstance(node, (Branch, Loop)) for node in around):
                    yield access

    def _looks(self, function: FunctionInfo, begin: SharedAccess) -> Iterator[SharedAccess]:
        """Those that end a loop: in its head, or before a `break` or `return`."""
        for access in self.program.shared.of(function):
            after = access.function is not begin.function or access.event > begin.event
            if access.location == begin.location and access.deed == "read" and after:
                loops = loops_around(function).get(access.event, [])
                if any(loop.kind == "while" and self._ends(loop, access.event) for loop in loops):
                    yield access

    @staticmethod
    def _ends(loop: Loop, event: int) -> bool:
        if event in loop.deps or any(contains(node, event) for node in loop.head):
            return True
        branches = (node for node in nodes_of(loop.body) if isinstance(node, Branch) and event in node.deps)
        return any(leaves(node.then) or leaves(node.orelse) for node in branches)

    def _stops(self, root: ThreadRoot, begin: SharedAccess) -> Iterator[SharedAccess]:
        """Writes of the opposite on other threads, by others than the starter and constructors."""
        for access in self.program.shared.at(begin.location):
            function = access.function
            if access.deed != "write" or access.value != _OPPOSITE[begin.value]:
                continue
            if function in root.starters or makes_self(function) or is_of_tests(function):
                continue
            if function.ir.kind == "function" and self.program.reach.is_beside(root, function):
                yield access

    def _asked(self, stop: SharedAccess) -> SharedAccess | None:
        """The look at the flag that decides whether the stop is said at all."""
        for access in self.program.shared.of(stop.function):
            if access.location == stop.location and access.deed == "read" and access.event < stop.event:
                for node in nodes_of(stop.function.ir.body):
                    decides = isinstance(node, Branch) and access.event in node.deps
                    if decides and isinstance(node, Branch) and (leaves(node.then) or contains(node, stop.event)):
                        return access
        return None

    def _is_told_besides(self, stop: SharedAccess) -> bool:
        """The thread is told by a queue, too, whatever the flag is, or what it works with is closed."""
        calls = self.program.stores.facts[stop.function.id].calls
        names = [path[-1].rpartition(":")[2] for call in calls for path in call.func]
        return any(name in _TELLING or any(word in name for word in _CLOSING) for name in names)

    def _goes_on(self, target: FunctionInfo) -> bool:
        return any(loop.infinite for loop in self.program.stores.facts[target.id].loops)

    def _is_waited_for(self, root: ThreadRoot) -> bool:
        """Whoever starts the thread waits until it says that it has begun."""
        starters = list(root.starts)
        own = root.cls.method("start") if root.cls is not None else None
        if own is not None:
            starters.append((own, 0))
        for function, event in starters:
            for node in nodes_of(function.ir.body):
                if isinstance(node, Call) and node.id > event and any(path[-1] in _WAITS for path in node.func):
                    return True
                if isinstance(node, Loop) and node.kind == "while" and any(dep > event for dep in node.deps):
                    return True
        return False
