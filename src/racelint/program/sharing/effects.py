"""Effects: what a call of a function does to shared variables, itself or through what it calls on the same object.

Compositional, as the summaries of Infer's RacerD: a callee's accesses count where its `self` is the caller's own, or
where they need no object (globals, captured variables). What happens on other objects is left to those.
"""

from __future__ import annotations

from operator import attrgetter

import msgspec

from racelint.model.summary import ELEMENT, Path
from racelint.program.calling.calls import CallGraph, CallSite
from racelint.program.flow.values import Stores
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.sharing.accesses import SharedAccesses
from racelint.program.sharing.shared import SharedAccess

_MAX_EFFECTS = 80
MAX_DEPTH = 3
"""So many calls are followed."""
_MAX_FIELDS = 3
_event = attrgetter("event")


class Effect(msgspec.Struct, frozen=True):
    """`access` happens at `event` of the function that was asked about: itself, or the call that leads to it."""

    event: int
    access: SharedAccess
    through: tuple[CallSite, ...] = ()
    base: Path = ()
    """The fields below the function's own object that lead to the one that is accessed."""

    @property
    def place(self) -> tuple[Location, Path]:
        """What tells two variables apart as far as one call is concerned."""
        return self.access.location, self.base


def base_of(access: SharedAccess) -> Path:
    """The fields between an access path's root and the object whose variable it is."""
    return access.path[1 : len(access.path) - len(access.location.fields)]


class Effects:
    """The effects of all functions in source order, on demand; recursion is cut where it closes."""

    def __init__(self, stores: Stores, calls: CallGraph, shared: SharedAccesses) -> None:
        self.stores = stores
        self.calls = calls
        self.shared = shared
        self._known: dict[tuple[str, int], tuple[Effect, ...]] = {}
        self._by_event: dict[tuple[str, int], dict[int, list[Effect]]] = {}
        """By function and depth: what each call of it leads to."""
        self._active: set[str] = set()
        self._plain: dict[str, list[Effect]] = {}
        """By function: what it does itself."""
        self._handed: dict[tuple[str, int, bool], list[Effect]] = {}
        """By function, depth and whether its object is the caller's own: what it does for its caller, too."""

    def of(self, function: FunctionInfo, depth: int = MAX_DEPTH) -> tuple[Effect, ...]:
        key = (function.id, depth)
        known = self._known.get(key)
        if known is None:
            if function.id in self._active:
                return ()
            self._active.add(function.id)
            known = self._known[key] = self._collect(function, depth)
            self._active.discard(function.id)
        return known

    def at(self, function: FunctionInfo, event: int, depth: int = MAX_DEPTH) -> list[Effect]:
        """What one call of the function leads to."""
        key = (function.id, depth)
        if key not in self._by_event:
            by_event = self._by_event[key] = dict[int, list[Effect]]()
            for effect in self.of(function, depth):
                if effect.through:
                    by_event.setdefault(effect.event, []).append(effect)
        return self._by_event[key].get(event, [])

    def _collect(self, function: FunctionInfo, depth: int) -> tuple[Effect, ...]:
        plain = self._plain.get(function.id)
        if plain is None:
            accesses = self.shared.of(function)
            plain = self._plain[function.id] = [Effect(a.event, a, (), base_of(a)) for a in accesses]
        found = list(plain)
        for site in self.calls.outgoing[function.id] if depth else ():
            if site.weak or (site.callee.ir.is_generator and not site.callee.is_contextmanager):
                continue
            effects = self.of(site.callee, depth - 1)
            if not effects:
                continue
            receiver = site.receiver or ()
            own = len(receiver) <= _MAX_FIELDS and ELEMENT not in receiver and self._is_own(receiver[:1], function)
            key = (site.callee.id, depth - 1, own)
            handed = self._handed.get(key)
            if handed is None:
                handed = self._handed[key] = [effect for effect in effects if self._is_handed_on(effect.access, own)]
            event, fields = site.event, receiver[1:]
            for effect in handed:
                base = (*fields, *effect.base) if effect.access.location.kind == "attribute" else ()
                found.append(Effect(event, effect.access, (site, *effect.through), base))
        found.sort(key=_event)
        return tuple(found[:_MAX_EFFECTS])

    def _is_handed_on(self, access: SharedAccess, own: bool) -> bool:
        """Whether it counts for the caller: it needs no object, or is on the one that is the caller's `own`."""
        return access.location.kind != "attribute" or (own and self._is_own(access.path[:1], access.function))

    def _is_own(self, path: Path, function: FunctionInfo) -> bool:
        """Whether the path is the function's own object: its `self`, that of the method around it, or `super()`."""
        if len(path) != 1:
            return False
        kind, _, rest = path[0].partition(":")
        if kind == "p":
            return bool(function.self_name) and rest == function.self_name
        if kind == "f":
            qualname, _, name = rest.partition(":")
            outer = function.module.functions.get(qualname)
            return outer is not None and bool(outer.self_name) and outer.self_name == name
        return kind == "c" and self.calls.is_super(path, function)
