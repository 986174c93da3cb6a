"""Which tasks run a coroutine function, and whether two of them may be in it at once on the same object."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from racelint.knowledge.coroutines import (
    GATHERERS,
    OWNER_CALLED,
    PROTOCOL,
    RUNNERS,
    RUNNING_METHODS,
    SERVERS,
    TASK_MAKERS,
    TASK_MAKING_METHODS,
)
from racelint.model.summary import ELEMENT, Call, Path, Span, Suspend
from racelint.program.calling.calls import CallSite
from racelint.program.linked.object_sharing import ObjectSharing
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.names.thread_root import loops_around
from racelint.program.objects.things import Bound
from racelint.program.threads.users import is_public

Starting = Literal["task", "main", ""]
_STARTING_FUNCTIONS = frozenset({*TASK_MAKERS, *SERVERS, *GATHERERS, *RUNNERS})
_STARTING_METHODS = frozenset({*RUNNING_METHODS, *TASK_MAKING_METHODS})
_MAX_ROUNDS = 12
_MAX_ENTRIES = 12


class Entry(msgspec.Struct, frozen=True):
    """One way in which a coroutine comes to run.

    `task`: a task that the program starts at `span` of `starter`; `main`: the one that an event loop is started for;
    `public`: users of the program await it, in as many tasks as they like. `many`: several such at once. `same`: on
    one object, that of the starter. `receiver`: on the object that the starter has there, one for all.
    """

    kind: Literal["task", "main", "public"]
    function: FunctionInfo
    starter: FunctionInfo | None = None
    span: Span = (1, 1, 1, 1)
    many: bool = False
    same: bool = True
    receiver: Path = ()
    beside: FunctionInfo | None = None
    """What another task runs meanwhile, where it is not the same coroutine function."""


class _Edge(msgspec.Struct, frozen=True):
    """It runs in the tasks of its `caller`. `part`: on the caller's object; `handed`: the caller was given it."""

    caller: FunctionInfo
    part: bool
    handed: bool


class Tasks:
    """The entries of every coroutine function."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.sharing = ObjectSharing(program)
        self._own: dict[str, set[Entry]] = {}
        self._edges: dict[str, list[_Edge]] = {}
        self._scripts: set[str] = set()
        self._starting = program.callees.by_function(words=_STARTING_METHODS, names=_STARTING_FUNCTIONS)
        for function, calls in self._starting.items():
            for call in calls:
                self._note_callables(call, function)
                if function.ir.kind == "module" and self._starts(call, function) == "main":
                    self._scripts.add(function.module.name)
        coroutines = [function for function in program.index.functions if function.ir.is_async]
        for function in coroutines:
            self._note(function)
        self._known = self._spread(coroutines)

    def entries(self, function: FunctionInfo) -> frozenset[Entry]:
        """All ways in which a coroutine function comes to run (a few of them, where they are very many)."""
        return self._known.get(function.id, frozenset())

    def _note(self, function: FunctionInfo) -> None:
        """How it comes to run, as far as its own call sites tell."""
        own = self._own.setdefault(function.id, set())
        edges = self._edges.setdefault(function.id, [])
        if self._is_open(function):
            own.add(Entry("public", function, many=True))
        for site in self.program.calls.incoming.get(function.id, []):
            if site.weak:
                continue
            entry = self._started(site)
            if entry is not None:
                own.add(entry)
            elif site.caller.ir.is_async:
                edges.append(_Edge(site.caller, _is_part_of_self(site), self._is_handed_in(site)))

    def _spread(self, coroutines: list[FunctionInfo]) -> dict[str, frozenset[Entry]]:
        """Carry entries from callers to what they await, to a fixed point."""
        known = {function.id: frozenset(self._own[function.id]) for function in coroutines}
        awaited: dict[str, list[str]] = {}
        for name, edges in self._edges.items():
            for edge in edges:
                awaited.setdefault(edge.caller.id, []).append(name)
        stale = set(known)
        for _ in range(_MAX_ROUNDS):
            for function in (function for function in coroutines if function.id in stale):
                stale.discard(function.id)
                best = self._carried(function, known)
                if best != known[function.id]:
                    known[function.id] = best
                    stale.update(awaited.get(function.id, ()))
            if not stale:
                break
        return known

    def _carried(self, function: FunctionInfo, known: dict[str, frozenset[Entry]]) -> frozenset[Entry]:
        """Its own entries and those of its callers, the weightiest."""
        found = set(self._own[function.id])
        for edge in self._edges[function.id]:
            for entry in known[edge.caller.id]:
                if entry.kind != "public" or not edge.handed:
                    found.add(entry if edge.part else replace(entry, same=False, receiver=()))
        return frozenset(sorted(found, key=_weight)[:_MAX_ENTRIES] if len(found) > _MAX_ENTRIES else found)

    def overlapping(self, function: FunctionInfo, *, same: bool) -> Entry | None:
        """A way to run it beside another run of it (`same`: on one object); one that is seen to be a task if any is."""
        found = [entry for entry in self.entries(function) if entry.same or entry.receiver or not same]
        tasks = [e for e in found if e.kind == "task" and (e.many or any(_meet(e, o, same) for o in found if o != e))]
        if tasks:
            return min(tasks, key=lambda entry: (not entry.many, entry.function.order, entry.span))
        public = [entry for entry in found if entry.kind == "public"]
        return min(public, key=lambda entry: entry.function.order) if public else None

    def beside(self, function: FunctionInfo, other: FunctionInfo, *, same: bool) -> Entry | None:
        """A task that runs the one while another runs the other."""
        mine = [e for e in self.entries(function) if e.kind == "task" and (e.same or e.receiver or not same)]
        theirs = [e for e in self.entries(other) if e.kind == "task" and (e.same or e.receiver or not same)]
        found = [
            e for e in mine if any(o.span != e.span or o.function != e.function for o in theirs if _meet(e, o, same))
        ]
        return replace(min(found, key=_weight), beside=other) if found else None

    def _is_open(self, function: FunctionInfo) -> bool:
        """Users of the program may call it, from any task."""
        name = function.ir.name
        if self.program.contracts.covers_function(function):
            return is_public(function)
        if not is_public(function) or name in OWNER_CALLED or name in PROTOCOL:
            return False
        if function.module.name in self._scripts or _is_test(function):
            return False
        return function.cls is None or self.sharing.is_shared(function.cls)

    def _started(self, site: CallSite) -> Entry | None:
        """The task that the coroutine of one call is started as."""
        caller = site.caller
        coroutine: Path = (f"c:{site.event}",)
        for call in self._starting.get(caller, ()):
            if any(self._holds(coroutine, path, caller) for argument in call.args for path in argument.value):
                starting = self._starts(call, caller)
                if starting:
                    many = starting == "task" and self._is_many(site, call)
                    receiver = self._held_by_starter(site)
                    return Entry(starting, site.callee, caller, call.span, many, _is_part_of_self(site), receiver)
        return None

    def _held_by_starter(self, site: CallSite) -> Path:
        """The receiver, where all turns of the starter's loops have the same: an argument, or made before them."""
        path = site.receiver or ()
        if len(path) != 1 or not path[0].startswith(("p:", "c:")) or path[0] == f"p:{site.caller.self_name}":
            return ()
        loops = loops_around(site.caller)
        made = int(path[0][2:]) if path[0].startswith("c:") else -1
        return path if len(loops.get(made, ())) < len(loops.get(site.event, ())) or made not in loops else ()

    def _is_handed_in(self, site: CallSite) -> bool:
        """A call of a parameter: it is not for everybody who calls the helper, but for who handed the callable in."""
        call = self.program.stores.facts[site.caller.id].call(site.event)
        return call is not None and len(call.func[0]) == 1 and call.func[0][0].startswith("p:")

    def _is_many(self, site: CallSite, start: Call) -> bool:
        """The start, or what it stands in, starts several side by side."""
        caller = site.caller
        if self._repeats(site.event, start, caller):
            return True
        if not self._is_plain_task(start, caller):
            sites = self.program.calls.outgoing[caller.id]
            others = {s.event for s in sites if s.callee is site.callee and s.receiver == site.receiver}
            given = [path for argument in start.args for path in argument.value]
            return sum(any(self._holds((f"c:{event}",), path, caller) for path in given) for event in others) > 1
        return False

    def _repeats(self, event: int, start: Call, function: FunctionInfo) -> bool:
        """In a loop, and not awaited in the same turn."""
        loops = loops_around(function)
        if event not in loops:
            return False
        return not any(
            isinstance(node, Suspend) and node.value == ((f"c:{start.id}",),) and self._is_plain_task(start, function)
            for loop in loops[event]
            for node in loop.body
        )

    def _is_plain_task(self, call: Call, function: FunctionInfo) -> bool:
        """One task, not many that are gathered."""
        things = self.program.types.of_value(call.func, function)
        return not any(isinstance(thing, External) and thing.dotted in GATHERERS for thing in things)

    def _holds(self, coroutine: Path, path: Path, function: FunctionInfo) -> bool:
        """The argument is the coroutine, or a display that it stands in: `gather(*[f(x) for x in xs])`."""
        if path == coroutine:
            return True
        display = path[:-1] if path[-1] == ELEMENT else path
        if not display or not display[0].startswith("v:"):
            return False
        accesses = self.program.stores.facts[function.id].accesses
        return any(a.kind == "write" and a.path == (*display, ELEMENT) and coroutine in a.value for a in accesses)

    def _starts(self, call: Call, function: FunctionInfo) -> Starting:
        for thing in self.program.types.of_value(call.func, function):
            if isinstance(thing, External):
                if thing.dotted in TASK_MAKERS or thing.dotted in SERVERS or thing.dotted in GATHERERS:
                    return "task"
                if thing.dotted in RUNNERS:
                    return "main"
        name = call.func[0][-1] if call.func and len(call.func[0]) > 1 else ""
        if name in RUNNING_METHODS:
            return "main"
        return "task" if name in TASK_MAKING_METHODS else ""

    def _note_callables(self, call: Call, function: FunctionInfo) -> None:
        """Coroutine functions that are handed over uncalled: `start_soon(self.work)`, `start_server(self.serve, …)`."""
        if self._starts(call, function) != "task":
            return
        servers = {t.dotted for t in self.program.types.of_value(call.func, function) if isinstance(t, External)}
        for path in (path for argument in call.args[:1] for path in argument.value if not path[0].startswith("c:")):
            for thing in self.program.types.of(path, function):
                if isinstance(thing, Bound) and thing.function.ir.is_async:
                    many = bool(servers & SERVERS) or self._repeats(call.id, call, function)
                    same = path[0].startswith("p:") and path[0][2:] == function.self_name and ELEMENT not in path
                    entry = Entry("task", thing.function, function, call.span, many, same or not thing.bound)
                    self._own.setdefault(thing.function.id, set()).add(entry)


def _weight(entry: Entry) -> tuple[object, ...]:
    """Tasks first, then in source order."""
    return (entry.kind != "task", not entry.same, not entry.many, entry.function.order, entry.span)


def _meet(task: Entry, other: Entry, same: bool) -> bool:
    """Whether two entries may work on one object: that of the starter, or they start from objects of one class."""
    if not same:
        return True
    if task.receiver or other.receiver:
        return task.starter is other.starter and task.receiver == other.receiver
    mine, theirs = _origin(task), _origin(other)
    return mine is not None and theirs is not None and (mine in theirs.mro or theirs in mine.mro)


def _origin(entry: Entry) -> ClassInfo | None:
    return entry.starter.cls if entry.starter is not None else entry.function.cls


def _is_part_of_self(site: CallSite) -> bool:
    """The receiver is the caller's own object or an attribute of it: one and the same for all who run the caller."""
    receiver = site.receiver
    if receiver is None:
        return site.callee.cls is None
    root, *fields = receiver
    if root.startswith("g:"):
        return ELEMENT not in fields
    return root == f"p:{site.caller.self_name}" and ELEMENT not in fields


def _is_test(function: FunctionInfo) -> bool:
    stem = function.module.name.rpartition(".")[2]
    return stem.startswith("test_") or stem in ("tests", "conftest") or ".tests." in f".{function.module.name}."
