"""Callbacks of users that an object keeps and calls with a lock held that its own methods wait for.

Such a callback may use the object that tells it: the thread then waits for the lock that it holds itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property

import msgspec

from racelint.model.summary import ELEMENT, Call, Path, Span, Value
from racelint.program.flow.values import Stored, element_key, event_span
from racelint.program.linked.reached import Reached, reached
from racelint.program.linked.takings import Held
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Constant, Object
from racelint.program.sharing.ownership import CONSTRUCTORS
from racelint.program.threads.test_cases import is_of_tests
from racelint.program.threads.users import is_public

_MAX_HANDS = 4
_MAX_CALLS = 2
"""Calls from the lock to the notice: behind more of them, whoever took the lock need not know."""
_OPTIONS = Object("builtins.dict")
_COPYING = frozenset({"g:list", "g:tuple", "g:sorted", "g:set", "g:frozenset", "g:reversed"})


class Notice(msgspec.Struct, frozen=True):
    """The call tells a callback that `giver` took as its parameter `name` and kept.

    Where `is_set`, it is an attribute `name` instead that `giver` leaves empty and users write to.
    """

    function: FunctionInfo
    call: Call
    giver: FunctionInfo
    name: str
    is_set: bool = False

    @property
    def key(self) -> Hashable:
        return (self.function.id, self.call.id)


class HeldNotice(msgspec.Struct, frozen=True):
    """At `span` the function comes to the notice with `held` held, for which `back` waits."""

    function: FunctionInfo
    span: Span
    held: Held
    then: Reached[Notice]
    back: FunctionInfo


class KeptCallbacks:
    """All of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[HeldNotice]:
        """In source order, the first of each section of a lock; of several locks, for the one taken last."""
        holders = self.program.takings.holders
        ways = reached(self.program.takings.running, holders, self.told_by)
        for function in holders:
            seen: set[Span] = set()
            for then in ways[function.id]:
                notices = self._held(function, then) if len(then.chain) <= _MAX_CALLS else []
                found = max(notices, key=lambda notice: notice.held.span, default=None)
                if found is not None and found.held.span not in seen:
                    seen.add(found.held.span)
                    yield found

    def _held(self, function: FunctionInfo, then: Reached[Notice]) -> list[HeldNotice]:
        """For each lock of the object that the function holds on its way to the notice, and that is waited for."""
        event = then.chain[0].event if then.chain else then.fact.call.id
        found = []
        for held in self.program.takings.held(function, event):
            if _is_waited_for(held) and held.owner == then.owner and not self._is_given_back(held, then):
                back = self._back(held, then.fact, function)
                if back is not None:
                    found.append(HeldNotice(function, event_span(function, event), held, then, back))
        return found

    def told_by(self, function: FunctionInfo) -> list[Reached[Notice]]:
        """The callbacks that the function tells itself."""
        found: list[Reached[Notice]] = []
        for call in self.program.stores.facts[function.id].calls:
            if call.used or call.awaited or len(call.func) != 1:
                continue
            kept = self._kept(call.func[0], function)
            notice = self._notice(call, kept, function) if kept is not None else None
            if kept is not None and notice is not None:
                owner = kept[:1] if kept[0].startswith("p:") else ()
                way = self.program.takings.running.way(function, call.id)
                found.append(Reached(notice, owner, (), way.certain, way.given))
        return found

    def _notice(self, call: Call, kept: Path, function: FunctionInfo) -> Notice | None:
        giver = self._giver(kept, function)
        if giver is not None:
            return Notice(function, call, *giver)
        empty = self._left_empty(kept, function)
        return Notice(function, call, empty, kept[-1], True) if empty is not None else None

    def _left_empty(self, path: Path, function: FunctionInfo) -> FunctionInfo | None:
        """Who makes an attribute for users to put a callback into: `self.on_change = None`, and nothing else."""
        name = path[-1]
        if len(path) != 2 or name.startswith("_") or name == ELEMENT:
            return None
        stored = self._stored(path, function)
        if not stored or any(entry.value != (("k:None",),) for entry in stored) or self._is_known(path, function):
            return None
        return stored[0].function if name not in self._written_from_outside else None

    def _is_known(self, path: Path, function: FunctionInfo) -> bool:
        return any(not isinstance(thing, Constant) for thing in self.program.types.of(path, function))

    @cached_property
    def _written_from_outside(self) -> frozenset[str]:
        """Attributes that the program writes to objects which are not `self`: it says itself what is called then."""
        return frozenset(
            access.path[-1]
            for facts in self.program.stores.facts.values()
            for access in facts.accesses
            if access.kind == "write"
            and len(access.path) > 1
            and access.path[:-1] != (f"p:{facts.function.self_name}",)
        )

    def _is_given_back(self, held: Held, then: Reached[Notice]) -> bool:
        """Whether something on the way puts the lock down before it goes on."""
        inside = [(site.caller, site.event) for site in then.chain] + [(then.fact.function, then.fact.call.id)]
        return any(held.lock.location in self.program.flows.of(f).at(event).dropped for f, event in inside[1:])

    def _kept(self, path: Path, function: FunctionInfo) -> Path | None:
        """Where the object or module keeps what is called, if it does."""
        facts = self.program.stores.facts[function.id]
        elements = 0
        while path[-1] == ELEMENT and len(path) > 1:
            path, elements = path[:-1], elements + 1
        path = self._copied(path, function) if elements else path
        looked_up = facts.looked_up(path)
        if looked_up is not path and looked_up[-1] == ELEMENT:
            path, elements = looked_up[:-1], elements + 1
        own = len(path) == 2 and path[0] == f"p:{function.self_name}" and function.cls is not None
        if own or (len(path) == 1 and path[0].startswith("g:") and elements):
            return (*path, *[ELEMENT] * elements)
        return None

    def _copied(self, path: Path, function: FunctionInfo) -> Path:
        """What `list(…)`, `sorted(…)`, `….copy()` and the like were made of."""
        call = self.program.stores.facts[function.id].made_by(path) if len(path) == 1 else None
        if call is None or len(call.func) != 1:
            return path
        made_of: Value = (call.func[0][:-1],) if call.func[0][-1] == "copy" else ()
        if call.func[0][0] in _COPYING and call.args:
            made_of = call.args[0].value
        return made_of[0] if len(made_of) == 1 and made_of[0] else path

    def _giver(self, path: Path, function: FunctionInfo) -> tuple[FunctionInfo, str] | None:
        """Who took what is kept there: not a part that the object cannot do without."""
        for stored in self._stored(path, function):
            giver = stored.function
            for value in stored.value:
                if len(value) != 1 or not value[0].startswith("p:") or value[0][2:] == giver.self_name:
                    continue
                name = value[0][2:]
                spared = path[-1] == ELEMENT or giver.ir.name not in CONSTRUCTORS or _may_be_left_out(giver, name)
                if spared and self._is_users(giver, name, _MAX_HANDS):
                    return giver, name
        return None

    def _stored(self, path: Path, function: FunctionInfo) -> list[Stored]:
        """What is put there; in a table that was handed in as a whole, that."""
        stores = self.program.stores
        if path[-1] == ELEMENT:
            key = element_key(self.program.index, function, path[:-1])
            found = stores.elements.get(key, []) if key is not None else []
            return found or (self._stored(path[:-1], function) if path[-2] != ELEMENT and len(path) > 2 else [])
        location = self.program.locations.of(path, function)
        if location is None or len(location.fields) != 1 or location.kind != "attribute":
            return []
        return stores.attributes.get((location.owner, location.fields[0]), [])

    def _is_users(self, function: FunctionInfo, name: str, hands: int) -> bool:
        """Whether it is users who give it: some caller hands on what the program knows nothing of, or there is none."""
        given = self.program.types.arguments.get((function.id, name), [])
        sites = [(value, caller) for value, caller in given if not is_of_tests(caller)]
        if not sites:
            return is_public(function) or function.ir.name in CONSTRUCTORS
        return any(self._is_from_users(value, caller, hands) for value, caller in sites)

    def _is_from_users(self, value: Value, caller: FunctionInfo, hands: int) -> bool:
        handed_on = [path[0][2:] for path in value if len(path) == 1 and path[0].startswith("p:")]
        if hands and handed_on:
            return any(self._is_users(caller, name, hands - 1) for name in handed_on)
        if all(path[0].startswith("k:") for path in value):
            return False
        return all(isinstance(t, Constant) or t == _OPTIONS for t in self.program.types.of_value(value, caller))

    def _back(self, held: Held, notice: Notice, function: FunctionInfo) -> FunctionInfo | None:
        """What users call that waits for the lock: what took the callback, or what always does."""
        if function.cls is not None:
            methods = [cls.module.functions[q] for cls in function.cls.mro for q in cls.ir.methods.values()]
        else:
            methods = [f for f in self.program.index.functions if f.module is function.module and f.cls is None]
        certain = {method: certain for method in methods if (certain := self._takes(method, held)) is not None}
        if notice.giver in certain and is_public(notice.giver):
            return notice.giver
        fitting = [method for method, always in certain.items() if always and is_public(method)]
        return min(fitting, key=lambda method: method is function, default=None)

    def _takes(self, method: FunctionInfo, held: Held) -> bool | None:
        """Whether each run of the method waits for the lock; None where none does."""
        owner: Path = (f"p:{method.self_name}",) if held.owner else ()
        taken = [
            taken.certain
            for taken in self.program.takings.taken(method)
            if taken.fact.lock.location == held.lock.location and taken.owner == owner
        ]
        return any(taken) if taken else None


def _may_be_left_out(function: FunctionInfo, name: str) -> bool:
    return any(param.name == name and ("k:None",) in param.default for param in function.ir.params)


def _is_waited_for(held: Held) -> bool:
    lock = held.lock
    facts = lock.facts
    return facts is not None and not facts.own and not lock.reentrant and not lock.keyed and facts.world == "thread"
