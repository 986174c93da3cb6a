"""Objects that are made with a dummy for a lock, which keeps nobody out, and are used by several threads all the same.

`self.lock = Lock() if shared else NoLock()`, and the one who starts the thread has left `shared` as it was.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.locks import LOCK_FACTORIES
from racelint.model.summary import Branch, Call, Path, Return
from racelint.program.calling.calls import CallSite
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import contains, place_of
from racelint.program.linked.processes import closure
from racelint.program.linked.reached import passed
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Instance, Object
from racelint.program.threads.users import is_public

_NOTHING = frozenset({"contextlib.nullcontext"})
_KINDS = frozenset({"thread", "timer", "pool"})


class Option(msgspec.Struct, frozen=True):
    """Objects of `cls` have a dummy, made of `dummy`, in `attribute` where their parameter `name` holds `truth`."""

    cls: ClassInfo
    attribute: str
    dummy: str
    name: str
    truth: bool


class DummyLock(msgspec.Struct, frozen=True):
    """`site` makes an object with a dummy and puts it at `place`, where the thread of `root` and `other` use it."""

    option: Option
    site: CallSite
    place: Location
    root: ThreadRoot
    mine: CallSite
    other: CallSite


class DummyLocks:
    """All of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[DummyLock]:
        """In source order, one for each place where such an object is made."""
        for option in self._options():
            constructor = option.cls.method("__init__")
            uses = None
            for site in self.program.calls.incoming.get(constructor.id, ()) if constructor is not None else ():
                place = self._place(site) if passed(option.name, site)[0] is option.truth else None
                if place is not None:
                    uses = self._uses(option) if uses is None else uses
                    yield from list(self._shared(option, site, place, uses.get(place, [])))[:1]

    def _options(self) -> Iterator[Option]:
        """The first attribute of each class that a constructor puts a lock into, or a dummy."""
        for cls in self.program.index.classes:
            constructor = cls.method("__init__")
            if constructor is None or constructor.cls is not cls:
                continue
            made: dict[str, list[tuple[Call, str]]] = {}
            for access in self.program.stores.facts[constructor.id].accesses:
                if access.kind == "write" and access.path[:-1] == (f"p:{constructor.self_name}",):
                    for path in access.value:
                        call = self.program.stores.facts[constructor.id].made_by(path)
                        kind = self._kind(call, constructor) if call is not None and len(path) == 1 else None
                        if call is not None and kind is not None:
                            made.setdefault(access.path[-1], []).append((call, kind))
            for attribute, calls in made.items():
                dummies = [(call, kind) for call, kind in calls if kind]
                decided = _decided(constructor, dummies[0][0].id) if dummies and len(dummies) < len(calls) else None
                if decided is not None:
                    yield Option(cls, attribute, dummies[0][1], *decided)
                    break

    def _kind(self, call: Call, function: FunctionInfo) -> str | None:
        """The name of the dummy that the call makes; empty for a lock, None for anything else."""
        for thing in self.program.types.of_value(call.func, function):
            if isinstance(thing, External) and thing.dotted in LOCK_FACTORIES:
                return ""
            if isinstance(thing, External) and thing.dotted in _NOTHING:
                return thing.dotted.rpartition(".")[2]
        for thing in self.program.types.of((f"c:{call.id}",), function):
            if isinstance(thing, Object) and thing.dotted in _NOTHING:
                return thing.dotted.rpartition(".")[2]
            if isinstance(thing, Instance) and _does_nothing(thing.cls):
                return thing.cls.name
        return None

    def _place(self, site: CallSite) -> Location | None:
        """Where the object is kept that the call makes."""
        made: Path = (f"c:{site.event}",)
        for access in self.program.stores.facts[site.caller.id].accesses:
            if access.kind == "write" and made in access.value and len(access.path) > 1:
                return self.program.locations.of(access.path, site.caller)
        return None

    def _uses(self, option: Option) -> dict[Location, list[CallSite]]:
        """The calls that come to a section of the dummy, by the place of the object."""
        taking = set()
        for method in option.cls.all_methods():
            wanted: Path = (f"p:{method.self_name}", option.attribute)
            if any(wanted in node.item.value for node in self.program.stores.facts[method.id].withs):
                taking.add(method.id)
        found: dict[Location, list[CallSite]] = {}
        for sites in self.program.calls.outgoing.values():
            for site in sites:
                if (
                    site.weak
                    or site.receiver is None
                    or len(site.receiver) < 2
                    or site.callee.cls not in option.cls.mro
                ):
                    continue
                place = self.program.locations.of(site.receiver, site.caller)
                if place is not None and taking & closure(self.program, [site.callee]).keys():
                    found.setdefault(place, []).append(site)
        return found

    def _shared(self, option: Option, site: CallSite, place: Location, uses: list[CallSite]) -> Iterator[DummyLock]:
        for root in self.program.roots if len(uses) > 1 else ():
            if root.kind not in _KINDS:
                continue
            run = closure(self.program, [root.target])
            mine = next((use for use in uses if use.caller.id in run), None)
            other = next((use for use in uses if use.caller.id not in run and is_public(use.caller)), None)
            if mine is not None and other is not None:
                yield DummyLock(option, site, place, root, mine, other)


def _does_nothing(cls: ClassInfo) -> bool:
    """A context manager whose methods have nothing in them."""
    methods = [cls.method(name) for name in ("__enter__", "__exit__")]
    return all(
        method is not None and all(isinstance(node, Return) for node in nodes_of(method.ir.body)) for method in methods
    )


def _decided(constructor: FunctionInfo, event: int) -> tuple[str, bool] | None:
    """The parameter that decides whether the constructor comes to the event, and what it then is."""
    for place in reversed(place_of(constructor, event)):
        node = place.node
        if isinstance(node, Branch) and len(node.implied) == 1:
            (path, truth), *_ = node.implied
            if len(path) == 1 and path[0].startswith("p:"):
                return path[0][2:], truth is any(contains(inner, event) for inner in node.then)
    return None
