"""Generators and iterators that several threads advance: who makes them, where they are kept, who takes the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from racelint.model.finding import Evidence
from racelint.model.summary import ELEMENT, Access, Call, Path, Value
from racelint.program.flow.values import Stored
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Bound, Object
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.races import guarded_together
from racelint.program.races.suspects.interruptible import BUILT_IN
from racelint.program.sharing.shared import SharedAccess

Make = Literal["generator", "iterator", "step", "class"]
"""A generator raises when it is entered twice, a built-in iterator repeats or skips, a class does as it is written.

A `step` is a built-in iterator over built-in containers, where all target interpreters have a GIL.
"""

_ITERATORS = frozenset({"iter", "map", "filter", "zip", "enumerate", "reversed"})
_ATOMIC = frozenset({"itertools.count", "itertools.repeat"})
_SEQUENCES = BUILT_IN | {"builtins.tuple", "builtins.range", "builtins.str", "builtins.bytes"}
_ADVANCING = frozenset({"__next__", "send"})


class SharedAdvance(msgspec.Struct, frozen=True):
    """`function` and the conflicting record's function advance one iterator at a time; `record` is the event's."""

    function: FunctionInfo
    event: Access | Call
    make: Make
    subject: str
    name: str
    conflict_function: FunctionInfo
    conflict: Access | Call
    evidence: Evidence
    who: str
    rival: str


class Advance(msgspec.Struct, frozen=True):
    function: FunctionInfo
    event: Access | Call
    path: Path


class SharedIterators:
    """Finds the places where a shared iterator is advanced without a lock."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.races = program.suspects.races

    def all(self) -> Iterator[SharedAdvance]:
        """One per function and iterator."""
        seen: set[tuple[str, str]] = set()
        for found in (*self._kept(), *self._passed()):
            if (found.function.id, found.subject) not in seen:
                seen.add((found.function.id, found.subject))
                yield found

    def _kept(self) -> Iterator[SharedAdvance]:
        """In attributes, module variables and captured variables."""
        by_location: dict[Location, list[Advance]] = {}
        for function in self.program.index.functions:
            for advance in self._advances(function):
                location = self.program.locations.of(advance.path, function)
                if location is not None and not location.content:
                    by_location.setdefault(location, []).append(advance)
        for location in sorted(by_location):
            make = self._make_of(self._stored_at(location))
            if make is not None:
                taken = [each for each in by_location[location] if not self._makes_it(each.function, location)]
                yield from self._raced(location, make, taken)

    def _makes_it(self, function: FunctionInfo, location: Location) -> bool:
        """The function binds it, and primes what it has just made."""
        accesses = self.program.shared.of(function)
        return any(access.location == location and access.deed == "write" for access in accesses)

    def _raced(self, location: Location, make: Make, advances: list[Advance]) -> Iterator[SharedAdvance]:
        group = Group(location, [], "thread", self.program.lock_places.beside(location))
        events: dict[tuple[str, int], Advance] = {}
        for advance in advances:
            access = _as_access(advance, location)
            events[access.function.id, access.event] = advance
            group.records.extend(self.races.records.of(access))
        group.records.sort(key=lambda record: record.order)
        for record in group.records:
            other = self._rival(record, group, make)
            if other is not None:
                mine = events[record.access.function.id, record.access.event]
                theirs = events[other.access.function.id, other.access.event]
                yield SharedAdvance(
                    *(mine.function, mine.event, make, str(location), location.attribute),
                    *(theirs.function, theirs.event, self.races.overlap.evidence_of(record, other, group)),
                    *(_runner(record.context.root, mine.function), _runner(other.context.root, theirs.function)),
                )

    def _rival(self, record: Record, group: Group, make: Make) -> Record | None:
        """Another advance that no lock keeps apart from this one.

        Where only a lock beside it says that it is concurrent, that is held by the other, or a generator is entered.
        """
        for other in group.records:
            apart = guarded_together(record, other) or (
                record.context.root is other.context.root and _is_once(record.context.root, group.location)
            )
            if not apart and not record.held and self.races.overlap.parallel(record, other, group):
                told = self.races.overlap.evidence_of(record, other, group) != "lock"
                if told or other.held or make == "generator":
                    return other
        return None

    def _stored_at(self, location: Location) -> list[Stored]:
        stores, types = self.program.stores, self.program.types
        if len(location.fields) != 1:
            return []
        name = location.fields[0]
        if location.kind == "attribute":
            key = (location.owner, name)
            return [*stores.attributes.get(key, []), *types.late_attributes.get(key, [])]
        if location.kind == "global":
            return stores.variables.get((location.owner, name), [])
        module, _, qualname = location.owner.partition(":")
        return stores.captured.get((module, qualname, name), [])

    def _passed(self) -> Iterator[SharedAdvance]:
        """As an argument of several threads, made before the loop that starts them."""
        for root in self.program.roots:
            home, site = root.site_function, root.site
            if not root.in_process or not root.many or home is None or site is None:
                continue
            for name, value in root.bindings.items():
                make = self._make_of([Stored(value, home, None)]) if len(value) == 1 else None
                if make is not None and self._made_before(value[0], home, site):
                    yield from self._advanced_in(root, name, make)

    @staticmethod
    def _made_before(path: Path, home: FunctionInfo, site: Call) -> bool:
        """The iterator is not made anew for each thread."""
        loops = loops_around(home)
        kind, _, number = path[0].partition(":")
        if kind not in ("c", "v"):
            return False
        return len(loops.get(int(number.partition(":")[0]), [])) < len(loops.get(site.id, []))

    def _advanced_in(self, root: ThreadRoot, name: str, make: Make) -> Iterator[SharedAdvance]:
        target = root.target
        for advance in self._advances(target):
            if advance.path != (f"p:{name}",):
                continue
            state = self.program.flows.of(target).at(advance.event.id)
            if not state.must and not state.may:
                subject = f"{target.id.replace(':', '.')}.{name}"
                yield SharedAdvance(
                    *(target, advance.event, make, subject, name),
                    *(target, advance.event, "thread", _runner(root, target), _runner(root, target)),
                )

    def _advances(self, function: FunctionInfo) -> Iterator[Advance]:
        """`next(x)`, `x.__next__()`, `x.send(v)` and `for … in x`; not in coroutines, which take turns."""
        if function.ir.is_async:
            return
        for event in self.program.stores.facts[function.id].events.values():
            if type(event) is Access:
                if event.kind == "iterate" and not event.key:
                    yield Advance(function, event, event.path)
            elif event.func == (("g:next",),) and event.args:
                yield from (Advance(function, event, path) for path in event.args[0].value[:1])
            elif event.func and event.func[0][-1] in _ADVANCING and len(event.func[0]) > 1:
                yield Advance(function, event, event.func[0][:-1])

    def _make_of(self, entries: list[Stored]) -> Make | None:
        """What kind of iterator is stored; the gravest where there are several."""
        makes = {make for entry in entries for make in self._makes(entry.value, entry.function)}
        order: tuple[Make, ...] = ("generator", "class", "iterator", "step")
        return next((make for make in order if make in makes), None)

    def _makes(self, value: Value, function: FunctionInfo) -> Iterator[Make]:
        for path in value:
            kind, _, rest = path[0].partition(":")
            if len(path) > 1:
                continue
            if kind == "v" and rest.endswith(":generator"):
                yield "generator"
            call = self.program.stores.facts[function.id].call(int(rest)) if kind == "c" else None
            for thing in self.program.types.of_value(call.func, function) if call is not None else ():
                assert call is not None
                make = self._made_by(thing, call, function)
                if make is not None:
                    yield make

    def _made_by(self, thing: object, call: Call, function: FunctionInfo) -> Make | None:
        if isinstance(thing, Bound):
            ir = thing.function.ir
            return "generator" if ir.is_generator and not ir.is_async and not ir.decorators else None
        if isinstance(thing, ClassInfo):
            return "class" if self._is_unlocked(thing) else None
        if isinstance(thing, External):
            dotted = thing.dotted
            if dotted == "itertools.cycle" and self._is_over_containers(call, function):
                return None  # it goes round for ever: nobody counts on getting an element once
            if dotted.startswith("itertools."):
                return self._kind_of(call, function) if dotted not in _ATOMIC else None
            if dotted.removeprefix("builtins.") in _ITERATORS and dotted.startswith("builtins."):
                return self._kind_of(call, function) if self._is_steppable(dotted, call, function) else None
        return None

    def _kind_of(self, call: Call, function: FunctionInfo) -> Make:
        """Whether an iterator of C code takes each step in one, from containers, where there is a GIL."""
        step = self.program.settings.only_gil and self._is_over_containers(call, function)
        return "step" if step else "iterator"

    def _is_over_containers(self, call: Call, function: FunctionInfo) -> bool:
        over = [self.program.types.of_value(argument.value, function) for argument in call.args]
        plain = all(isinstance(thing, Object) and thing.dotted in _SEQUENCES for things in over for thing in things)
        return plain and bool(over) and all(over)

    def _is_steppable(self, dotted: str, call: Call, function: FunctionInfo) -> bool:
        """Not `iter(f, sentinel)`, which calls, nor `iter(file)`, which is the file."""
        if dotted != "builtins.iter":
            return True
        things = self.program.types.of_value(call.args[0].value, function) if len(call.args) == 1 else ()
        return any(
            isinstance(t, Object) and t.dotted.startswith(("builtins.", "collections.")) for t in things
        ) and all(not isinstance(t, Object) or t.dotted != "builtins.open" for t in things)

    def _is_unlocked(self, cls: ClassInfo) -> bool:
        """Its `__next__` is Python, and changes what it keeps without a lock."""
        method = cls.method("__next__")
        if method is None or method.id in self.program.decorator_locks:
            return False
        flow = self.program.flows.of(method)
        return any(
            access.kind == "write" and access.path[:-1] == (f"p:{method.self_name}",) and access.augmented
            for access in self.program.stores.facts[method.id].accesses
            if not flow.at(access.id).must and not flow.at(access.id).may
        )


def _is_once(root: ThreadRoot | None, location: Location) -> bool:
    """The function whose variable it is starts one such thread each time that it is called."""
    home = root.site_function if root is not None else None
    if root is None or home is None or root.site is None or home.id != location.owner:
        return False
    return root.kind in ("thread", "timer") and all(
        function is home and event not in loops_around(home) for function, event in root.starts
    )


def _as_access(advance: Advance, location: Location) -> SharedAccess:
    """An advance in the terms of the race engine: it changes what the iterator holds."""
    event = advance.event
    inner = location.below(ELEMENT) or location
    path = (*advance.path, ELEMENT) if inner is not location else advance.path
    return SharedAccess(event.id, "mutate", inner, path, event.span, advance.function, method="next")


def _runner(root: ThreadRoot | None, function: FunctionInfo) -> str:
    return root.title if root is not None else f"`{function.qualname}`"
