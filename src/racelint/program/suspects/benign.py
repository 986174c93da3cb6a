"""Stores without the guard that do no harm, and why: one store is one step, and nothing is decided in two."""

from __future__ import annotations

from racelint.program.compounds import Compound
from racelint.program.groups import Group
from racelint.program.linker import Program
from racelint.program.locations import Location
from racelint.program.records import Record
from racelint.program.shared import SharedAccess

_FLAGS = ("k:True", "k:False", "k:None")
_ONE_CONSTANT = "only one constant is ever stored, so that it matters little when that is seen"
_TAKEN_BACK = "whoever holds the lock takes the flag back before the work that it asks for, so that no request is lost"
_SET_TWICE = "a flag that is set twice is set, and nothing else is done where it is not"
_LOGGING = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print"})
_ONE_STEP = "it is replaced in one step, and the lock never spans more than one step on it"


def harmless(record: Record, group: Group, guard: Location, program: Program) -> str:
    """Why a store without the guard does no harm; empty where it may."""
    if is_flag(group):
        return _ONE_CONSTANT
    if not _is_plain_store(record.access) or any(other.access.location.content for other in group.records):
        return ""
    guarded = [other for other in group.records if guard in other.locations_held]
    if any(other.state.hold(guard) is None or other.access.augmented for other in guarded):
        return ""
    sections = [_section(other, guard, program) for other in guarded]
    if all(len(section) == 1 for section in sections):
        return _ONE_STEP
    if _is_constant(record.access) and all(map(_takes_back, sections)):
        return _TAKEN_BACK
    return ""


def sets_flag_twice(compound: Compound, group: Group, program: Program) -> str:
    """Why it does no harm that two threads find a flag unset; empty where more hangs on it than a line in a log."""
    function = compound.function
    if compound.inner is not None or not is_flag(group):
        return ""
    for call in program.stores.facts[function.id].calls:
        decided = compound.since in program.compounds.deciding.get((function.id, call.id), ())
        if decided and not any(path[-1].rpartition(":")[2] in _LOGGING for path in call.func):
            return ""
    return _SET_TWICE


def is_flag(group: Group) -> bool:
    """A monotonic flag: one constant is ever stored after construction."""
    stored = {path[0] for record in group.changes for path in record.access.value}
    return len(stored) <= 1 and all(
        _is_plain_store(record.access) and _is_constant(record.access) for record in group.changes
    )


def _is_plain_store(access: SharedAccess) -> bool:
    return access.deed == "write" and not access.augmented and not access.location.content


def _is_constant(access: SharedAccess) -> bool:
    return bool(access.value) and all(path[0] in _FLAGS for path in access.value)


def _section(record: Record, guard: Location, program: Program) -> list[SharedAccess]:
    """What the critical section that a record stands in does to shared variables, in source order."""
    function, hold = record.access.function, record.state.hold(guard)
    flow = program.flows.of(function)
    called = {site.event for site in program.calls.outgoing[function.id]}
    found = []
    for access in program.shared.by_function[function.id]:
        if access.location != guard and flow.at(access.event).hold(guard) == hold:
            found.append(access)
            if access.event in called:
                found.append(access)  # the callee does more
    return found


def _takes_back(section: list[SharedAccess]) -> bool:
    """A flag is looked at and taken back, and only then anything else is done; or it is only set."""
    first = section[0].location
    back = [number for number, access in enumerate(section) if access.location == first and _is_plain_store(access)]
    return len(back) == 1 and _is_constant(section[back[0]]) and all(a.location == first for a in section[: back[0]])
