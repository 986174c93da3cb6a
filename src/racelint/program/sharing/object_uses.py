"""Calls of methods of an object that another object keeps: what they do to it as a whole.

An object whose class promises nothing is to its keeper what a container is: some calls change it, some look at it, and
the keeper's lock is what keeps them apart.
"""

from __future__ import annotations

from msgspec.structs import replace

from racelint.knowledge.containers import CONTAINERS, ONE_THREAD_AT_A_TIME
from racelint.model.summary import ELEMENT, Call, Path
from racelint.program.flow.values import Stores
from racelint.program.locking.lock_places import LockPlaces
from racelint.program.names.index import ClassInfo, FunctionInfo, Index
from racelint.program.objects.locations import Location, Locations
from racelint.program.objects.things import Constant, Instance, Object
from racelint.program.objects.types import Types
from racelint.program.sharing.accesses import SharedAccesses
from racelint.program.sharing.contracts import Contracts
from racelint.program.sharing.effects import Effects
from racelint.program.sharing.ownership import CONSTRUCTORS
from racelint.program.sharing.shared import Deed, SharedAccess


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
        self.callers: dict[Location, list[tuple[FunctionInfo, Call]]] = {}
        """By attribute: the calls of what may be the object that it keeps, in source order."""
        for function in index.functions:
            if is_user(function):
                for call in stores.facts[function.id].calls:
                    self._note(call, function)

    def _note(self, call: Call, function: FunctionInfo) -> None:
        if not call.func or len(call.func[0]) < 3:
            return
        attribute = self.locations.of(call.func[0][:-1], function)
        if attribute is not None and attribute.kind == "attribute" and len(attribute.fields) == 1:
            self.callers.setdefault(attribute, []).append((function, call))

    def of(self, attribute: Location) -> list[SharedAccess]:
        """The uses of the object that the attribute keeps, those of one function together, calls before the rest."""
        inside = attribute.below(ELEMENT)
        assert inside is not None
        found = [use for function, call in self.callers[attribute] if (use := self._use(call, inside, function))]
        if any(use.changes for use in found):
            found += (
                replace(access, location=inside, path=(*access.path, ELEMENT))
                for access in self.shared.at(attribute)
                if self._is_handed_on(access)
            )
            found.sort(key=lambda use: (self.shared.position(use.function), not use.method))
        return found

    def _is_handed_on(self, access: SharedAccess) -> bool:
        """It reads the attribute to do something else with the object than to call it or to look into it."""
        if access.deed != "read" or not is_user(access.function) or not self._is_kept(access.path, access.function):
            return False
        return not any(
            other.path[:-1] == access.path and other.span[:2] == access.span[:2]
            for other in self.shared.of(access.function)
        )

    def _use(self, call: Call, inside: Location, function: FunctionInfo) -> SharedAccess | None:
        path = call.func[0]
        deed = self._deed(path, function)
        if deed is None:
            return None
        place = (*path[:-1], ELEMENT)
        return SharedAccess(call.id, deed, inside, place, call.span, function, deps=call.deps, method=path[-1])

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


def is_user(function: FunctionInfo) -> bool:
    """A method that has the object made already."""
    return function.cls is not None and function.ir.name not in CONSTRUCTORS
