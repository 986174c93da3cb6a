"""Where code first comes to a variable through a call: what guards the variable must be there by then."""

from __future__ import annotations

from collections.abc import Collection

from racelint.model.summary import Span
from racelint.program import Program
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.objects.families import descendants
from racelint.program.objects.locations import Location


def first_call_to(program: Program, location: Location, function: FunctionInfo, cls: ClassInfo | None) -> Span | None:
    """The first call in `function` that comes to a function which touches the variable at `location`.

    `cls` is the class whose constructor it is: a method may be that of a child then.
    """
    touching = {access.function.id for access in program.shared.within(location.container())}
    objects = (cls, *descendants(cls)) if cls is not None else ()
    events = program.stores.facts[function.id].events
    found = [
        events[site.event].span
        for site in program.calls.outgoing[function.id]
        if site.event in events and _comes_to(program, touching, site.callee, objects, {function.id})
    ]
    return min(found, default=None)


def _comes_to(
    program: Program,
    touching: Collection[str],
    function: FunctionInfo,
    objects: Collection[ClassInfo],
    seen: set[str],
) -> bool:
    for one in (function, *_overriding(function, objects)):
        if one.id in touching:
            return True
        if one.id not in seen:
            seen.add(one.id)
            sites = program.calls.outgoing[one.id]
            if any(_comes_to(program, touching, site.callee, objects, seen) for site in sites):
                return True
    return False


def _overriding(method: FunctionInfo, objects: Collection[ClassInfo]) -> list[FunctionInfo]:
    """What runs in place of a method where `self` is one of the objects."""
    candidates = [cls.method(method.ir.name) for cls in objects if method.cls in cls.mro]
    return [one for one in candidates if one is not None and one is not method]
