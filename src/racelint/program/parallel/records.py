"""Records: an access in one of the contexts that it runs in, with all locks that are held there."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

import msgspec

from racelint.program.calling.calls import CallSite, is_own
from racelint.program.linker import Program
from racelint.program.locking.lock_state import LockState
from racelint.program.locking.locks import Lock
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import SharedAccess
from racelint.program.threads.context import Context


class Record(msgspec.Struct, frozen=True, eq=False, dict=True):
    """An access in one context. `held`: all locks certainly held; `perhaps`: there may be more."""

    access: SharedAccess
    context: Context
    state: LockState
    held: frozenset[Lock]
    perhaps: bool
    foreign: bool = False
    """A lock is held, but it is that of another instance, or one per instance for what all of them share."""
    static: bool = False
    """The access is one of state of the process (`Records.is_static`)."""
    meant: frozenset[Location] = frozenset()
    """Of the locks held those that users are to hold who enter there: no sign that the variable has to do with them."""

    @cached_property
    def locations_held(self) -> frozenset[Location]:
        return frozenset(lock.location for lock in self.held)

    @property
    def through_own(self) -> bool:
        """Through the root's own instance (a Thread subclass, a request handler)."""
        return self.access.path[0][2:] in self.context.private and self.access.path[0].startswith("p:")

    @property
    def order(self) -> tuple[object, ...]:
        return (self.access.function.module.source.display, self.access.span, self.context.root is None)


class Records:
    """Builds the records of accesses."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._several: dict[Location, bool] = {}

    def of(self, access: SharedAccess) -> list[Record]:
        """The access in every context in which another thread may reach what it touches."""
        program = self.program
        function = access.function
        if function.ir.kind in ("module", "class"):
            return []
        if access.location.kind == "captured" and access.location.owner == function.id and not self._spawns(function):
            return []
        constructs = makes_self(function) and access.path[0] == f"p:{function.self_name}" and len(access.path) == 2
        if constructs and function.id not in self.rerun:
            return []
        flow = program.flows.of(function)
        state = flow.at(access.event)
        mine = {lock.location for lock, _, _ in flow.acquisitions}
        by_protocol = any(
            before.hold(lock.location) is None for lock, _, before in flow.releases if lock.location not in mine
        )
        static = self.is_static(access)
        certain = {hold.lock for hold in state.must if not self._lets_several_in(hold.lock)}
        others = {lock for lock in certain if self._other_instance(lock, access)}
        unsure = by_protocol or bool(state.may - {hold.lock.location for hold in state.must})
        owned: dict[frozenset[str], bool] = {}
        """By the parameters that the thread owns: whether it owns what is accessed."""
        holding: dict[frozenset[Lock], tuple[frozenset[Lock], bool]] = {}
        """By the locks that callers hold: all that are held, and whether one of them is any of several."""
        found = []
        for context in program.reach.of(function):
            if context.owned not in owned:
                owned[context.owned] = program.ownership.owned(access.path, access.event, function, context.owned)
            if owned[context.owned] or (constructs and not self._reruns(context)):
                continue
            if program.reach.switches.rule_out(function, access.event, context.switches):
                continue
            if context.held not in holding:
                inherited = {lock for lock in context.held if lock.location not in state.dropped}
                taken = {lock for lock in inherited if not self._lets_several_in(lock)} | certain
                several = any(lock.opaque or lock.keyed for lock in taken)
                holding[context.held] = self._kept_by(taken - others, static), several
            held, several = holding[context.held]
            perhaps = context.perhaps or unsure or several
            found.append(Record(access, context, state, held, perhaps, bool(certain) and not held, static))
        return found

    def _kept_by(self, locks: set[Lock], static: bool) -> frozenset[Lock]:
        """Of the locks held those that keep others from what is accessed: from state of the process, one for all."""
        return (
            frozenset(lock for lock in locks if lock.shared or self._is_singleton(lock)) if static else frozenset(locks)
        )

    def _lets_several_in(self, lock: Lock) -> bool:
        """A semaphore that is made with more permits than one keeps nobody out."""
        if lock.facts is None or lock.facts.family != "semaphore" or len(lock.location.fields) != 1:
            return False
        known = self._several.get(lock.location)
        if known is None:
            known = self._several[lock.location] = self._has_permits(lock.location)
        return known

    def _has_permits(self, place: Location) -> bool:
        stores = self.program.stores
        entries = stores.attributes.get((place.owner, place.fields[0]), []) if place.kind == "attribute" else []
        if place.kind == "global":
            entries = stores.variables.get((place.owner, place.fields[0]), [])
        made = [stores.facts[entry.function.id].made_by(value) for entry in entries for value in entry.value]
        counts = [call.args[0].value for call in made if call is not None and call.args]
        numbers = [value[0][0].removeprefix("k:int:") for value in counts if len(value) == 1]
        return bool(made) and len(numbers) == len(made) and all(n.isdigit() and int(n) > 1 for n in numbers)

    @cached_property
    def rerun(self) -> frozenset[str]:
        """Constructors that an object's own methods call once more where they find it out of date; by function id.

        A method that does so whatever it finds starts over, and is for those who have the object for themselves.
        """
        found: set[str] = set()
        for function in self.program.index.functions:
            if makes_self(function) and any(map(self._is_repeated, self.program.calls.incoming.get(function.id, ()))):
                found.add(function.id)
        return frozenset(found)

    def _reruns(self, context: Context) -> bool:
        """Whether the constructor runs on an object that is not new."""
        if context.parent is None or context.function.self_name in context.owned:
            return False
        sites = self.program.calls.at(context.parent.function, context.site)
        return any(site.callee is context.function and self._is_repeated(site) for site in sites)

    def _is_repeated(self, site: CallSite) -> bool:
        """`if …: self.__init__()` in a method that is no constructor."""
        if site.weak or site.receiver is None or makes_self(site.caller) or not is_own(site.receiver, site.caller):
            return False
        return bool(self.program.compounds.deciding(site.caller, site.event))

    def _spawns(self, function: FunctionInfo) -> bool:
        """Whether the function starts threads: else what it does to its variables is done before anyone shares them."""
        return any(root.site_function is function for root in self.program.roots)

    @staticmethod
    def _other_instance(lock: Lock, access: SharedAccess) -> bool:
        """`with other.lock: self.n += 1` holds the lock of another instance."""
        if lock.shared or lock.location.owner != access.location.owner or not lock.base:
            return False
        mine, theirs = access.path[: len(lock.base)], lock.base
        return mine != theirs and len(lock.base) == 1 and lock.base[0].startswith("p:") and mine[0].startswith("p:")

    def is_static(self, access: SharedAccess) -> bool:
        """State of the process rather than of an instance: a global, or an attribute reached through the class."""
        if access.location.kind == "global":
            return True
        if access.location.kind != "attribute":
            return False
        if access.location.content and self._is_of_class_body(access.location):
            return True
        base = access.path[:-1] if not access.location.content else access.path[:-2]
        if not base:
            return False
        things = self.program.types.of(base, access.function)
        return bool(things) and all(isinstance(thing, ClassInfo) for thing in things)

    def _is_of_class_body(self, location: Location) -> bool:
        """What a container holds that a class body displays and nobody binds anew: all instances have that one."""
        owner, fields = location.owner, location.fields
        if len(fields) != 2:
            return False
        entries = self.program.stores.attributes.get((owner, fields[0]), [])
        return bool(entries) and all(
            entry.function.ir.kind == "class" and all(path[0].startswith("v:") for path in entry.value)
            for entry in entries
        )

    def _is_singleton(self, lock: Lock) -> bool:
        """The lock's class has one instance, made while a module is imported."""
        if lock.location.kind != "attribute":
            return True
        return lock.location.owner in self._singletons

    @cached_property
    def _singletons(self) -> frozenset[str]:
        made: Counter[str] = Counter()
        for sites in self.program.calls.outgoing.values():
            for site in sites:
                if site.callee.ir.name == "__init__" and site.callee.cls is not None:
                    once = site.caller.ir.kind == "module"
                    made[site.callee.cls.id] += 1 if once else 10
        return frozenset(owner for owner, count in made.items() if count == 1)
