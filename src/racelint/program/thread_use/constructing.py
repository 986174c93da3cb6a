"""What constructors do in order: where they start a thread on the new object, and what they set only afterwards.

A constructor is followed through the calls that it makes on `self`, `super().__init__` and the explicit calls of a
base's methods, with the methods that an instance of exactly that class has.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from racelint.knowledge.locks import LOCK_FACTORIES
from racelint.model.summary import Access, Call, Path, Span
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, thread_kind
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Bound, Instance, Object

_MAX_DEPTH = 5
_BLOCKING = frozenset({"wait", "get", "acquire", "recv", "recv_bytes", "accept", "select", "poll", "join", "popleft"})
_NOT_YET = frozenset({"add_done_callback", "add_job"})
"""Starters that run nothing of themselves."""

Frame = tuple[FunctionInfo, int]


class Doing(msgspec.Struct, frozen=True):
    """One thing that a constructor does; `chain` leads from the constructor to the event that does it."""

    chain: tuple[Frame, ...]
    assigned: str
    """The attribute that is set, empty for a start."""
    root: ThreadRoot | None
    kept: str = ""
    """The attribute under which another object, whose constructor starts the thread, keeps this one."""


class Reading(msgspec.Struct, frozen=True):
    """A read of an attribute of the object by the thread. `late`: only after the thread has waited some time."""

    name: str
    function: FunctionInfo
    span: Span
    held: frozenset[Location]
    late: bool


class Escape(msgspec.Struct, frozen=True):
    """The start at `event` of `function` lets `root` run before `missing` (the reads, one an attribute) are set."""

    cls: ClassInfo
    function: FunctionInfo
    event: int
    root: ThreadRoot
    missing: tuple[Reading, ...]
    assigned: tuple[tuple[FunctionInfo, Span], ...]
    """Where each of them is set."""


class Constructing:
    """Finds the escapes of every class of the program."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def escapes(self) -> Iterator[Escape]:
        """One per start, the most basic class first."""
        seen: set[tuple[str, int]] = set()
        for cls in sorted(self.program.index.classes, key=lambda c: (len(c.mro), c.module.source.display, c.ir.span)):
            constructor = cls.method("__init__") or cls.method("__post_init__")
            if constructor is None or not constructor.self_name:
                continue
            doings = list(self._doings(cls, constructor, (), frozenset()))
            for position, doing in enumerate(doings):
                found = self._escape(cls, doings, position) if doing.root is not None else None
                if found is not None and (found.function.id, found.event) not in seen:
                    seen.add((found.function.id, found.event))
                    yield found

    def _escape(self, cls: ClassInfo, doings: list[Doing], position: int) -> Escape | None:
        start = doings[position]
        assert start.root is not None
        before = {doing.assigned for doing in doings[:position]}
        later: dict[str, Doing] = {}
        for doing in doings[position + 1 :]:
            if doing.assigned and doing.assigned not in before and not self._has_default(cls, doing.assigned):
                later.setdefault(doing.assigned, doing)
        missing: dict[str, Reading] = {}
        for read in self._reads(cls, start) if later else ():
            if read.name in later and read.name not in missing and not self._is_ordered(read, start, later[read.name]):
                missing[read.name] = read
        if not missing:
            return None
        frames = [_parting(start.chain, later[name].chain) for name in missing]
        function, event = min(frames, key=lambda pair: len(pair[0]))[1]
        assigned = tuple((self._span(later[name].chain[-1])) for name in missing)
        return Escape(cls, function, event, start.root, tuple(missing.values()), assigned)

    def _span(self, frame: Frame) -> tuple[FunctionInfo, Span]:
        return frame[0], self.program.stores.facts[frame[0].id].events[frame[1]].span

    def _has_default(self, cls: ClassInfo, name: str) -> bool:
        """The class itself has something under the name, so that reading it early raises nothing."""
        for base in cls.mro:
            body = base.module.functions.get(base.ir.qualname)
            bound = self.program.stores.facts[body.id].accesses if body is not None else ()
            if name in base.ir.methods or any(access.path == (f"cls:{base.ir.qualname}", name) for access in bound):
                return True
        return False

    def _is_ordered(self, read: Reading, start: Doing, late: Doing) -> bool:
        """One lock excludes the read until it is set, or the constructor joins the thread before."""
        function, event = late.chain[-1]
        held = {hold.lock.location for hold in self.program.flows.of(function).at(event).must}
        at_start = {
            hold.lock.location for f, number in start.chain for hold in self.program.flows.of(f).at(number).must
        }
        if read.held & held & at_start:
            return True
        assert start.root is not None
        joins = [number for f, number in start.root.joins if f is function]
        if start.root.site_function is function and start.root.left >= 0:
            joins.append(start.root.left)
        return any(number < event for number in joins)

    def _doings(
        self, cls: ClassInfo, function: FunctionInfo, chain: tuple[Frame, ...], seen: frozenset[str]
    ) -> Iterator[Doing]:
        """Assignments and starts in the order of the source."""
        if len(chain) > _MAX_DEPTH or function.id in seen:
            return
        me = (f"p:{function.self_name}",)
        seen = seen | {function.id}
        for event in self.program.stores.facts[function.id].events.values():
            here = (*chain, (function, event.id))
            for root in self._started.get((function.id, event.id), ()):
                if self._is_given_self(root, function, me):
                    yield Doing(here, "", root)
            if type(event) is Access:
                if event.kind == "write" and event.path[:-1] == me:
                    yield Doing(here, event.path[1], None)
                continue
            if event.func == ((*me, "start"),) and _starts_itself(cls):
                yield from (Doing(here, "", root) for root in self._run_of(cls))
                continue
            for callee in self._called_on_self(cls, event, function, me):
                yield from self._doings(cls, callee, here, seen)
            for root, kept in self._started_by_helper(event, function, me, here):
                yield Doing(here, "", root, kept)

    def _started_by_helper(
        self, call: Call, function: FunctionInfo, me: Path, chain: tuple[Frame, ...]
    ) -> Iterator[tuple[ThreadRoot, str]]:
        """What the constructor of another object starts that is given this one and keeps it: `Engine(self)`."""
        if len(chain) > 1 or not any(argument.value == (me,) for argument in call.args):
            return
        for site in self.program.calls.at(function, call.id):
            maker, made = site.callee, site.callee.cls
            if made is None or maker.ir.name != "__init__" or not maker.self_name:
                continue
            given = {(f"p:{name}",) for name, value in site.bindings.items() if value == (me,)}
            own = (f"p:{maker.self_name}",)
            kept = [
                access.path[1]
                for access in self.program.stores.facts[maker.id].accesses
                if access.kind == "write" and access.path[:-1] == own and len(access.value) == 1
                if access.value[0] in given
            ]
            starts = [doing.root for doing in self._doings(made, maker, chain, frozenset()) if doing.root is not None]
            yield from ((root, name) for root in starts for name in kept if root.receiver is not None)

    def _called_on_self(self, cls: ClassInfo, call: Call, function: FunctionInfo, me: Path) -> Iterator[FunctionInfo]:
        """`self.m()` as this class has it, `super().m()` and `Base.m(self)`."""
        for path in call.func[:1]:
            if path[:-1] == me:
                method = cls.method(path[-1])
                if method is not None and method.self_name and not method.is_classmethod:
                    yield method
            elif path[0].startswith("c:") and len(path) == 2 and self._is_super(path[0], function):
                yield from self._next_in_order(cls, function, path[-1])
            elif call.args and call.args[0].value == (me,):
                for thing in self.program.types.of(path, function):
                    if isinstance(thing, Bound) and not thing.bound and thing.function.cls in cls.mro:
                        yield thing.function

    def _is_super(self, root: str, function: FunctionInfo) -> bool:
        call = self.program.stores.facts[function.id].call(int(root[2:]))
        return call is not None and call.func == (("g:super",),)

    @staticmethod
    def _next_in_order(cls: ClassInfo, function: FunctionInfo, name: str) -> Iterator[FunctionInfo]:
        if function.cls in cls.mro:
            for base in cls.mro[cls.mro.index(function.cls) + 1 :]:
                if name in base.ir.methods:
                    yield base.module.functions[base.ir.methods[name]]
                    return

    @cached_property
    def _started(self) -> dict[tuple[str, int], list[ThreadRoot]]:
        found: dict[tuple[str, int], list[ThreadRoot]] = {}
        for root in self.program.roots:
            runs = root.site is not None and not any(path[-1] in _NOT_YET for path in root.site.func)
            for function, event in root.starts if runs and root.kind in ("thread", "timer", "pool") else ():
                found.setdefault((function.id, event), []).append(root)
        return found

    @staticmethod
    def _is_given_self(root: ThreadRoot, function: FunctionInfo, me: Path) -> bool:
        """The thread runs a method of the new object, gets it as an argument, or closes over it."""
        home = root.site_function
        if home is None or home.cls is None or not home.self_name:
            return False
        theirs = (f"p:{home.self_name}",)
        if root.receiver == theirs or any(value == (theirs,) for value in root.bindings.values()):
            return True
        return root.target.ir.parent == home.qualname and root.target.module is home.module

    def _run_of(self, cls: ClassInfo) -> list[ThreadRoot]:
        """What `self.start()` runs: the class's `run`, or the target that its constructor gave to Thread's."""
        run = cls.method("run")
        if run is not None:
            return [ThreadRoot("thread", run, receiver=(f"p:{run.self_name}",))]
        return [
            root
            for root in self.program.roots
            if root.site is not None and root.site_function is not None and root.site_function.cls in cls.mro
            if any(path[-1] == "__init__" for path in root.site.func) and root.receiver is not None
        ]

    def _reads(self, cls: ClassInfo, start: Doing) -> Iterator[Reading]:
        assert start.root is not None
        root, target = start.root, start.root.target
        objects: list[Path] = []
        if start.kept:
            objects = [(f"p:{target.self_name}", start.kept)]
        elif root.receiver is not None and target.cls in cls.mro:
            target = cls.method(target.ir.name) or target
            objects = [(f"p:{target.self_name}",)]
        elif root.site_function is not None:
            me: Path = (f"p:{root.site_function.self_name}",)
            objects = [(f"p:{name}",) for name, value in root.bindings.items() if value == (me,)]
            objects.append((f"f:{root.site_function.qualname}:{root.site_function.self_name}",))
        for me in objects:
            yield from self._reads_in(cls, target, me, _Waiting(root.kind == "timer"), frozenset())

    def _reads_in(
        self, cls: ClassInfo, function: FunctionInfo, me: Path, waiting: _Waiting, seen: frozenset[str]
    ) -> Iterator[Reading]:
        """What the function and the methods that it calls on the object read, until it blocks for something."""
        if len(seen) > _MAX_DEPTH or function.id in seen:
            return
        flow = self.program.flows.of(function)
        for event in self.program.stores.facts[function.id].events.values():
            if waiting.blocked:
                return
            if isinstance(event, Access):
                reads = event.kind in ("read", "iterate", "test") and event.path[: len(me)] == me
                if reads and len(event.path) == len(me) + 1:
                    held = frozenset(hold.lock.location for hold in flow.at(event.id).must)
                    yield Reading(event.path[-1], function, event.span, held, waiting.late)
                continue
            self._wait(event, function, waiting)
            for path in event.func[:1]:
                method = cls.method(path[-1]) if path[:-1] == me else None
                if method is not None and method.self_name:
                    inner = (f"p:{method.self_name}",)
                    yield from self._reads_in(cls, method, inner, waiting, seen | {function.id})
            for callee, back in self._elsewhere(cls, event, function):
                yield from self._reads_in(cls, callee, back, waiting, seen | {function.id})

    def _elsewhere(self, cls: ClassInfo, call: Call, function: FunctionInfo) -> Iterator[tuple[FunctionInfo, Path]]:
        """Methods of other objects that were made with this one and keep it."""
        for site in self.program.calls.at(function, call.id):
            callee, other = site.callee, site.callee.cls
            if site.weak or other is None or other is function.cls or other in cls.mro or not callee.self_name:
                continue
            me = {callee.self_name: self.program.anchors.of_class(other)}
            for name in self._kept_by.get(other.id, ()):
                back = (f"p:{callee.self_name}", name)
                if self.program.anchors.of(back, callee, me) == self.program.anchors.of_class(cls):
                    yield callee, back

    @cached_property
    def _kept_by(self) -> dict[str, list[str]]:
        """The attributes of a class that hold what its constructor was given, by the class's id."""
        found: dict[str, list[str]] = {}
        for (owner, name), entries in self.program.stores.attributes.items():
            if all(entry.value and entry.value[0][0].startswith("p:") for entry in entries):
                found.setdefault(owner, []).append(name)
        return found

    def _wait(self, call: Call, function: FunctionInfo, waiting: _Waiting) -> None:
        """Note what the call waits for: somebody else's doing, or some time."""
        name = call.func[0][-1] if call.func else ""
        if name in ("sleep", "g:sleep"):
            waiting.late = True
        if name not in _BLOCKING or len(call.func[0]) < 2:
            return
        things = self.program.types.of(call.func[0][:-1], function)
        if any(isinstance(thing, Instance) for thing in things) or any(_is_plain(thing) for thing in things):
            return
        timed = any(argument.name in ("timeout", "block") for argument in call.args)
        if timed or (name in ("wait", "acquire", "poll") and call.args):
            waiting.late = True
        elif name != "acquire" or not any(isinstance(t, Object) and t.dotted in LOCK_FACTORIES for t in things):
            waiting.blocked = True


class _Waiting:
    """Whether the thread has waited so far; `blocked`: until somebody who has the object did something."""

    def __init__(self, late: bool) -> None:
        self.late = late
        self.blocked = False


def _is_plain(thing: object) -> bool:
    """A container or a module, whose `get` waits for nobody of the program."""
    if isinstance(thing, External):
        return True
    return isinstance(thing, Object) and thing.dotted.startswith(("builtins.", "collections."))


def _starts_itself(cls: ClassInfo) -> bool:
    """Whether `self.start()` is Thread's own."""
    return thread_kind(cls) in ("thread", "timer") and cls.method("start") is None


def _parting(start: tuple[Frame, ...], late: tuple[Frame, ...]) -> tuple[tuple[Frame, ...], Frame]:
    """The frame of the start in the function where the two chains part, with what they have in common."""
    length = 0
    while length < min(len(start), len(late)) - 1 and start[length] == late[length]:
        length += 1
    return start[:length], start[length]
