"""Which thread an event loop belongs to, and calls of what is its own from other threads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from racelint.knowledge.coroutines import LOOP_ONLY, LOOP_RUNS, LOOP_TYPE, OWNED_BY_LOOP, RUNNERS, TASK_MAKERS
from racelint.model.summary import Call, Path, Span, Value
from racelint.program.linked.processes import closure
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Member, Object
from racelint.program.threads.roots import spawn_at

_ASKS_THREAD = ("get_ident", "current_thread", "get_running_loop", "_get_running_loop", "is_running", "current_task")
_SAFELY = "loop.call_soon_threadsafe"
_FROM_ANYWHERE = frozenset({"asyncio.run_coroutine_threadsafe"})
_LOOPS_OWN = frozenset(LOOP_ONLY).union(*OWNED_BY_LOOP.values())
_TO_LOOP = (
    "call_soon",
    "call_soon_threadsafe",
    "call_later",
    "call_at",
    "add_done_callback",
    "add_reader",
    "add_writer",
    "add_callback",
    "spawn_callback",
    "add_future",
)


class ForeignCall(msgspec.Struct, frozen=True):
    """`call` touches what belongs to a loop whose thread is another; `runs` says why, `instead` what to call."""

    function: FunctionInfo
    call: Call
    name: str
    runs: str
    instead: str
    started: tuple[FunctionInfo, Span]


class _LoopThread(msgspec.Struct, frozen=True):
    """A thread that runs a loop: `paths` hold the loop in `starter`, `location` if it is kept somewhere."""

    starter: FunctionInfo
    start: int
    span: Span
    paths: Value
    locations: frozenset[Location]
    own: frozenset[str]
    """Functions that the thread runs."""


class LoopThreads:
    """All foreign calls of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._callbacks = self._callbacks_of_loops()
        self._asking = program.callees.by_function(words=_ASKS_THREAD)
        running = program.callees.by_function(words=LOOP_RUNS, names=RUNNERS)
        self._looping = {function.id for function in running if self._loop_runs(function)}
        self._running: dict[str, bool] = {}

    def found(self) -> Iterator[ForeignCall]:
        """Those of threads that the program starts, then those to loops that it gives a thread of their own."""
        of_loops = self.program.callees.by_function(words=_LOOPS_OWN, names=TASK_MAKERS)
        for function, calls in of_loops.items():
            if not function.ir.is_async and not self._asks(function):
                yield from self._from_threads(function, calls)
        yield from self._handed_out()
        for thread in self._loop_threads():
            yield from self._to_loop(thread)

    def _from_threads(self, function: FunctionInfo, calls: list[Call]) -> Iterator[ForeignCall]:
        """Those among `calls` of the function."""
        contexts = [
            (context, context.root)
            for context in self.program.reach.in_threads(function)
            if context.root is not None and _has_own_thread(context.root) and not self._runs_a_loop(context.root.target)
        ]
        if not contexts or function.id in self._callbacks:
            return
        context, root = contexts[0]
        where = (root.site_function, root.site.span) if root.site_function and root.site else None
        started = where or (root.target, root.target.ir.name_span)
        for call in calls:
            found = self._belongs_to_loop(call, function)
            owned = any(path[0].removeprefix("p:") in context.owned | context.private for path in call.func)
            if found is not None and not owned:
                yield ForeignCall(function, call, found[0], f"{root.title} runs it", found[1], started)

    def _handed_out(self) -> Iterator[ForeignCall]:
        """`Timer(1, event.set)`: the method itself is what a thread runs."""
        p = self.program
        for start in p.start_calls:
            if start.starter.kind not in ("thread", "timer", "pool"):
                continue
            for path in start.target[:1]:
                for thing in p.types.of(path, start.function):
                    if isinstance(thing, Member) and thing.name in OWNED_BY_LOOP.get(thing.dotted, ()):
                        name, runs = f"{thing.dotted}.{thing.name}", f"a {start.starter.kind} runs it"
                        started = (start.function, start.call.span)
                        yield ForeignCall(start.function, start.call, name, runs, _SAFELY, started)

    def _belongs_to_loop(self, call: Call, function: FunctionInfo) -> tuple[str, str] | None:
        """What is called and what to call instead, if only the loop's own thread may do so."""
        for path in call.func[:1]:
            if len(path) > 1 and not path[0].startswith("c:"):
                if path[-1] in LOOP_ONLY and self.program.locations.of(path[:-1], function) in self._told_to_be_loops:
                    return f"loop.{path[-1]}", LOOP_ONLY[path[-1]]
                for thing in self.program.types.of(path[:-1], function):
                    if isinstance(thing, Object) and thing.dotted == LOOP_TYPE and path[-1] in LOOP_ONLY:
                        return f"loop.{path[-1]}", LOOP_ONLY[path[-1]]
                    if isinstance(thing, Object) and path[-1] in OWNED_BY_LOOP.get(thing.dotted, ()):
                        return f"{thing.dotted}.{path[-1]}", _SAFELY
            for thing in self.program.types.of(path, function):
                makes = isinstance(thing, External) and thing.dotted in TASK_MAKERS - _FROM_ANYWHERE
                if isinstance(thing, External) and makes and self._only_in_threads(function):
                    return thing.dotted, "asyncio.run_coroutine_threadsafe"
        return None

    @cached_property
    def _told_to_be_loops(self) -> frozenset[Location]:
        """What is used elsewhere as only a loop is: `run_coroutine_threadsafe(…, self.loop)`."""
        found: set[Location | None] = set()
        for function, call in self.program.callees.written("call_soon_threadsafe", "run_coroutine_threadsafe"):
            name = call.func[0][-1].rpartition(":")[2]
            if name == "call_soon_threadsafe" and len(call.func[0]) > 1:
                found.add(self.program.locations.of(call.func[0][:-1], function))
            elif name == "run_coroutine_threadsafe" and len(call.args) > 1:
                found.update(self.program.locations.of(path, function) for path in call.args[1].value)
        return frozenset(location for location in found if location is not None)

    def _only_in_threads(self, function: FunctionInfo) -> bool:
        return all(context.root is not None for context in self.program.reach.of(function))

    def _runs_a_loop(self, target: FunctionInfo) -> bool:
        known = self._running.get(target.id)
        if known is None:
            known = bool(self._looping) and not self._looping.isdisjoint(closure(self.program, [target]))
            self._running[target.id] = known
        return known

    def _loop_runs(self, function: FunctionInfo) -> list[Path]:
        """The paths of loops that a function runs; that of `asyncio.run` itself."""
        found: list[Path] = []
        for call in self.program.stores.facts[function.id].calls:
            for path in call.func:
                if len(path) > 1 and path[-1] in LOOP_RUNS:
                    found.append(path[:-1])
            for thing in self.program.types.of_value(call.func, function):
                if isinstance(thing, External) and thing.dotted in RUNNERS:
                    found.append(("g:asyncio",))
        return found

    def _asks(self, function: FunctionInfo) -> bool:
        """It looks which thread it is on, or whether the loop runs."""
        return function in self._asking

    def _loop_threads(self) -> Iterator[_LoopThread]:
        for root in self.program.roots:
            if root.kind == "thread" and root.site_function is not None and root.site is not None and root.starts:
                paths = self._loop_runs(root.target)
                bound = [
                    v for p in paths if len(p) == 1 and p[0].startswith("p:") for v in root.bindings.get(p[0][2:], ())
                ]
                captured = [p for p in paths if p[0].startswith("f:")]
                kept = {self.program.locations.of(path, root.target) for path in paths}
                own = frozenset(closure(self.program, [root.target]))
                yield from self._thread(root.site_function, root.starts, root.site.span, (*bound, *captured), kept, own)
        for start in self.program.start_calls:
            paths = [path[:-1] for path in start.target if path[-1] in LOOP_RUNS and len(path) > 1]
            if paths and start.starter.kind == "thread":
                p, call = self.program, start.call
                spawn = spawn_at(call, start.function, p.index, p.stores, p.types, p.calls)
                if spawn is not None:
                    yield from self._thread(start.function, spawn.starts, call.span, tuple(paths), set(), frozenset())

    def _thread(
        self,
        starter: FunctionInfo,
        starts: list[tuple[FunctionInfo, int]],
        span: Span,
        paths: Value,
        kept: set[Location | None],
        own: frozenset[str],
    ) -> Iterator[_LoopThread]:
        begun = [event for function, event in starts if function is starter]
        locations = {self.program.locations.of(path, starter) for path in paths} | kept
        known = frozenset(location for location in locations if location is not None)
        if begun and (paths or known):
            yield _LoopThread(starter, min(begun), span, paths, known, own)

    def _to_loop(self, thread: _LoopThread) -> Iterator[ForeignCall]:
        for function, call in self.program.callees.written(*LOOP_ONLY):
            late = call.id > thread.start if function is thread.starter else self._may_be_foreign(function, thread)
            if late and any(self._is_its_loop(path, function, thread) for path in call.func):
                name = call.func[0][-1]
                runs = "its loop runs on a thread of its own"
                started = (thread.starter, thread.span)
                yield ForeignCall(function, call, f"loop.{name}", runs, LOOP_ONLY[name], started)

    def _may_be_foreign(self, function: FunctionInfo, thread: _LoopThread) -> bool:
        """A plain function that knows the loop, and that nothing says to run on the loop's thread."""
        if not thread.locations or function.ir.is_async or function.id in thread.own:
            return False
        return not self._asks(function) and not self._is_on_loop(function)

    def _is_its_loop(self, path: Path, function: FunctionInfo, thread: _LoopThread) -> bool:
        if len(path) < 2 or path[-1] not in LOOP_ONLY:
            return False
        if function is thread.starter and path[:-1] in thread.paths:
            return True
        location = self.program.locations.of(path[:-1], function)
        return location is not None and location in thread.locations

    def _is_on_loop(self, function: FunctionInfo) -> bool:
        """A coroutine calls it, or it is a callback that a loop runs."""
        sites = self.program.calls.incoming.get(function.id, [])
        return function.id in self._callbacks or any(s.caller.ir.is_async for s in sites if not s.weak)

    def _callbacks_of_loops(self) -> frozenset[str]:
        found: list[FunctionInfo] = []
        for function, call in self.program.callees.written(*_TO_LOOP):
            for argument in call.args if call.func[0][-1] in _TO_LOOP else ():
                for thing in self.program.types.of_value(argument.value, function):
                    target = getattr(thing, "function", None)
                    if isinstance(target, FunctionInfo):
                        found.append(target)
        return frozenset(closure(self.program, found))


def _has_own_thread(root: ThreadRoot) -> bool:
    """Callbacks of a future run wherever it is completed, on the loop's thread as well."""
    called = root.site is not None and any(path[-1] == "add_done_callback" for path in root.site.func)
    return root.kind in ("thread", "timer", "pool") and not called
