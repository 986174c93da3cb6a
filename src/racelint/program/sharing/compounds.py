"""Compounds: sequences of atomic steps on one location that are only right if nobody comes between them.

A read-modify-write stores what was computed from a read of the same location. A check-then-act changes a location in a
branch that was decided by reading it. Both are found on one function's control-flow tree, through locals and through
calls whose answer depends on the read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set

import msgspec
from msgspec.structs import replace

from racelint.knowledge.containers import TAKING_METHODS
from racelint.knowledge.raising import LOOKUP_ERRORS
from racelint.model.summary import (
    Access,
    AnyNode,
    Branch,
    Call,
    Loop,
    Part,
    Path,
    Span,
    Try,
    With,
    leaves,
)
from racelint.program.calling.calls import CallGraph, CallSite
from racelint.program.flow.branch_conditions import Condition, asserts, finds, pauses
from racelint.program.flow.values import Stores, nodes_of
from racelint.program.names.index import External, FunctionInfo
from racelint.program.sharing.accesses import SharedAccesses
from racelint.program.sharing.decisions import (
    CompoundKind,
    decides,
    is_from_elsewhere,
    puts_back,
    relies,
    same_place,
    sets_flag,
    takes,
)
from racelint.program.sharing.effects import Effects, base_of
from racelint.program.sharing.ownership import CONSTRUCTORS, makes_self
from racelint.program.sharing.shared import SharedAccess

_PROCESS_ID = External("os.getpid")
"""The same for all threads, however often it is asked."""
CALLS_TO_ACT = 2
"""So many calls below the one that was decided a change is still seen."""
_NOTHING_THERE = LOOKUP_ERRORS | {"g:ValueError"}


class Compound(msgspec.Struct, frozen=True):
    """`first` is the read, `since` the event in this function that makes it (a call where it is read inside one).

    `act` is the change. `direct`: the check reads the very location that is changed, not only its container.
    """

    kind: CompoundKind
    first: SharedAccess
    since: int
    act: SharedAccess
    function: FunctionInfo
    test: str = ""
    check_span: Span = (1, 1, 1, 1)
    through_call: bool = False
    """The act is a call whose function makes the change from an argument."""
    negated: bool = False
    """The act is where the test failed: nothing there, not in it, false."""
    inner: SharedAccess | None = None
    """The change itself where the act is the call of a function that makes it."""
    looked: int = -1
    """Where the check looks into what `first` took a name for: `q = self.queue`, and later `if not q`."""

    @property
    def begins(self) -> int:
        """The event from which on nothing may come between."""
        return self.looked if self.looked >= 0 else self.since


class Compounds:
    """The compounds of functions, each found when first asked for."""

    def __init__(self, stores: Stores, calls: CallGraph, shared: SharedAccesses, effects: Effects) -> None:
        self.stores = stores
        self.calls = calls
        self.shared = shared
        self.effects = effects
        self._answers: dict[str, tuple[SharedAccess, ...]] = {}
        self._walks: dict[str, _Walk] = {}

    def of(self, function: FunctionInfo) -> list[Compound]:
        """Those of one function."""
        return self._walked(function).complete()

    def deciding(self, function: FunctionInfo, event: int) -> tuple[int, ...]:
        """The reads and calls of the function that decided whether the event happens."""
        return self._walked(function).deciding.get(event, ())

    def wanting(self, function: FunctionInfo, event: int) -> frozenset[int]:
        """Those of them whose answer cannot have been that something is there."""
        return self._walked(function).wanting.get(event, frozenset())

    def expected(self, function: FunctionInfo) -> Set[int]:
        """Events of the function whose failure for want of an element is handled."""
        return self._walked(function).expected

    def _walked(self, function: FunctionInfo) -> _Walk:
        walk = self._walks.get(function.id)
        if walk is None:
            walk = self._walks[function.id] = _Walk(self, function)
            if walk.accesses or self.calls.outgoing[function.id] or self.stores.facts[function.id].makes_lock:
                walk.run()
        return walk

    def sites(self, function: FunctionInfo, event: int) -> list[CallSite]:
        """What the event calls, as far as more than a name says so."""
        return [site for site in self.calls.at(function, event) if not site.weak]

    def decides_itself(self, act: SharedAccess, through: tuple[CallSite, ...] = ()) -> bool:
        """Whether its own function, or one on the way to it, makes the change by what it reads of the same location."""
        for function, event in ((act.function, act.event), *((site.caller, site.event) for site in through)):
            walk = self._walked(function)
            for decided in walk.deciding.get(event, ()):
                if any(read.location == act.location for read in self.reads_behind(decided, function, walk.accesses)):
                    return True
        return False

    def reads_behind(self, event: int, function: FunctionInfo, accesses: dict[int, SharedAccess]) -> list[SharedAccess]:
        """The shared reads that the value of an event was computed from."""
        found = []
        own = accesses.get(event)
        if (own is not None and not own.changes) or (
            own is not None and own.deed == "mutate" and own.method in TAKING_METHODS
        ):
            found.append(own)
        for site in self.sites(function, event):
            found.extend(self._answer(site.callee))
        return found

    def _answer(self, function: FunctionInfo) -> tuple[SharedAccess, ...]:
        """The shared reads that decide what a function returns: one call deep, small functions only."""
        known = self._answers.get(function.id)
        if known is None:
            self._answers[function.id] = ()
            accesses = {access.event: access for access in self.shared.of(function)}
            found: list[SharedAccess] = []
            facts = self.stores.facts[function.id]
            if len(facts.events) <= 40 and not function.ir.is_generator:
                for node in facts.returns:
                    for dep in node.deps:
                        own = accesses.get(dep)
                        if own is not None and not own.changes:
                            found.append(own)
                        for site in self.sites(function, dep):
                            found.extend(self._answer(site.callee))
            known = self._answers[function.id] = tuple(found[:6])
        return known


class _Walk:
    def __init__(self, compounds: Compounds, function: FunctionInfo) -> None:
        self.compounds = compounds
        self.function = function
        self.accesses = {access.event: access for access in compounds.shared.of(function)}
        self.deciding: dict[int, tuple[int, ...]] = {}
        self.wanting: dict[int, frozenset[int]] = {}
        self.expected: set[int] = set()
        self._found: list[Compound] = []
        self._decided_calls: list[tuple[Call, tuple[Condition, ...]]] = []

    def run(self) -> None:
        self._block(self.function.ir.body, ())

    def complete(self) -> list[Compound]:
        """All that was found, and what decided calls do to what decided about them."""
        decided, self._decided_calls = self._decided_calls, []
        for call, conditions in decided:
            self._acts_of_call(call, conditions)
        return self._found

    def _block(self, nodes: tuple[AnyNode, ...], conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        """Walk the nodes, which run under these conditions; the conditions under which the end is reached."""
        for position, node in enumerate(nodes):
            if type(node) is Access or type(node) is Call:
                if conditions and (type(node) is Call or node.kind in ("write", "delete")):
                    self._note_deciding(node.id, conditions)
                access = self.accesses.get(node.id)
                if access is not None and access.changes:
                    self._act(access, conditions)
                elif access is not None and conditions:
                    self._use(access, conditions)
                if type(node) is Call:
                    sites = self.compounds.sites(self.function, node.id)
                    self._stores_of_call(node, sites)
                    if conditions and sites:
                        self._decided_calls.append((node, conditions))
            elif type(node) is Branch:
                holds, fails = ((), node.parts) if node.otherwise else (node.parts, ())
                at = _first_event((*node.then[:1], *node.orelse[:1], *nodes[position + 1 : position + 2]))
                condition = Condition(node.deps, node.test, node.negated, node.span, holds, at)
                flipped = Condition(node.deps, node.test, not node.negated, node.span, fails, at)
                then = self._block(node.then, (*conditions, condition))
                orelse = self._block(node.orelse, (*conditions, flipped))
                inside = len(conditions) + 1
                if leaves(node.then) or pauses(node.then):
                    conditions = (*conditions, flipped, *orelse[inside:])
                elif node.orelse and leaves(node.orelse) and not asserts(node):
                    conditions = (*conditions, condition, *then[inside:])
                else:
                    conditions = (*conditions, *then[inside:], *orelse[inside:])
            elif type(node) is Loop:
                self._block(node.head, conditions)
                inner = conditions
                if node.kind == "while" and node.deps:
                    inner = (*conditions, Condition(node.deps, "while", node.negated, node.span))
                self._block(node.body, inner)
                self._block(node.orelse, conditions)
            elif type(node) is With:
                self._block(node.body, conditions)
            elif type(node) is Try:
                self._try(node, conditions)
        return conditions

    def _try(self, node: Try, conditions: tuple[Condition, ...]) -> None:
        if any(path[-1] in _NOTHING_THERE for handler in node.handlers for path in handler.types):
            self.expected |= {n.id for n in nodes_of(node.body) if isinstance(n, (Access, Call))}
        self._block(node.body, conditions)
        for handler in node.handlers:
            extra = conditions
            missed = {path[-1] for path in handler.types} & {"g:KeyError", "g:AttributeError"}
            if missed:
                steps = [n for n in node.body if isinstance(n, (Access, Call))]
                stored = {(n.path[:-1], n.span[:2]) for n in steps if isinstance(n, Access) and n.kind == "write"}
                reads = tuple(n.id for n in steps if isinstance(n, Call) or _may_miss(n, missed, stored))
                extra = (*conditions, Condition(reads, "except", True, node.span))
            self._block(handler.body, extra)
        self._block(node.orelse, conditions)
        self._block(node.final, conditions)

    def _stores_of_call(self, call: Call, sites: list[CallSite]) -> None:
        """`self.set(self.get() + 1)`: the callee writes what the caller computed from a read of the same place."""
        for site in sites:
            deps = {dep for argument in call.args for dep in argument.deps}
            if not deps or site.receiver is None:
                continue
            for write in self.compounds.shared.of(site.callee):
                if write.deed != "write" or not any(path[0][2:] in site.bindings for path in write.value):
                    continue
                moved = replace(write, function=self.function, event=call.id, span=call.span)
                moved = replace(moved, path=(*site.receiver, *write.path[1:]))
                if any(argument.value == (moved.path,) for argument in call.args):
                    continue  # it is put back as it was
                for dep in sorted(deps):
                    if self._asks_another(dep, site.receiver):
                        continue
                    for read in self.compounds.reads_behind(dep, self.function, self.accesses):
                        if same_place(read, moved):
                            self._found.append(
                                Compound(
                                    "update", read, dep, moved, self.function, check_span=call.span, through_call=True
                                )
                            )

    def _asks_another(self, event: int, receiver: Path) -> bool:
        """`target.set(source.get())`: what is read is that of another object."""
        sites = self.compounds.sites(self.function, event)
        return bool(sites) and all(site.receiver not in (None, receiver) for site in sites)

    def _acts_of_call(self, call: Call, conditions: tuple[Condition, ...]) -> None:
        """`if self.stream is None: self._open()`: the callee changes what the caller looked at, and looks no more."""
        for effect in self.compounds.effects.at(self.function, call.id, CALLS_TO_ACT):
            act, callee, via = effect.access, effect.access.function, effect.through[1:]
            if not _is_act_of_call(act) or self.compounds.decides_itself(act, via):
                continue
            constructing = callee.ir.name in CONSTRUCTORS and self.function.ir.name in CONSTRUCTORS
            if callee is self.function or constructing:
                continue
            moved = replace(act, function=self.function, event=call.id, span=call.span, deps=(), augmented=False)
            if act.location.kind == "attribute":
                moved = replace(moved, path=(f"p:{self.function.self_name}", *effect.base, *act.location.fields))
            for condition in conditions:
                if not self._is_plain(condition):
                    continue
                for kind, read, dep in self._deciding(condition, moved):
                    if read.function is self.function and base_of(read) != base_of(moved):
                        continue  # the same attribute of another object
                    if finds(condition) and is_from_elsewhere(act):
                        continue  # a setting is given the value it is to have, whatever it was
                    found = self._decided(kind, read, dep, moved, condition)
                    self._found.append(replace(found, inner=act))

    def _is_plain(self, condition: Condition) -> bool:
        """The state itself is tested, not something that was computed from it and the clock or other things."""
        facts = self.compounds.stores.facts[self.function.id]
        calls = [call for dep in condition.deps if (call := facts.call(dep)) is not None]
        types = self.compounds.shared.types
        return all(
            self.compounds.sites(self.function, call.id) or types.of_value(call.func, self.function) == (_PROCESS_ID,)
            for call in calls
        )

    def _use(self, use: SharedAccess, conditions: tuple[Condition, ...]) -> None:
        """A second read of what was just tested: `if self.x is not None: self.x.send()`."""
        for condition in conditions:
            for part in condition.each():
                for dep in part.deps:
                    first = self.accesses.get(dep)
                    if first is None or dep >= use.event or first.changes or first.event == use.event:
                        continue
                    if self._is_tested(dep, part) and relies(first, use, part.test, part.negated):
                        found = Compound("check-then-use", first, dep, use, self.function, part.test, condition.span)
                        self._found.append(replace(found, looked=self._looked(first, use, condition)))

    def _is_tested(self, dep: int, part: Part | Condition) -> bool:
        """Whether the condition is about what was read there, or how much is in it, not what was then made of it."""
        after = [other for other in part.deps if other > dep]
        call = self.compounds.stores.facts[self.function.id].call(after[0]) if after else None
        return part.test == "in" or not after or (call is not None and call.func == (("g:len",),))

    def _act(self, act: SharedAccess, conditions: tuple[Condition, ...]) -> None:
        if takes(act) and (act.event in self.expected or self._has_default(act)):
            return  # the removal is its own check
        for dep in act.deps:
            for read in self.compounds.reads_behind(dep, self.function, self.accesses):
                if same_place(read, act) and act.deed != "mutate" and not puts_back(read, dep, act):
                    self._found.append(Compound("update", read, dep, act, self.function, check_span=read.span))
        for condition in conditions:
            for kind, read, dep in self._deciding(condition, act):
                self._found.append(self._decided(kind, read, dep, act, condition))

    def _has_default(self, act: SharedAccess) -> bool:
        """`d.pop(k, None)`, which does not fail where another thread was faster."""
        call = self.compounds.stores.facts[self.function.id].call(act.event)
        return act.method == "pop" and call is not None and len(call.args) > 1

    def _note_deciding(self, event: int, conditions: tuple[Condition, ...]) -> None:
        deps = _deps_before(event, conditions)
        self.deciding[event] = deps
        there = {dep for condition in conditions for part in condition.each() if finds(part) for dep in part.deps}
        self.wanting[event] = frozenset(deps) - there

    def _decided(
        self, kind: CompoundKind, read: SharedAccess, dep: int, act: SharedAccess, condition: Condition
    ) -> Compound:
        found = Compound(kind, read, dep, act, self.function, condition.test, condition.span)
        return replace(found, negated=condition.negated, looked=self._looked(read, act, condition))

    def _looked(self, read: SharedAccess, act: SharedAccess, condition: Condition) -> int:
        """Where the condition looks into a container that stays the same one, once `read` took a name for it."""
        if condition.test == "none" or read.location.content or not act.location.content:
            return -1
        others = self.compounds.shared.at(read.location)
        stays = all(makes_self(other.function) for other in others if other.changes)
        return condition.at if stays and condition.at <= act.event else -1

    def _deciding(self, condition: Condition, act: SharedAccess) -> Iterator[tuple[CompoundKind, SharedAccess, int]]:
        """The reads behind a condition that the act depends on."""
        for dep in condition.deps:
            if dep < act.event:
                for read in self.compounds.reads_behind(dep, self.function, self.accesses):
                    kind = decides(read, act, condition.test, condition.negated)
                    if kind is not None:
                        yield kind, read, dep


def acts_for_caller(access: SharedAccess) -> bool:
    """Whether the call of its function may be an act of the caller: it changes, or it stores what it is given."""
    given = access.deed == "write" and any(path[0].startswith("p:") for path in access.value)
    return given or _is_act_of_call(access)


def _is_act_of_call(access: SharedAccess) -> bool:
    return access.deed in ("write", "delete") and not access.location.content and not sets_flag(access)


def _first_event(nodes: tuple[AnyNode, ...]) -> int:
    return next((node.id for node in nodes if isinstance(node, (Access, Call))), -1)


def _deps_before(event: int, conditions: tuple[Condition, ...]) -> tuple[int, ...]:
    return tuple(dep for condition in conditions for dep in condition.deps if dep < event)


def _may_miss(node: Access, errors: Collection[str], stored: Collection[tuple[Path, tuple[int, ...]]]) -> bool:
    """Whether one of the errors may say that something was not there: storing an item never finds a key missing."""
    stores = node.kind == "write" or (node.kind == "read" and (node.path, node.span[:2]) in stored)
    return not stores or "g:AttributeError" in errors
