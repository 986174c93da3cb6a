"""Calls of methods of an object that another object keeps: what they do to it as a whole.

An object whose class promises nothing is to its keeper what a container is: some calls change it, some look at it, and
the keeper's lock is what keeps them apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from racelint.knowledge.containers import CONTAINERS, ONE_THREAD_AT_A_TIME
from racelint.model.summary import ELEMENT, Call, Path
from racelint.program.flow.values import Stores
from racelint.program.locking.lock_places import LockPlaces
from racelint.program.names.index import ClassInfo, FunctionInfo, Index
from racelint.program.objects.locations import Location, Locations
from racelint.program.objects.things import Constant, Instance, Object
from racelint.program.objects.types import Types
from racelint.program.sharing.contracts import Contracts
from racelint.program.sharing.effects import Effects
from racelint.program.sharing.ownership import CONSTRUCTORS
from racelint.program.sharing.shared import Deed, SharedAccess, SharedAccesses


class ObjectUses:
    """The uses of every object that is kept in an attribute."""

    def __init__(
        self,
        index: Index,
        stores: Stores,
        types: Types,
        locations: Locations,
        shared: SharedAccesses,
        effects: Effects,
        lock_places: LockPlaces,
        contracts: Contracts,
    ) -> None:
        self.stores = stores
        self.types = types
        self.locations = locations
        self.shared = shared
        self.effects = effects
        self.lock_places = lock_places
        self.contracts = contracts
        self.by_location: dict[Location, list[SharedAccess]] = {}
        """By the content of the attribute."""
        for function in index.functions:
            if function.cls is not None and function.ir.name not in CONSTRUCTORS:
                for use in self._of(function):
                    self.by_location.setdefault(use.location, []).append(use)

    def _of(self, function: FunctionInfo) -> Iterator[SharedAccess]:
        for call in self.stores.facts[function.id].calls:
            for path in call.func[:1]:
                use = self._use(call, path, function) if len(path) > 2 else None
                if use is not None:
                    yield use
        own = self.shared.by_function[function.id]
        passed_through = {(access.path[:-1], access.span[:2]) for access in own}
        for access in own:
            location = access.location.below(ELEMENT)
            handed = access.deed == "read" and (access.path, access.span[:2]) not in passed_through
            if (
                handed
                and access.location.kind == "attribute"
                and location is not None
                and self._is_kept(access.path, function)
            ):
                yield replace(access, location=location, path=(*access.path, ELEMENT))

    def _use(self, call: Call, path: Path, function: FunctionInfo) -> SharedAccess | None:
        base = self.locations.of(path[:-1], function)
        if base is None or base.kind != "attribute" or base.content or len(base.fields) > 1:
            return None
        location = base.below(ELEMENT)
        deed = self._deed(path, function)
        if location is None or deed is None:
            return None
        place = (*path[:-1], ELEMENT)
        return SharedAccess(call.id, deed, location, place, call.span, function, deps=call.deps, method=path[-1])

    def _deed(self, path: Path, function: FunctionInfo) -> Deed | None:
        """What the call does to the object; None where the object looks after itself, or is not known."""
        if not self._is_kept(path[:-1], function):
            return None
        known = [thing for thing in self.types.of(path[:-1], function) if not isinstance(thing, Constant)]
        if any(isinstance(thing, Object) for thing in known):
            return "mutate"
        methods = [thing.cls.method(path[-1]) for thing in known if isinstance(thing, Instance)]
        if None in methods:
            return None
        return "mutate" if any(method is not None and self._changes(method) for method in methods) else "read"

    def _is_kept(self, path: Path, function: FunctionInfo) -> bool:
        """Whether the path is known to hold objects that do not look after themselves."""
        known = [thing for thing in self.types.of(path, function) if type(thing) is not Constant]
        return bool(known) and all(
            (type(thing) is Object and thing.dotted in ONE_THREAD_AT_A_TIME)
            or (type(thing) is Instance and self._is_plain(thing.cls))
            for thing in known
        )

    def _is_plain(self, cls: ClassInfo) -> bool:
        """A class of the program with no locks and no contract, that is neither a thread nor a container."""
        external = {base for base in cls.all_external_bases() if base not in ("builtins.object", "abc.ABC")}
        if any(base.startswith(("threading.", "_thread.", "asyncio.")) or base in CONTAINERS for base in external):
            return False
        return not self.lock_places.of_class(cls.id) and not self.contracts.covers_class(cls)

    def _changes(self, method: FunctionInfo) -> bool:
        """Whether the method changes the state of its own object."""
        return any(access.changes for access in self._own_accesses(method))

    def takes_steps(self, use: SharedAccess) -> bool:
        """Whether the call changes the object in several steps, so that another one fits between them."""
        for thing in self.types.of(use.path[:-1], use.function):
            method = thing.cls.method(use.method) if isinstance(thing, Instance) else None
            if method is None:
                continue
            steps: dict[Location, list[SharedAccess]] = {}
            for access in self._own_accesses(method):
                steps.setdefault(access.location.container(), []).append(access)
            if any(len(each) > 1 and any(access.changes for access in each) for each in steps.values()):
                return True
        return False

    def _own_accesses(self, method: FunctionInfo) -> list[SharedAccess]:
        return [e.access for e in self.effects.of(method) if e.access.location.kind == "attribute"]
