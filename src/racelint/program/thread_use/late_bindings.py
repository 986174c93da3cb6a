"""Variables that a thread's closure reads when they already hold something else, or nothing yet.

A closure captures the variable, not its value. One that a thread runs reads it when the thread comes to it: a loop
may have gone on by then, and a statement that hands the closure out may not have bound its result yet.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import cached_property

import msgspec

from racelint.model.summary import Access, Call, Path, Span
from racelint.program.flow.values import FunctionFacts
from racelint.program.linked.processes import closure
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, External, FunctionInfo, ModuleInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.objects.things import Bound, Member, Object
from racelint.program.threads.test_cases import is_of_tests

_SETS = ("set", "put", "put_nowait", "release", "notify", "notify_all")
_SIGNALS = frozenset(
    {"threading.Event", "queue.Queue", "queue.SimpleQueue", "threading.Condition", "threading.Barrier"}
)


class LateBinding(msgspec.Struct, frozen=True):
    """`read` of `name` in a closure; `rebound` is where the variable is bound anew, or for the first time.

    `started` is where the thread is, or may be, started.
    """

    function: FunctionInfo
    read: Access
    name: str
    home: FunctionInfo
    rebound: Span
    started: Span
    first: bool


class LateBindings:
    """All of them, of threads, timers and pools; processes have their copy of everything from the start."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[LateBinding]:
        for root in self.program.roots:
            if root.kind in ("thread", "timer", "pool") and root.site_function is not None and root.site is not None:
                yield from self._of_root(root, root.site_function, root.site)
        homes = {function.ir.parent for function in self.program.index.functions}
        for function in self.program.index.functions:
            if function.ir.kind == "function" and function.qualname in homes:
                yield from self._signalled(function)

    def _of_root(self, root: ThreadRoot, home: FunctionInfo, site: Call) -> Iterator[LateBinding]:
        around = loops_around(home)
        loops = {id(loop) for loop in around.get(site.id, [])}
        starts = [event for function, event in root.starts if function is home]
        for function, read in self._captured(root.target, home):
            writes = self._writes(home, read.path)
            again = [w for w in writes if loops & {id(loop) for loop in around.get(w.id, [])} and not _is_settled(w)]
            if again and loops and not self._ends_in_turn(root, home, loops):
                yield self._binding(function, read, home, again[0].span, site.span, first=False)
            elif writes and starts and not self._is_bound_before(home, read.path, min(starts)) and not loops:
                yield self._binding(function, read, home, writes[0].span, site.span, first=True)

    @staticmethod
    def _binding(
        function: FunctionInfo, read: Access, home: FunctionInfo, rebound: Span, started: Span, *, first: bool
    ) -> LateBinding:
        return LateBinding(function, read, read.path[0].rpartition(":")[2], home, rebound, started, first)

    def _captured(self, target: FunctionInfo, home: FunctionInfo) -> Iterator[tuple[FunctionInfo, Access]]:
        """What the target, and functions beside it that it calls, read of the variables of `home`; each once."""
        seen: set[Path] = set()
        inside = {target, *self._nested(home)} - {home}
        readers = {f: reads for f in inside if (reads := _reads_of(home, f, self.program.stores.facts[f.id]))}
        reached = closure(self.program, [target]) if readers.keys() - {target} else {target.id: target}
        for function in reached.values():
            for access in readers.get(function, ()):
                if access.path[:1] not in seen:
                    seen.add(access.path[:1])
                    if not self._waits_before(function, access):
                        yield function, access

    def _nested(self, home: FunctionInfo) -> list[FunctionInfo]:
        """The functions that stand in a function, at any depth."""
        found = list(self._inner.get((home.module, home.qualname), ()))
        for function in found:
            found += self._inner.get((home.module, function.qualname), ())
        return found

    @cached_property
    def _inner(self) -> dict[tuple[ModuleInfo, str], list[FunctionInfo]]:
        """By what they stand in."""
        found: dict[tuple[ModuleInfo, str], list[FunctionInfo]] = {}
        for function in self.program.index.functions:
            found.setdefault((function.module, function.ir.parent), []).append(function)
        return found

    def _waits_before(self, function: FunctionInfo, access: Access) -> bool:
        """The closure waits to be told before it reads: then what it reads may well be bound."""
        for call in self.program.stores.facts[function.id].calls:
            if call.id < access.id and any(path[-1] == "wait" for path in call.func):
                things = self.program.types.of_value(tuple(path[:-1] for path in call.func if len(path) > 1), function)
                if any(isinstance(thing, Object) and thing.dotted in _SIGNALS for thing in things):
                    return True
        return False

    def _writes(self, home: FunctionInfo, path: Path) -> list[Access]:
        accesses = self.program.stores.facts[home.id].accesses
        return [access for access in accesses if access.kind == "write" and access.path == path[:1]]

    def _is_bound_before(self, home: FunctionInfo, path: Path, event: int) -> bool:
        name = path[0].rpartition(":")[2]
        if any(param.name == name for param in home.ir.params):
            return True
        return any(write.id < event for write in self._writes(home, path))

    @staticmethod
    def _ends_in_turn(root: ThreadRoot, home: FunctionInfo, loops: set[int]) -> bool:
        """The thread is awaited or joined, or its pool is left, in the turn of the loop that starts it."""
        if root.site is not None and root.site.awaited:
            return True
        around = loops_around(home)
        joins = [event for function, event in root.joins if function is home]
        if any({id(loop) for loop in around.get(join, [])} == loops for join in joins):
            return True
        pool = _pool(root.site)
        return root.left >= 0 and bool(around.get(pool, []))

    def _signalled(self, home: FunctionInfo) -> Iterator[LateBinding]:
        """A callback that is handed out, and that the function waits for, or that a thread is started to run."""
        facts = self.program.stores.facts[home.id]
        waited = {path[:-1] for call in facts.calls for path in call.func if path[-1] in ("wait", "get", "acquire")}
        for call in facts.calls:
            for callback in self._callbacks(call, home):
                told = bool(waited) and self._signals(callback, home, waited)
                if not told and callback.id not in self._run_by_threads:
                    continue
                late = [
                    (function, read, writes[0].span)
                    for function, read in self._captured(callback, home)
                    if (writes := self._writes(home, read.path)) and not self._is_bound_before(home, read.path, call.id)
                ]
                signalled = late and told and self._may_run(call, home)
                if signalled or (late and self._is_run_by_thread(callback, call, home)):
                    for function, read, span in late:
                        yield self._binding(function, read, home, span, call.span, first=True)

    @cached_property
    def _run_by_threads(self) -> Container[str]:
        roots = (root for root in self.program.roots if root.kind in ("thread", "timer", "pool"))
        return closure(self.program, [root.target for root in roots])

    def _callbacks(self, call: Call, home: FunctionInfo) -> Iterator[FunctionInfo]:
        for argument in call.args:
            for path in argument.value:
                for thing in self.program.types.of(path, home):
                    if type(thing) is Bound and thing.function.ir.parent == home.qualname:
                        yield thing.function

    def _signals(self, callback: FunctionInfo, home: FunctionInfo, waited: set[Path]) -> bool:
        """It sets an event, or fills a queue, that the function waits for."""
        for call in self.program.stores.facts[callback.id].calls:
            for path in call.func:
                if path[-1] in _SETS and path[:-1] in waited:
                    things = self.program.types.of(path[:-1], callback)
                    if any(isinstance(thing, Object) and thing.dotted in _SIGNALS for thing in things):
                        return True
        return False

    def _is_run_by_thread(self, callback: FunctionInfo, call: Call, home: FunctionInfo) -> bool:
        """What is called there starts a thread which comes to the callback; tests make stand-ins that start none."""
        if is_of_tests(home):
            return False
        callees = [site.callee for site in self.program.calls.at(home, call.id) if not site.weak]
        reached = closure(self.program, callees) if callees else {}
        return any(
            root.kind in ("thread", "timer", "pool")
            and any(function.id in reached for function, _ in root.starts)
            and callback.id in closure(self.program, [root.target])
            for root in (self.program.roots if reached else ())
        )

    def _may_run(self, call: Call, home: FunctionInfo) -> bool:
        """Whether the call may give the callback to something outside: not a constructor that only keeps it."""
        things = self.program.types.of_value(call.func, home)
        if not things or not all(isinstance(thing, (Bound, ClassInfo)) for thing in things):
            return not any(isinstance(thing, External) and thing.dotted.startswith("builtins.") for thing in things)
        callees = [site.callee for site in self.program.calls.outgoing[home.id] if site.event == call.id]
        for function in closure(self.program, callees).values():
            for inner in self.program.stores.facts[function.id].calls:
                for thing in self.program.types.of_value(inner.func, function):
                    if isinstance(thing, (External, Member)) and not thing.dotted.startswith(("builtins.", "logging.")):
                        return True
        return False


def _reads_of(home: FunctionInfo, function: FunctionInfo, facts: FunctionFacts) -> list[Access]:
    """What a function reads of the variables of `home`; those of a module everybody reads, but for lambdas."""
    of_module = home.ir.kind == "module"
    if function.module is not home.module or (of_module and function.ir.kind != "lambda"):
        return []
    prefix = "g:" if of_module else f"f:{home.qualname}:"
    return [access for access in facts.accesses if access.kind == "read" and access.path[0].startswith(prefix)]


def _pool(site: Call | None) -> int:
    """The call that made the pool that a task is given to; -1 where it was not made in the same function."""
    root = site.func[0][0] if site is not None and site.func else ""
    return int(root[2:]) if root.startswith("c:") else -1


def _is_settled(write: Access) -> bool:
    """What is bound is the same in every turn, or a function."""
    return bool(write.value) and all(path[0].startswith(("k:", "fn:", "cls:")) for path in write.value)
