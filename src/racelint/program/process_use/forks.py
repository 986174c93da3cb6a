"""Processes that are forked while threads run: the child has their locks, held for ever, and none of the threads."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Call, Span
from racelint.program.flow.values import event_span
from racelint.program.linked.start_methods import StartMethod, StartMethods
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.threads.roots import Spawn, StartCall, spawn_at

_FORKS = frozenset({"os.fork", "os.forkpty", "pty.fork"})
_MAX_DEPTH = 4


class Fork(msgspec.Struct, frozen=True):
    """A call that forks; `method` is `default` where the platform's default may be another."""

    function: FunctionInfo
    call: Call
    method: StartMethod
    name: str


class Started(msgspec.Struct, frozen=True):
    """A thread, also one that runs nothing of the program, as messages name it, and where it is joined."""

    title: str
    joins: list[tuple[FunctionInfo, int]]


class ForkBesideThreads(msgspec.Struct, frozen=True):
    """`fork` comes after `thread` is started, in `started`; on the thread itself where `inside`."""

    fork: Fork
    thread: Started
    started: tuple[FunctionInfo, Span]
    inside: bool


class Forks:
    """All forks of a program beside threads of its own."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.methods = StartMethods(program)
        self._foreign = [*self._without_root()]
        self.by_function: dict[str, list[Fork]] = {}
        for fork in (*self._plain(), *self._of_processes()):
            self.by_function.setdefault(fork.function.id, []).append(fork)
        self._starts: dict[str, list[tuple[int, Started]]] = {}
        for root in program.roots:
            if root.kind in ("thread", "timer"):
                self._note(Started(root.title, root.joins), root.starts)
        for start, spawn in self._foreign:
            if start.starter.kind in ("thread", "timer"):
                self._note(Started(f"thread `{_name(start)}`", spawn.joins), spawn.starts)

    def _note(self, thread: Started, starts: list[tuple[FunctionInfo, int]]) -> None:
        for function, event in starts:
            self._starts.setdefault(function.id, []).append((event, thread))

    def _without_root(self) -> Iterator[tuple[StartCall, Spawn]]:
        """Threads and processes that run what is no function of the program."""
        p = self.program
        rooted = {(root.site_function.id, root.site.id) for root in p.roots if root.site_function and root.site}
        for start in p.start_calls:
            if start.target and (start.function.id, start.call.id) not in rooted:
                spawn = spawn_at(start.call, start.function, p.index, p.stores, p.types, p.calls)
                if spawn is not None:
                    yield start, spawn

    def found(self) -> Iterator[ForkBesideThreads]:
        """In source order, each fork once."""
        seen: set[tuple[str, int]] = set()
        leading = self._leading()
        for function in (function for function in self.program.index.functions if function.id in leading):
            for beside in self._in(function):
                key = (beside.fork.function.id, beside.fork.call.id)
                if key not in seen:
                    seen.add(key)
                    yield beside

    def _leading(self) -> set[str]:
        """The ids of those that come to a fork by few enough calls."""
        found = set(self.by_function)
        nearest = found
        for _ in range(_MAX_DEPTH):
            sites = (site for name in nearest for site in self.program.calls.incoming.get(name, ()))
            nearest = {site.caller.id for site in sites if not site.weak} - found
            found |= nearest
        return found

    def _plain(self) -> Iterator[Fork]:
        """`os.fork()`, but where the child becomes another program at once."""
        for function in self.program.index.functions:
            calls = self.program.callees.outside(function)
            if any(named.dotted.startswith(("os.exec", "os.spawn", "os.posix_spawn")) for named in calls):
                continue
            for named in calls:
                if named.dotted in _FORKS:
                    yield Fork(function, named.call, "fork", named.dotted)

    def _of_processes(self) -> Iterator[Fork]:
        for root in self.program.roots:
            if root.kind != "process" or root.site is None or root.site_function is None:
                continue
            yield from self._started(root.site, root.site_function, root.starts, root.target.qualname)
        for start, spawn in self._foreign:
            if start.starter.kind == "process" and start.starter.deferred:
                yield from self._started(start.call, start.function, spawn.starts, _name(start))

    def _started(
        self, site: Call, maker: FunctionInfo, starts: list[tuple[FunctionInfo, int]], name: str
    ) -> Iterator[Fork]:
        method = self.methods.of(site, maker)
        if method in ("fork", "default"):
            for function, event in starts:
                call = self.program.stores.facts[function.id].call(event)
                if call is not None:
                    yield Fork(function, call, method, name)

    def _in(self, function: FunctionInfo) -> Iterator[ForkBesideThreads]:
        forks = self._forks_of(function)
        if not forks:
            return
        for started, root in self._threads_of(function):
            joins = [event for other, event in root.joins if other is function]
            for event, fork in forks:
                if started < event and not any(started < join <= event for join in joins):
                    where = (function, event_span(function, started))
                    yield ForkBesideThreads(fork, root, where, False)
        for context in self.program.reach.of(function):
            root_ = context.root
            if root_ is not None and root_.kind in ("thread", "timer") and function.id in self.by_function:
                site = (root_.site_function, root_.site.span) if root_.site_function and root_.site else None
                for fork in self.by_function[function.id]:
                    yield ForkBesideThreads(
                        fork, Started(root_.title, root_.joins), site or (root_.target, root_.target.ir.name_span), True
                    )

    def _forks_of(self, function: FunctionInfo, depth: int = 0) -> list[tuple[int, Fork]]:
        """The events of a function that fork, through what it calls."""
        found = [(fork.call.id, fork) for fork in self.by_function.get(function.id, [])]
        for site in self.program.calls.outgoing[function.id] if depth < _MAX_DEPTH and self.by_function else ():
            if not site.weak and site.callee is not function:
                found.extend((site.event, fork) for _, fork in self._forks_of(site.callee, depth + 1))
        return found

    def _threads_of(self, function: FunctionInfo, depth: int = 0) -> list[tuple[int, Started]]:
        """The events of a function that leave threads running, through what it calls."""
        found = list(self._starts.get(function.id, []))
        for site in self.program.calls.outgoing[function.id] if depth < _MAX_DEPTH else ():
            if not site.weak and site.callee is not function:
                for event, root in self._threads_of(site.callee, depth + 1):
                    if not any(other is site.callee and join > event for other, join in root.joins):
                        found.append((site.event, root))
        return found


def _name(start: StartCall) -> str:
    """What is run, as it is written: `server.serve_forever`."""
    return ".".join(part.rpartition(":")[2] for part in start.target[0][-2:])
