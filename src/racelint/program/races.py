"""Conflicts: for each location, who touches it in parallel with whom, holding which locks.

Reporting principles are the rules'. This file says what is so: the records of a location (an access in a context with
its total lockset), whether two records may overlap, why the code is thought to be concurrent, and which lock guards it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from racelint.model.finding import Evidence
from racelint.program.anchors import Anchor
from racelint.program.compounds import Compound
from racelint.program.index import ClassInfo, FunctionInfo, directives_at
from racelint.program.linker import Program
from racelint.program.locations import Location
from racelint.program.lock_state import LockState
from racelint.program.locks import Lock
from racelint.program.reach import Context, makes_self
from racelint.program.shared import SharedAccess
from racelint.program.thread_root import ThreadRoot
from racelint.program.types import Object, descendants
from racelint.program.values import Stored


@dataclass(frozen=True, eq=False)
class Record:
    """An access in one context. `held`: all locks certainly held; `perhaps`: there may be more."""

    access: SharedAccess
    context: Context
    state: LockState
    held: frozenset[Lock]
    perhaps: bool
    foreign: bool = False
    """A lock is held, but it is that of another instance, or one per instance for what all of them share."""

    @property
    def locations_held(self) -> frozenset[Location]:
        return frozenset(lock.location for lock in self.held)

    @property
    def through_own(self) -> bool:
        """Through the root's own instance (a Thread subclass, a request handler)."""
        return self.access.path[0][2:] in self.context.private and self.access.path[0].startswith("p:")

    @property
    def order(self) -> tuple[object, ...]:
        return (self.access.function.module.source.display, self.access.span, self.context.root is None)


@dataclass
class Group:
    """All records of one variable: the name that holds it and, for a container, what it holds."""

    location: Location
    records: list[Record]
    evidence: Evidence
    owner_locks: frozenset[Location]
    guards: Counter[Location] = field(default_factory=Counter)
    """Lines (not records) that access it, constructors left out, by lock held."""
    total: int = 0

    @property
    def changes(self) -> list[Record]:
        return [record for record in self.records if record.access.changes]


def _nameable(record: Record) -> frozenset[Location]:
    """Locks that other functions can name: not one of a family, not a local of unknown make."""
    return frozenset(
        lock.location
        for lock in record.held
        if not lock.keyed and not (lock.opaque and lock.location.kind == "captured")
    )


class Races:
    """The groups of a program that may race, in source order."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._barriers: dict[str, frozenset[Location]] = {}

    @cached_property
    def groups(self) -> list[Group]:
        by_variable: dict[Location, list[SharedAccess]] = {}
        for location, accesses in self.program.shared.by_location.items():
            by_variable.setdefault(location.container(), []).extend(accesses)
        found = []
        for location in sorted(by_variable):
            accesses = by_variable[location]
            if any(access.changes and not makes_self(access.function) for access in accesses) and not self._confined(
                location, accesses
            ):
                group = self._group(location, accesses)
                if group is not None:
                    found.append(group)
        return found

    def _group(self, location: Location, accesses: list[SharedAccess]) -> Group | None:
        locks = self.locks_beside(location)
        contract = self.is_contract(location)
        threaded = any(
            context.root is not None for access in accesses for context in self.program.reach.of(access.function)
        )
        if not locks and not contract and not threaded:
            return None
        records = [record for access in accesses for record in self.records_of(access)]
        if not any(record.access.changes for record in records):
            return None
        records.sort(key=lambda record: record.order)
        evidence: Evidence = "contract" if contract else "lock"
        if any(record.context.root is not None for record in records):
            evidence = "thread"
        elif not locks and not contract:
            return None
        group = Group(location, records, evidence, locks)
        self._count_guards(group)
        return group

    def _confined(self, location: Location, accesses: list[SharedAccess]) -> bool:
        """Declared `thread-confined`, on a line that writes it or on its class."""
        cls = self._classes.get(location.owner) if location.kind == "attribute" else None
        if cls is not None and (self.directive_on(cls, "thread-confined") or self._is_lock_itself(cls)):
            return True
        return any(
            directive.verb == "thread-confined"
            for access in accesses
            if access.changes
            for directive in directives_at(access.function.module, access.span[0])
        )

    @staticmethod
    def _is_lock_itself(cls: ClassInfo) -> bool:
        """What a lock's own methods do, they do with it held, by contract."""
        return cls.method("acquire") is not None and cls.method("release") is not None

    @staticmethod
    def _count_guards(group: Group) -> None:
        by_line: dict[tuple[str, int], list[Record]] = {}
        for record in group.records:
            if group.location.kind == "captured" and group.location.owner == record.access.function.id:
                continue
            by_line.setdefault((record.access.function.id, record.access.span[0]), []).append(record)
        group.total = len(by_line)
        for records in by_line.values():
            called = [record for record in records if record.context.parent is not None]
            common = frozenset.intersection(*(_nameable(record) for record in called or records))
            for location in common:
                group.guards[location] += 1

    def records_of(self, access: SharedAccess) -> list[Record]:
        """The access in every context in which another thread may reach what it touches."""
        program = self.program
        function = access.function
        if function.ir.kind in ("module", "class"):
            return []
        if access.location.kind == "captured" and access.location.owner == function.id and not self._spawns(function):
            return []
        if makes_self(function) and access.path[0] == f"p:{function.self_name}" and len(access.path) == 2:
            return []
        flow = program.flows.of(function)
        state = flow.at(access.event)
        by_protocol = any(before.hold(lock.location) is None for lock, _, before in flow.releases)
        found = []
        for context in program.reach.of(function):
            if program.ownership.owned(access.path, access.event, function, context.owned):
                continue
            taken = {lock for lock in context.held if lock.location not in state.dropped}
            taken |= {hold.lock for hold in state.must}
            others = {hold.lock for hold in state.must if self._other_instance(hold.lock, access)}
            held = taken - others
            if self._is_static(access):
                held = {lock for lock in held if lock.shared or self._is_singleton(lock)}
            must = {hold.lock.location for hold in state.must}
            perhaps = (
                context.perhaps
                or by_protocol
                or bool(state.may - must)
                or any(lock.opaque or lock.keyed for lock in taken)
            )
            foreign = bool(state.must) and not held
            found.append(Record(access, context, state, frozenset(held), perhaps, foreign))
        return found

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

    def _is_static(self, access: SharedAccess) -> bool:
        """State of the process rather than of an instance: a global, or an attribute reached through the class."""
        if access.location.kind == "global":
            return True
        if access.location.kind != "attribute":
            return False
        base = access.path[:-1] if not access.location.content else access.path[:-2]
        if not base:
            return False
        things = self.program.types.of(base, access.function)
        return bool(things) and all(isinstance(thing, ClassInfo) for thing in things)

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

    def locks_beside(self, location: Location) -> frozenset[Location]:
        """The thread locks that live where the variable lives: its class, module or function."""
        if location.kind == "attribute":
            return self._locks_of_class(location.owner)
        if location.kind == "global":
            return self._locks_in(("global", location.owner))
        return self._locks_in(("captured", location.owner))

    @cached_property
    def _lock_places(self) -> dict[tuple[str, str], frozenset[Location]]:
        found: dict[tuple[str, str], set[Location]] = {}
        stores, types, locks = self.program.stores, self.program.types, self.program.locks
        for (owner, name), entries in stores.attributes.items():
            facts = locks.facts_of(tuple(types.of_stored(entries)))
            if facts is not None and facts.world == "thread":
                found.setdefault(("attribute", owner), set()).add(Location("attribute", owner, (name,)))
        for (module, name), entries in stores.variables.items():
            facts = locks.facts_of(tuple(types.of_stored(entries)))
            if facts is not None and facts.world == "thread":
                found.setdefault(("global", module), set()).add(Location("global", module, (name,)))
        for (module, function, name), entries in stores.captured.items():
            facts = locks.facts_of(tuple(types.of_stored(entries)))
            if facts is not None and facts.world == "thread":
                owner = f"{module}:{function}"
                found.setdefault(("captured", owner), set()).add(Location("captured", owner, (name,)))
        return {key: frozenset(value) for key, value in found.items()}

    def _locks_in(self, key: tuple[str, str]) -> frozenset[Location]:
        return self._lock_places.get(key, frozenset())

    @cached_property
    def _classes(self) -> dict[str, ClassInfo]:
        return {cls.id: cls for cls in self.program.index.classes}

    def _locks_of_class(self, owner: str) -> frozenset[Location]:
        cls = self._classes.get(owner)
        if cls is None:
            return frozenset()
        found: set[Location] = set()
        for related in (*cls.mro, *descendants(cls)):
            found |= self._locks_in(("attribute", related.id))
        return frozenset(found)

    def of_subclass(self, lock: Location, location: Location) -> bool:
        """A lock that only some children of the location's class have guards nothing for the class itself."""
        owner, cls = self._classes.get(lock.owner), self._classes.get(location.owner)
        return owner is not None and cls is not None and owner is not cls and cls in owner.mro

    def is_contract(self, location: Location) -> bool:
        """Whether the user declared the class thread-safe, in the configuration or with a directive."""
        cls = self._classes.get(location.owner) if location.kind == "attribute" else None
        return cls is not None and any(self._declared_safe(related) for related in (*cls.mro, *descendants(cls)))

    def _declared_safe(self, cls: ClassInfo) -> bool:
        dotted = cls.id.replace(":", ".")
        if any(dotted == name or dotted.endswith("." + name) for name in self.program.settings.contracts.thread_safe):
            return True
        return self.directive_on(cls, "thread-safe")

    @staticmethod
    def directive_on(cls: ClassInfo, verb: str) -> bool:
        """Whether a directive stands on the class's line or alone above it."""
        first = cls.ir.span[0]
        return any(
            directive.verb == verb
            and (directive.line == cls.ir.name_span[0] or (directive.own_line and directive.line == first - 1))
            for directive in cls.module.summary.directives
        )

    def private(self, record: Record) -> bool:
        """No other thread of the same root has it: its own instance's attribute, or what it made for itself."""
        path = record.access.path
        if not record.through_own or len(path) < 2:
            return False
        if len(path) == 2:
            return True
        entries = self._stored_on_self(record)
        return (
            bool(entries)
            and all(not path[0].startswith(("p:", "g:", "f:", "l:")) for entry in entries for path in entry.value)
            and not any(entry.access is not None and entry.access.path[0].startswith("cls:") for entry in entries)
        )

    def _stored_on_self(self, record: Record) -> list[Stored]:
        cls = record.access.function.cls
        if cls is None:
            return []
        attributes = self.program.stores.attributes
        return [entry for base in cls.mro for entry in attributes.get((base.id, record.access.path[1]), [])]

    def parallel(self, left: Record, right: Record, group: Group) -> bool:
        """Whether two records may overlap on the same object."""
        first, second = left.context.root, right.context.root
        if not self._same_object(left, right, group) or self._in_phases(left, right):
            return False
        if first is not None and second is not None:
            private = self.private(left) and self.private(right)
            if first is second:
                return first.many and not private and not (self._own_part(left) and self._own_part(right))
            if first.one_worker and second.one_worker and first.site_function is second.site_function:
                return False
            return not private
        if first is None and second is None:
            if not (left.context.public and right.context.public):
                return False
            if self._drives(left, group) or self._drives(right, group):
                return False
            return bool(group.owner_locks) or self.is_contract(group.location)
        root, other = (first, right) if first is not None else (second, left)
        assert root is not None
        return self.program.ordering.may_overlap(root, other.context, other.access.event)

    def _same_object(self, left: Record, right: Record, group: Group) -> bool:
        """Whether the two touch one object; a class that owns a lock or has a contract promises it for all of them."""
        if group.location.kind == "captured":
            module, _, qualname = group.location.owner.partition(":")
            return all(r.context.root is None or self._within(r, module, qualname) for r in (left, right))
        if group.location.kind != "attribute" or group.owner_locks or self.is_contract(group.location):
            return True
        if self._is_static(left.access) or self._is_static(right.access):
            return True
        return self.program.anchors.same(self._anchor(left), self._anchor(right))

    def evidence_of(self, left: Record, right: Record, group: Group) -> Evidence:
        """Why two records are thought to run in parallel: a thread that has the object, else the class's word."""
        if self.is_contract(group.location):
            return "contract"
        if left.context.root is None and right.context.root is None:
            return "lock"
        if group.location.kind != "attribute" or self._is_static(left.access) or self._is_static(right.access):
            return "thread"
        same = self.program.anchors.same(self._anchor(left), self._anchor(right))
        return "thread" if same or not group.owner_locks else "lock"

    @staticmethod
    def _within(record: Record, module: str, qualname: str) -> bool:
        """Whether the record's thread shares this invocation of a function: it is, or runs, code defined inside it."""
        function = record.context.entry.function
        if function.module.name != module:
            return record.context.root is None
        return function.qualname == qualname or function.qualname.startswith(qualname + ".")

    def _anchor(self, record: Record) -> Anchor | None:
        access = record.access
        path = access.path[: len(access.path) - len(access.location.fields)]
        if not path:
            return None
        anchor = self.program.anchors.of(path, access.function, dict(record.context.anchors))
        if anchor is not None and anchor[0].startswith("captured:"):
            _, module, qualname, _ = anchor[0].split(":", 3)
            return anchor if self._within(record, module, qualname) else None
        return anchor

    def _own_part(self, record: Record) -> bool:
        """An element that the root's own argument chooses: each thread has its row."""
        root = record.context.root
        if root is None or record.access.function is not root.target or not record.access.location.content:
            return False
        return any(self._is_number_of_thread(root, key) for key in (record.access.key, record.access.outer_key) if key)

    def _is_number_of_thread(self, root: ThreadRoot, name: str) -> bool:
        """The parameter is bound to the running number of the loop that starts the threads."""
        if root.site_function is None:
            return False
        facts = self.program.stores.facts[root.site_function.id]
        for path in root.bindings.get(name, ()):
            call = facts.call(int(path[0][2:])) if path[0].startswith("c:") else None
            if call is not None and any(func in (("g:range",), ("g:enumerate",)) for func in call.func):
                return True
        return False

    def _in_phases(self, left: Record, right: Record) -> bool:
        """The two functions wait at one barrier, which orders what they do before and after it."""
        mine, theirs = left.access.function, right.access.function
        return mine is not theirs and bool(self._barriers_of(mine) & self._barriers_of(theirs))

    def _barriers_of(self, function: FunctionInfo) -> frozenset[Location]:
        known = self._barriers.get(function.id)
        if known is None:
            found: set[Location] = set()
            for call in self.program.stores.facts[function.id].calls:
                for path in call.func[:1]:
                    if len(path) > 1 and path[-1] == "wait":
                        things = self.program.types.of(path[:-1], function)
                        location = self.program.locations.of(path[:-1], function)
                        barrier = any(isinstance(t, Object) and t.dotted.endswith("ing.Barrier") for t in things)
                        if location is not None and barrier:
                            found.add(location)
            known = self._barriers[function.id] = frozenset(found)
        return known

    def _drives(self, record: Record, group: Group) -> bool:
        """The entry starts the threads that touch the location, and so is one of a kind."""
        sites = {r.context.root.site_function for r in group.records if r.context.root is not None}
        return record.context.entry.function in sites

    def guarded_together(self, left: Record, right: Record) -> bool:
        """Whether one lock excludes the two, certainly or perhaps."""
        if left.locations_held & right.locations_held:
            return True
        return left.perhaps or right.perhaps

    def compound_guards(self, compound: Compound, record: Record) -> frozenset[Location]:
        """The locks held from the compound's first step to its last without a break."""
        since = self.program.flows.of(compound.function).at(compound.since)
        regions = {hold.lock.location: hold.region for hold in since.must}
        own = {
            hold.lock.location
            for hold in record.state.must
            if hold.lock.location in regions
            and (regions[hold.lock.location] == hold.region or -1 in (hold.region, regions[hold.lock.location]))
        }
        inherited = {
            lock.location
            for lock in record.context.held
            if lock.location not in record.state.dropped and lock.location not in since.dropped
        }
        return frozenset(own | inherited)

    def functions_with_compounds(self) -> list[tuple[FunctionInfo, list[Compound]]]:
        by_function = self.program.compounds.by_function
        return [(f, by_function[f.id]) for f in self.program.index.functions if by_function.get(f.id)]
