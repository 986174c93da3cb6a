"""Where a thread waits for something slow, or for another thread, while it holds a lock."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property

import msgspec
from msgspec.structs import replace

from racelint.knowledge.blocking import AWAITED_FUNCTIONS, AWAITED_METHODS, BLOCKING_METHODS, BlockingKind
from racelint.knowledge.threads import STARTERS
from racelint.model.summary import ELEMENT, Access, Argument, Branch, Call, Path, Span
from racelint.program.flow.values import event_span, nodes_of
from racelint.program.flow.walk import place_of
from racelint.program.linked.blocking import BlockingCalls
from racelint.program.linked.reached import Reached, reached
from racelint.program.linked.takings import Held
from racelint.program.linker import Program
from racelint.program.lock_use.known_done import done_callbacks
from racelint.program.lock_use.unknown_waits import UnknownWaits
from racelint.program.names.index import External, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.decorators import wrappers
from racelint.program.objects.locations import Location
from racelint.program.objects.spelling import spelled_call
from racelint.program.objects.things import Constant, Instance, Member, Object
from racelint.program.sharing.ownership import CONSTRUCTORS
from racelint.program.threads.users import is_public

_MAX_CALLS = 5
_MAX_CALLS_TO_UNKNOWN = 2
"""Calls to a wait of something that nothing is known of: behind more of them, too much has to be right."""
_GIVING = {"get": frozenset({"put", "put_nowait"}), "wait": frozenset({"set"}), "put": frozenset({"get", "get_nowait"})}
_LOOKING = {
    "get": ("empty", "qsize"),
    "put": ("full", "qsize"),
    "result": ("done",),
    "exception": ("done",),
    "wait": ("is_set",),
}


_NOTHING = Constant("None")
"""What an attribute holds before something unknown is put there; futures are mostly looked at when they are done."""


class Waiting(msgspec.Struct, frozen=True):
    """A call that waits; `name` as it is written, `awaited` in a coroutine."""

    kind: BlockingKind
    name: str
    function: FunctionInfo
    call: Call
    awaited: bool
    timed: bool

    @property
    def key(self) -> Hashable:
        return (self.kind, self.function.id, self.call.id) if self.kind == "wait" else (self.kind, self.awaited)


class HeldWait(msgspec.Struct, frozen=True):
    """At `span`, `function` or what it calls there waits while `held` is.

    `needed` is who is waited for and takes the lock itself: neither goes on. `quick` is somebody who takes the lock
    for no more than a moment, and `mostly`: so do most of its users.
    """

    function: FunctionInfo
    span: Span
    held: Held
    wait: Reached[Waiting]
    needed: FunctionInfo | None
    quick: FunctionInfo | None
    mostly: bool
    once: bool
    """It is done once, under the very lock that sees to it: `if self.value is None: self.value = fetch()`."""


class LockWaits:
    """All waits of the program under a lock."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.takings = program.takings
        self.calls = BlockingCalls(program)
        self._unknown = UnknownWaits(program)
        self._waits: dict[str, list[Reached[Waiting]]] = {}

    def found(self) -> Iterator[HeldWait]:
        """In source order: one for each section of a lock, the gravest."""
        waits = [wait for function in self.takings.holders for wait in self._in_function(function)]
        slow: dict[Location, set[tuple[str, Span]]] = {}
        for wait in waits:
            if wait.wait.fact.kind != "file":
                slow.setdefault(wait.held.lock.location, set()).add((wait.held.function.id, wait.held.span))
        chosen: dict[tuple[Location, str, Span], HeldWait] = {}
        for wait in waits:
            section = (wait.held.lock.location, wait.held.function.id, wait.held.span)
            if section not in chosen or _gravity(wait) < _gravity(chosen[section]):
                chosen[section] = wait
        for (location, _, _), wait in chosen.items():
            yield self._with_users(wait, slow.get(location, set()))

    def _with_users(self, wait: HeldWait, slow: set[tuple[str, Span]]) -> HeldWait:
        sections = self._sections.get(wait.held.lock.location, [])
        quick = [f for f, span in sections if (f.id, span) not in slow and f.ir.name not in CONSTRUCTORS]
        others = [
            f
            for f in quick
            if f is not wait.function and not (wait.wait.fact.kind == "wait" and f.id in self._starters)
        ]
        mostly = 2 * len(slow) <= len(sections)
        return replace(wait, quick=others[0] if others else None, mostly=mostly)

    @cached_property
    def _starters(self) -> set[str]:
        """Who starts threads: that nobody starts one while it is being stopped is what their lock is for."""
        found = {root.site_function.id for root in self.program.roots if root.site_function is not None}
        return found | {named.function.id for named in self.program.callees.named(STARTERS)}

    @cached_property
    def _sections(self) -> dict[Location, list[tuple[FunctionInfo, Span]]]:
        """All of each lock; where a decorator takes it around a function and waits itself, that is one for all."""
        found: dict[Location, list[tuple[FunctionInfo, Span]]] = {}
        for function in self.takings.takers:
            for taking, _ in self.takings.own(function):
                if taking.event or not any(map(self._own, wrappers(function, self.program.types))):
                    found.setdefault(taking.lock.location, []).append((function, taking.span))
        return found

    def _in_function(self, function: FunctionInfo) -> Iterator[HeldWait]:
        if function.ir.kind in ("module", "class"):
            return
        for entry in self._own(function):
            for held in self._held(function, entry.fact.call.id):
                if self._counts(held, entry.fact):
                    yield self._held_wait(function, entry.fact.call.id, held, entry)
        for site in self.takings.running.outgoing(function):
            waits = self._all[site.callee.id]
            here = self._held(function, site.event) if waits else ()
            for entry in waits if here else ():
                carried = self.takings.running.carried(entry, site)
                if carried is not None and len(carried.chain) <= self._farthest(entry.fact):
                    for held in here:
                        if self._counts(held, entry.fact):
                            yield self._held_wait(function, site.event, held, replace(carried, certain=entry.certain))

    def _farthest(self, wait: Waiting) -> int:
        path = wait.call.func[0]
        if wait.awaited or path[-1] not in ("wait", "get") or len(path) < 2:
            return _MAX_CALLS
        known = {*self.program.types.of(path[:-1], wait.function)} - {_NOTHING}
        return _MAX_CALLS if known else _MAX_CALLS_TO_UNKNOWN

    def _held_wait(self, function: FunctionInfo, event: int, held: Held, wait: Reached[Waiting]) -> HeldWait:
        needed = self._needing(held, wait.fact)
        return HeldWait(
            function, event_span(function, event), held, wait, needed, None, False, self._is_once(function, event)
        )

    def _is_once(self, function: FunctionInfo, event: int) -> bool:
        """Not for each key: whoever asks for another one waits as well."""
        facts = self.program.stores.facts[function.id]
        for place in place_of(function, event):
            if isinstance(place.node, Branch):
                tests = [facts.events.get(dep) for dep in place.node.deps]
                tested = {test.path for test in tests if isinstance(test, Access)}
                writes = (n for n in nodes_of(place.block) if isinstance(n, Access) and n.kind == "write")
                if any(write.path in tested and write.path[-1] != ELEMENT for write in writes):
                    return True
        return False

    def _held(self, function: FunctionInfo, event: int) -> list[Held]:
        """Locks of threads and tasks; a semaphore lets others in, a lock between processes is made for slow things."""
        return [
            held
            for held in self.takings.held(function, event)
            if held.lock.facts is not None
            and held.owner is not None
            and held.lock.facts.family != "semaphore"
            and held.lock.facts.world != "process"
            and not held.lock.nameless
        ]

    def _counts(self, held: Held, wait: Waiting) -> bool:
        """A coroutine's lock keeps others waiting over an await alone."""
        return held.lock.facts is not None and (held.lock.facts.world == "async") == wait.awaited

    def _own(self, function: FunctionInfo) -> list[Reached[Waiting]]:
        known = self._waits.get(function.id)
        if known is None:
            known = self._waits[function.id] = []
            for call in self.program.stores.facts[function.id].calls:
                wait = self._waiting(call, function)
                if wait is not None:
                    way = self.takings.running.way(function, call.id)
                    known.append(Reached(wait, (), (), way.certain, way.given))
        return known

    @cached_property
    def _all(self) -> dict[str, list[Reached[Waiting]]]:
        """What a function that holds a lock comes to, and what those do that it runs."""
        return reached(self.takings.running, self.takings.holders, self._around)

    def _around(self, function: FunctionInfo) -> list[Reached[Waiting]]:
        """The waits of the function itself and of its wrappers."""
        wrapping = wrappers(function, self.program.types) if function.ir.decorators else ()
        return [*self._own(function), *(entry for inner in wrapping for entry in self._own(inner))]

    def _waiting(self, call: Call, function: FunctionInfo) -> Waiting | None:
        kind = self._kind(call, function)
        if kind is None or not call.func or self._is_there(call, function):
            return None
        name = spelled_call(call, self.program.stores.facts[function.id])
        return Waiting(kind, name, function, call, call.awaited, _is_timed(call, function))

    def _is_there(self, call: Call, function: FunctionInfo) -> bool:
        """What is waited for was looked at before (`while not queue.empty(): queue.get()`), or the queue is new."""
        path = call.func[0][:-1]
        facts = self.program.stores.facts[function.id]
        if call.func[0][-1] == "put" and facts.stored_before(path, call.id):
            return True
        done = self._done_callbacks.get(function.id)
        if done is not None and path == (f"p:{done}",) and call.func[0][-1] in ("result", "exception"):
            return True
        looking = _LOOKING.get(call.func[0][-1], ()) if path else ()
        return any(other.id < call.id and (*path, name) in other.func for other in facts.calls for name in looking)

    @cached_property
    def _done_callbacks(self) -> dict[str, str]:
        return done_callbacks(self.program)

    def _kind(self, call: Call, function: FunctionInfo) -> BlockingKind | None:
        things = self.program.types.of_value(call.func, function)
        if (
            call.func
            and call.args
            and call.args[0].value == (("k:int:0",),)
            and call.func[0][-1].rpartition(":")[2] == "sleep"
        ):
            return None  # no more than a chance for others
        if call.awaited:
            for thing in things:
                if type(thing) is External and thing.dotted in AWAITED_FUNCTIONS:
                    return AWAITED_FUNCTIONS[thing.dotted]
                if type(thing) is Member and (thing.dotted, thing.name) in AWAITED_METHODS:
                    return AWAITED_METHODS[thing.dotted, thing.name]
            return None
        if any(type(thing) is Object and thing.dotted.endswith("gapic_v1.method.wrap_method") for thing in things):
            return "network"
        found = self.calls.of(call, function)
        if found is not None:
            condition = found.name.endswith(("Condition.wait", "Condition.wait_for", "acquire"))
            return None if condition else found.blocking.kind
        return self._of_receiver(call, function)

    def _of_receiver(self, call: Call, function: FunctionInfo) -> BlockingKind | None:
        """A method that an object of the program inherits from outside, a socket that is kept, or what is named so."""
        for path in call.func[:1]:
            if len(path) < 2:
                return None
            things = self.program.types.of(path[:-1], function)
            for thing in things:
                if type(thing) is Instance and thing.cls.method(path[-1]) is None:
                    for base in thing.cls.all_external_bases():
                        if (base, path[-1]) in BLOCKING_METHODS and not base.endswith(".Condition"):
                            return BLOCKING_METHODS[base, path[-1]].kind
                if type(thing) is Object and thing.dotted.startswith("socket.") and not path[0].startswith("c:"):
                    if self.program.locations.of(path[:-1], function) in self._told_not_to_block:
                        return None
                    found = BLOCKING_METHODS.get((thing.dotted, path[-1]))
                    return found.kind if found is not None else None
            known = things if path[-1] == "result" else {*things} - {_NOTHING}
            if not known and self._unknown.has(call, path, function):
                return "wait"
        return None

    @cached_property
    def _told_not_to_block(self) -> frozenset[Location | None]:
        """Where sockets are kept of which some function says `setblocking(False)`."""
        return frozenset(
            self.program.locations.of(path[:-1], function)
            for function, call in self.program.callees.written("setblocking")
            for path in call.func[:1]
            if path[-1] == "setblocking" and len(path) > 2 and any(a.value == (("k:False",),) for a in call.args)
        )

    def _needing(self, held: Held, wait: Waiting) -> FunctionInfo | None:
        """Who is waited for, if that takes the lock before it is done."""
        if wait.timed or wait.kind != "wait":
            return None
        for root in self._awaited_roots(wait):
            for taken in self.takings.taken(root.target):
                if taken.fact.lock.location == held.lock.location:
                    return root.target
        return self._worker(held, wait) if wait.call.func[0][-1] == "join" else self._giver(held, wait)

    def _worker(self, held: Held, wait: Waiting) -> FunctionInfo | None:
        """Who takes the lock and says that an element of the queue is done with, whose end `join` waits for."""
        path = wait.call.func[0]
        location = self.program.locations.of(path[:-1], wait.function) if len(path) > 1 else None
        if location is None:
            return None
        for function, call in self.program.callees.written("task_done"):
            done = call.func[0]
            if function is held.function or len(done) < 2 or self.program.locations.of(done[:-1], function) != location:
                continue
            if any(taken.fact.lock.location == held.lock.location for taken in self.takings.taken(function)):
                return function
        return None

    def _awaited_roots(self, wait: Waiting) -> list[ThreadRoot]:
        place = (wait.function, wait.call.id)
        found = [root for root in self.program.roots if root.in_process and place in root.joins]
        path: Path = wait.call.func[0]
        for thing in self.program.types.of(path[:-1], wait.function) if len(path) > 1 else ():
            run = thing.cls.method("run") if isinstance(thing, Instance) and path[-1] == "join" else None
            found += [root for root in self.program.roots if run is not None and root.target is run]
        if path[-1] == "shutdown":
            found += [root for root in self.program.roots if root.kind == "pool" and self._is_of_pool(root, wait)]
        if path[-1] in ("result", "exception"):
            found += [root for root in self.program.roots if root.kind == "pool" and _makes(root, wait, path[0])]
        return found

    def _is_of_pool(self, root: ThreadRoot, wait: Waiting) -> bool:
        """Whether the root is a task of the executor that is shut down."""
        locations = self.program.locations
        pool = locations.of(wait.call.func[0][:-1], wait.function)
        submit = root.site.func[0] if root.site is not None and root.site.func else ()
        if pool is None or root.site_function is None or len(submit) < 2:
            return False
        return locations.of(submit[:-1], root.site_function) == pool

    def _giver(self, held: Held, wait: Waiting) -> FunctionInfo | None:
        """Somebody who puts into the queue or sets the event, where all who do need the lock for it."""
        path = wait.call.func[0]
        names = _GIVING.get(path[-1])
        location = self.program.locations.of(path[:-1], wait.function) if len(path) > 1 and names else None
        if names is None or location is None:
            return None
        givers = [
            (function, call)
            for function in self.program.index.functions
            for call in self.program.stores.facts[function.id].calls
            if call.func and len(call.func[0]) > 1 and call.func[0][-1] in names
            if self.program.locations.of(call.func[0][:-1], function) == location
        ]
        for function, call in givers:
            here = self.takings.held(function, call.id)
            if not any(other.lock.location == held.lock.location for other in here):
                return None
        return givers[0][0] if givers else None


def _makes(root: ThreadRoot, wait: Waiting, made: str) -> bool:
    """Whether the root's submission is where the future that is waited for comes from."""
    if root.site is None or root.site_function is not wait.function:
        return False
    return made == f"c:{root.site.id}" or made.startswith(("v:", "l:")) or ELEMENT in wait.call.func[0]


def _is_timed(call: Call, function: FunctionInfo) -> bool:
    """Whether it gives up at some time: not where the bound may be None, as by default."""
    bounds = [argument for argument in call.args if argument.name == "timeout"]
    if not bounds and call.func[0][-1] in ("join", "result", "wait", "exception"):
        bounds = [argument for argument in call.args if not argument.name]
    return bool(bounds) and not _may_be_none(bounds[0], function)


def _may_be_none(bound: Argument, function: FunctionInfo) -> bool:
    """`None`, `None if ... else ...`, or a parameter that users may leave out, whose default it is."""
    if ("k:None",) in bound.value:
        return True
    if len(bound.value) != 1 or not is_public(function):
        return False
    return any(bound.value[0] == (f"p:{param.name}",) and ("k:None",) in param.default for param in function.ir.params)


def _gravity(wait: HeldWait) -> tuple[bool, bool, int]:
    return (wait.needed is None, wait.wait.fact.kind == "file", len(wait.wait.chain))
